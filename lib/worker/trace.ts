/**
 * Names the guest's functions that were running when something was thrown. The guest's side of the trust boundary.
 *
 * JavaScriptCore's text of a stack says nothing of WebAssembly; the call sites behind it do. They are only looked at when a call has failed.
 * The names are the guest's: whoever shows them cleans them.
 */
import { FRAME_LIMIT, FRAME_NAME_LIMIT } from "../protocol/limits.ts";

/** Frames of the stack that the engine keeps of what is thrown: KAMI's own, that stand above the guest's, included. */
const KEPT_FRAMES = 64;

/** How the engine calls a function of a module without a name; lib/wasm/names.ts drops the modules' names. */
const PREFIX = ".wasm-function[";
const SUFFIX = "]";

/** Has the engine keep enough frames of what is thrown in this Worker; ten would be too few for {@link traceGuest}. */
export function keepFrames(): void {
  Error.stackTraceLimit = KEPT_FRAMES;
}

/**
 * Names the functions that a trap came through, the innermost first. One that calls itself is named once.
 *
 * @param error - What the guest's entry function threw.
 * @returns At most {@link FRAME_LIMIT} names of at most {@link FRAME_NAME_LIMIT} code units; undefined when there are none.
 */
export function traceGuest(error: unknown): readonly string[] | undefined {
  if (!(error instanceof WebAssembly.RuntimeError || error instanceof RangeError)) return undefined;
  const names = sitesOf(error).map(nameOf);
  const known = names.filter((name) => name !== "");
  const frames = known.filter((name, index) => name !== known[index - 1]).slice(0, FRAME_LIMIT);
  return frames.length === 0 ? undefined : frames;
}

/** The engine makes the text of a stack when it is first asked for, and has the realm's `Error` make it if it can. */
function sitesOf(error: Error): readonly NodeJS.CallSite[] {
  const before: unknown = Reflect.get(Error, "prepareStackTrace");
  let sites: readonly NodeJS.CallSite[] = [];
  Error.prepareStackTrace = (_, given) => {
    sites = given;
    return "";
  };
  try {
    void error.stack;
  } finally {
    // Not deleted: the engine would not look at it again.
    Reflect.set(Error, "prepareStackTrace", before);
  }
  return sites;
}

/** The name of a guest's function; empty for all others: KAMI's own functions in a guest's module have no name. */
function nameOf(site: NodeJS.CallSite): string {
  const name = site.getFunctionName() ?? "";
  if (site.getFileName() !== "[wasm code]" || !name.startsWith(PREFIX) || !name.endsWith(SUFFIX)) return "";
  return name.slice(PREFIX.length, -SUFFIX.length).slice(0, FRAME_NAME_LIMIT);
}
