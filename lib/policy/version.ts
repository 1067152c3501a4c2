/**
 * Version ranges of grants. Pure, and of any size: a version comes from a manifest, and one whose numbers overflowed would be another one.
 *
 * Source: Semantic Versioning 2.0.0 §9 and §11; the caret is npm's.
 */

interface Version {
  readonly numbers: readonly [major: bigint, minor: bigint, patch: bigint];
  /** Empty for a release. */
  readonly prerelease: string;
}

const VERSION = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/;
const LENGTH_LIMIT = 130;

/**
 * Makes the range that a grant holds for unless the user says otherwise: the version and later ones of the same major; before 1.0.0 of the
 * same minor. A prerelease stands for itself alone.
 */
export function defaultRange(version: string): string {
  const parsed = parseVersion(version);
  if (parsed === undefined) throw new Error("BUG: the version of an installed tool is none");
  const text = parsed.numbers.join(".");
  return parsed.prerelease === "" ? `^${text}` : `${text}-${parsed.prerelease}`;
}

/** Whether a text is a range as this module reads it: `1.2.3`, `^1.2.3` or `*`. */
export function isRange(range: string): boolean {
  return range === "*" || parseVersion(range.replace(/^\^/, "")) !== undefined;
}

/** Whether a version lies in a range; never for what is none. A prerelease lies only in the range that is that very version. */
export function isInRange(version: string, range: string): boolean {
  const wanted = parseVersion(version);
  if (wanted === undefined) return false;
  if (range === "*") return true;
  const least = parseVersion(range.replace(/^\^/, ""));
  if (least === undefined) return false;
  const order = compare(wanted.numbers, least.numbers);
  if (!range.startsWith("^") || wanted.prerelease !== "" || least.prerelease !== "")
    return order === 0 && wanted.prerelease === least.prerelease;
  // The first number that is not 0 stays the same, and all before it.
  const fixed = least.numbers.findIndex((number) => number > 0n);
  const kept = fixed === -1 ? 3 : fixed + 1;
  return order >= 0 && least.numbers.slice(0, kept).every((number, at) => number === wanted.numbers[at]);
}

function parseVersion(text: string): Version | undefined {
  const match = text.length > LENGTH_LIMIT ? null : VERSION.exec(text);
  if (match === null) return undefined;
  const [, major = "", minor = "", patch = "", prerelease = ""] = match;
  return { numbers: [BigInt(major), BigInt(minor), BigInt(patch)], prerelease };
}

function compare(left: Version["numbers"], right: Version["numbers"]): number {
  const at = left.findIndex((number, index) => number !== right[index]);
  if (at === -1) return 0;
  return (left[at] ?? 0n) > (right[at] ?? 0n) ? 1 : -1;
}
