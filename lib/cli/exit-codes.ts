/**
 * The exit codes of `kami`: a documented, closed set, so that scripts can tell what happened without reading messages.
 */
import type { FailureCode } from "../errors.ts";

/** Every code that `kami` exits with. 130 and 143 follow the shells: 128 + the signal's number. */
export const EXIT = {
  ok: 0,
  toolFailed: 1,
  usage: 2,
  badPackage: 3,
  noSuchTool: 4,
  limitReached: 5,
  denied: 6,
  tryAgain: 7,
  badState: 8,
  bug: 70,
  interrupted: 130,
  terminated: 143,
} as const;

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What each code means, in ascending order, for the help. */
export const EXIT_MEANINGS: ReadonlyMap<ExitCode, string> = new Map<ExitCode, string>([
  [EXIT.ok, "success"],
  [EXIT.toolFailed, "the tool reported an error or crashed"],
  [EXIT.usage, "wrong command line, input, file or setting"],
  [EXIT.badPackage, "bad package, manifest or component"],
  [EXIT.noSuchTool, "the tool is not installed, or disabled"],
  [EXIT.limitReached, "a limit was reached: fuel, memory, time or size of the result"],
  [EXIT.denied, "the tool asked for a capability that is denied"],
  [EXIT.tryAgain, "cancelled, busy, or a worker was lost: try again"],
  [EXIT.badState, "KAMI_HOME cannot be used"],
  [EXIT.bug, "a bug in KAMI"],
  [EXIT.interrupted, "interrupted by Ctrl-C"],
  [EXIT.terminated, "ended by SIGTERM"],
]);

const EXIT_CODES: { readonly [C in FailureCode]: ExitCode } = {
  USAGE: EXIT.usage,
  FILE_NOT_FOUND: EXIT.usage,
  FILE_UNREADABLE: EXIT.usage,
  CONFIG_INVALID: EXIT.usage,
  CONFIG_SYNTAX: EXIT.usage,
  MANIFEST_MISSING: EXIT.badPackage,
  MANIFEST_TOO_LARGE: EXIT.badPackage,
  MANIFEST_SYNTAX: EXIT.badPackage,
  MANIFEST_UNKNOWN_KEY: EXIT.badPackage,
  MANIFEST_INVALID: EXIT.badPackage,
  PACKAGE_PATH: EXIT.badPackage,
  PACKAGE_CHANGED: EXIT.badPackage,
  COMPONENT_NOT_WASM: EXIT.badPackage,
  COMPONENT_IS_CORE_MODULE: EXIT.badPackage,
  COMPONENT_TOO_LARGE: EXIT.badPackage,
  COMPONENT_INVALID: EXIT.badPackage,
  COMPONENT_UNSUPPORTED: EXIT.badPackage,
  COMPONENT_LIMIT: EXIT.badPackage,
  COMPONENT_NO_ENTRY: EXIT.badPackage,
  COMPONENT_INITIAL_MEMORY: EXIT.limitReached,
  INSTRUCTION_UNKNOWN: EXIT.badPackage,
  COMPILE_TIMEOUT: EXIT.badPackage,
  COMPILE_CRASHED: EXIT.badPackage,
  ARTIFACT_UNUSABLE: EXIT.badState,
  REGISTRY_BUSY: EXIT.tryAgain,
  REGISTRY_NEWER: EXIT.badState,
  REGISTRY_UNUSABLE: EXIT.badState,
  REGISTRY_UNWRITABLE: EXIT.badState,
  TOOL_UNKNOWN: EXIT.noSuchTool,
  TOOL_DISABLED: EXIT.noSuchTool,
  INPUT_NOT_JSON: EXIT.usage,
  INPUT_TOO_LARGE: EXIT.usage,
  INPUT_INVALID: EXIT.usage,
  RESULT_TOO_LARGE: EXIT.limitReached,
  TOOL_ERROR: EXIT.toolFailed,
  TOOL_EXIT: EXIT.toolFailed,
  FUEL_EXHAUSTED: EXIT.limitReached,
  DEADLINE_EXCEEDED: EXIT.limitReached,
  MEMORY_EXHAUSTED: EXIT.limitReached,
  STACK_OVERFLOW: EXIT.toolFailed,
  GUEST_UNREACHABLE: EXIT.toolFailed,
  GUEST_OUT_OF_BOUNDS: EXIT.toolFailed,
  GUEST_DIVIDE_BY_ZERO: EXIT.toolFailed,
  GUEST_TRAP: EXIT.toolFailed,
  CAPABILITY_DENIED: EXIT.denied,
  CANCELLED: EXIT.tryAgain,
  BUSY: EXIT.tryAgain,
  WORKER_LOST: EXIT.tryAgain,
  EXECUTOR_LOST: EXIT.tryAgain,
  LISTEN_FAILED: EXIT.usage,
  LISTEN_EXPOSED: EXIT.usage,
  TOKENS_UNUSABLE: EXIT.badState,
  TOKEN_EXISTS: EXIT.usage,
  TOKEN_UNKNOWN: EXIT.usage,
  ISSUER_UNUSABLE: EXIT.tryAgain,
  // What follows answers requests over HTTP, and ends no command.
  HTTP_UNAUTHORIZED: EXIT.denied,
  HTTP_SCOPE: EXIT.denied,
  HTTP_HOST: EXIT.denied,
  HTTP_ORIGIN: EXIT.denied,
  HTTP_PATH: EXIT.usage,
  HTTP_METHOD: EXIT.usage,
  HTTP_MEDIA_TYPE: EXIT.usage,
  HTTP_BODY_TOO_LARGE: EXIT.usage,
  HTTP_BODY_TIMEOUT: EXIT.usage,
  HTTP_BODY_INVALID: EXIT.usage,
  HTTP_MESSAGE_INVALID: EXIT.usage,
  HTTP_SESSION_UNKNOWN: EXIT.usage,
  HTTP_RATE_LIMITED: EXIT.tryAgain,
  HTTP_OVERLOADED: EXIT.tryAgain,
  HTTP_DRAINING: EXIT.tryAgain,
};

/** Finds the exit code for a failure. */
export function exitCodeFor(code: FailureCode): ExitCode {
  return EXIT_CODES[code];
}
