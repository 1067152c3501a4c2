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
  [EXIT.denied, "the tool asks for a capability that is denied, or that nobody has decided on"],
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
  ZIP_REFUSED: EXIT.badPackage,
  PACKAGE_CHANGED: EXIT.badPackage,
  PROJECT_UNKNOWN: EXIT.usage,
  TOOLCHAIN_MISSING: EXIT.badState,
  BUILD_FAILED: EXIT.badPackage,
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
  FUNCTION_UNKNOWN: EXIT.noSuchTool,
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
  GRANT_REFUSED: EXIT.usage,
  CONSENT_NEEDED: EXIT.denied,
  MOUNT_REFUSED: EXIT.usage,
  CANCELLED: EXIT.tryAgain,
  BUSY: EXIT.tryAgain,
  WORKER_LOST: EXIT.tryAgain,
  EXECUTOR_LOST: EXIT.tryAgain,
};

/** Finds the exit code for a failure. */
export function exitCodeFor(code: FailureCode): ExitCode {
  return EXIT_CODES[code];
}
