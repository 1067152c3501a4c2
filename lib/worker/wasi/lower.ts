/**
 * The types of every function that is served and belongs to no resource, and how an interface is linked by them. The guest's side of
 * the trust boundary.
 *
 * Source: wasi:cli, wasi:clocks, wasi:filesystem, wasi:io and wasi:random 0.2, wit/; lib/guest/wit/kami-tool.wit.
 */
import { LOWER } from "./boundary.ts";
import {
  datetimeResult,
  emptyResult,
  enumParameter,
  handlesParameter,
  bytesResult,
  lowerFunction,
  noneResult,
  nothing,
  nothingInPieces,
  numbersResult,
  pairResult,
  resultParameter,
  type Run,
  type Signature,
  type Signatures,
  textParameter,
  u64Parameter,
  u64Result,
  u8Parameter,
} from "./canonical.ts";
import { toKebabCase } from "./deny.ts";
import type { Host, Interface } from "./host.ts";
import { IoError } from "./io.ts";
import { POLL_LIMIT, Pollable } from "./poll.ts";
import { borrow, borrowParameter, ownResult } from "./resource.ts";

const OWN: Signature = [[], ownResult];
const U64: Signature = [[], u64Result];
const EMPTY: Signature = [[], emptyResult];
const LOG_LEVEL = enumParameter(["trace", "debug", "info", "warn", "error"]);
const POLLABLES = handlesParameter(POLL_LIMIT, (frame, handle) => borrow(frame, Pollable, handle));
/** `option<own<terminal-input>>` and its like. */
const NO_TERMINAL: Signature = [[], noneResult(8, 4)];

const SIGNATURES: ReadonlyMap<string, Signatures> = new Map<string, Signatures>([
  ["kami:tool/host", { log: [[LOG_LEVEL, textParameter], nothingInPieces] }],
  ["wasi:cli/environment", { getEnvironment: EMPTY, getArguments: EMPTY, initialCwd: [[], noneResult(12, 4)] }],
  ["wasi:cli/exit", { exit: [[resultParameter], nothing], exitWithCode: [[u8Parameter], nothing] }],
  ["wasi:cli/stdin", { getStdin: OWN }],
  ["wasi:cli/stdout", { getStdout: OWN }],
  ["wasi:cli/stderr", { getStderr: OWN }],
  ["wasi:cli/terminal-stdin", { getTerminalStdin: NO_TERMINAL }],
  ["wasi:cli/terminal-stdout", { getTerminalStdout: NO_TERMINAL }],
  ["wasi:cli/terminal-stderr", { getTerminalStderr: NO_TERMINAL }],
  [
    "wasi:clocks/monotonic-clock",
    {
      now: U64,
      resolution: U64,
      subscribeInstant: [[u64Parameter], ownResult],
      subscribeDuration: [[u64Parameter], ownResult],
    },
  ],
  ["wasi:clocks/wall-clock", { now: [[], datetimeResult], resolution: [[], datetimeResult] }],
  ["wasi:filesystem/preopens", { getDirectories: EMPTY }],
  ["wasi:filesystem/types", { filesystemErrorCode: [[borrowParameter(IoError)], noneResult(2, 1)] }],
  ["wasi:io/poll", { poll: [[POLLABLES], numbersResult] }],
  ["wasi:random/random", { getRandomBytes: [[u64Parameter], bytesResult], getRandomU64: U64 }],
  ["wasi:random/insecure", { getInsecureRandomBytes: [[u64Parameter], bytesResult], getInsecureRandomU64: U64 }],
  ["wasi:random/insecure-seed", { insecureSeed: [[], pairResult] }],
]);

/**
 * Gives every function of an interface its core function.
 *
 * @param name - The interface, without version.
 * @param made - Its functions and resources, made for the call. The functions are changed.
 */
export function lowerInterface(host: Host, name: string, made: Interface): Interface {
  for (const [key, signature] of Object.entries(SIGNATURES.get(name) ?? {})) {
    const run = made[key];
    if (!isFunction(run)) throw new Error(`BUG: ${name} has no ${key}`);
    Object.defineProperty(run, LOWER, {
      value: lowerFunction({ host, name: `${name} ${toKebabCase(key)}` }, signature, run),
    });
  }
  return made;
}

function isFunction(value: unknown): value is Run {
  return typeof value === "function";
}
