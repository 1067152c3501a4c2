/**
 * Where a guest sees a directory. Pure: one spelling for one place, and no place inside another, so that which directory a path leads to
 * never depends on who resolves it.
 */

/** Where a tool sees the directory of its own. */
export const SANDBOX_GUEST_PATH = "/sandbox";

const SEGMENT = /^(?!\.{1,2}$)[\w.@+-]{1,255}$/;
const LENGTH_LIMIT = 1024;

/**
 * Says what is wrong with a guest path.
 *
 * @returns Words that read on from the path; undefined when it is canonical: absolute, with plain segments and no slash at its end.
 */
export function guestPathProblem(path: string): string | undefined {
  if (!path.startsWith("/")) return "must start with a slash, as in /data";
  if (path === "/") return "must not be the root: every other path lies inside it";
  if (path.length > LENGTH_LIMIT) return `must have at most ${LENGTH_LIMIT} characters`;
  if (
    path
      .slice(1)
      .split("/")
      .every((segment) => SEGMENT.test(segment))
  )
    return undefined;
  return 'must be canonical: segments of letters, digits and any of "._@+-", no "." or "..", no slash at the end';
}

/**
 * Says what keeps a directory from being seen at a path, beside others.
 *
 * @param others - Where the tool sees its other directories of the user's.
 * @returns Words that read on from the path; undefined when nothing does.
 */
export function placeProblem(path: string, others: readonly string[]): string | undefined {
  const problem = guestPathProblem(path);
  if (problem !== undefined) return problem;
  if (doGuestPathsClash(path, SANDBOX_GUEST_PATH))
    return `must not overlap with ${SANDBOX_GUEST_PATH}, the tool's own directory`;
  const clash = others.find((other) => doGuestPathsClash(other, path));
  return clash === undefined ? undefined : `must not overlap with ${clash}, another directory that the tool sees`;
}

/** Whether two guest paths are the same, or one lies inside the other. In any case: some file systems see no difference. */
export function doGuestPathsClash(left: string, right: string): boolean {
  const [a, b] = [`${left}/`.toLowerCase(), `${right}/`.toLowerCase()];
  return a.startsWith(b) || b.startsWith(a);
}
