/**
 * The closed table of outcomes that KAMI reports as failures: their codes, their texts, and who may read them.
 *
 * A text says what could not be done, a colon, and the state; a hint says how to mend it. Details that come from outside
 * (names, paths, messages of guests) pass through {@link quote}, which cleans and bounds them.
 */

/** Everything that each code's text needs. Byte counts are bytes, times milliseconds, memory mebibytes where it says so. */
interface FailureDetails {
  readonly USAGE: { readonly problem: string; readonly hint: string };
  readonly FILE_NOT_FOUND: { readonly path: string };
  readonly FILE_UNREADABLE: { readonly path: string; readonly reason: string };
  readonly CONFIG_INVALID: { readonly source: string; readonly key: string; readonly rule: string };
  /** `key` is a place in the file, or a case's name. */
  readonly CASE_INVALID: { readonly source: string; readonly key: string; readonly rule: string };
  readonly CONFIG_SYNTAX: ManifestPlace & { readonly problem: string };
  readonly MANIFEST_MISSING: { readonly path: string };
  readonly MANIFEST_TOO_LARGE: { readonly path: string; readonly bytes: number; readonly limitBytes: number };
  readonly MANIFEST_SYNTAX: ManifestPlace & { readonly problem: string };
  readonly MANIFEST_UNKNOWN_KEY: ManifestPlace & { readonly key: string; readonly nearest: string | undefined };
  readonly MANIFEST_INVALID: ManifestPlace & { readonly key: string; readonly rule: string };
  readonly PACKAGE_PATH: { readonly path: string; readonly reason: string };
  readonly RESOURCE_REFUSED: { readonly uri: string; readonly reason: string; readonly hint: string };
  readonly ZIP_REFUSED: { readonly path: string; readonly reason: string };
  readonly PACKAGE_CHANGED: { readonly tool: string };
  readonly PROJECT_UNKNOWN: { readonly path: string; readonly reason: string };
  readonly TOOLCHAIN_MISSING: { readonly what: string; readonly command: string };
  readonly BUILD_FAILED: { readonly what: string; readonly reason: string };
  readonly COMPONENT_NOT_WASM: { readonly path: string };
  readonly COMPONENT_IS_CORE_MODULE: { readonly path: string };
  readonly COMPONENT_TOO_LARGE: { readonly path: string; readonly bytes: number; readonly limitBytes: number };
  readonly COMPONENT_INVALID: { readonly reason: string };
  readonly COMPONENT_UNSUPPORTED: { readonly what: string };
  readonly COMPONENT_LIMIT: { readonly what: string; readonly value: number; readonly limit: number };
  readonly COMPONENT_NO_ENTRY: { readonly exports: readonly string[] };
  readonly COMPONENT_INITIAL_MEMORY: { readonly bytes: number; readonly limitBytes: number };
  readonly DESCRIBE_REFUSED: { readonly reason: string };
  readonly INSTRUCTION_UNKNOWN: { readonly module: string; readonly offset: number; readonly opcode: string };
  readonly COMPILE_TIMEOUT: { readonly limitMs: number };
  readonly COMPILE_CRASHED: { readonly reason: string };
  readonly ARTIFACT_UNUSABLE: { readonly reason: string };
  readonly REGISTRY_BUSY: { readonly waitedMs: number };
  readonly REGISTRY_UNWRITABLE: { readonly path: string; readonly reason: string };
  readonly REGISTRY_NEWER: { readonly found: number; readonly known: number };
  readonly REGISTRY_UNUSABLE: { readonly path: string; readonly reason: string };
  readonly TOOL_UNKNOWN: { readonly id: string; readonly nearest: string | undefined };
  readonly TOOL_DISABLED: { readonly id: string };
  /** `name` is undefined when the call named none, and there are several. */
  readonly FUNCTION_UNKNOWN: { readonly name: string | undefined; readonly known: readonly string[] };
  readonly INPUT_NOT_JSON: { readonly source: string; readonly problem: string };
  /** `bytes` is undefined when reading stopped at the limit. */
  readonly INPUT_TOO_LARGE: { readonly bytes: number | undefined; readonly limitBytes: number };
  readonly INPUT_INVALID: InputProblem;
  readonly RESULT_TOO_LARGE: { readonly bytes: number; readonly limitBytes: number };
  readonly RESULT_INVALID: { readonly field: string; readonly problem: string };
  readonly TOOL_ERROR: { readonly message: string };
  readonly TOOL_EXIT: { readonly exitCode: number; readonly message: string };
  readonly FUEL_EXHAUSTED: GuestPlace & { readonly fuelLimit: number };
  readonly DEADLINE_EXCEEDED: GuestPlace & { readonly limitMs: number };
  readonly MEMORY_EXHAUSTED: GuestPlace & { readonly limitBytes: number };
  readonly STACK_OVERFLOW: GuestPlace;
  readonly GUEST_UNREACHABLE: GuestPlace;
  readonly GUEST_OUT_OF_BOUNDS: GuestPlace & { readonly what: string };
  readonly GUEST_DIVIDE_BY_ZERO: GuestPlace;
  readonly GUEST_TRAP: GuestPlace & { readonly reason: string };
  readonly CAPABILITY_DENIED: GuestPlace & { readonly capability: string };
  readonly GRANT_REFUSED: { readonly tool: string; readonly capability: string; readonly reason: string };
  readonly CONSENT_NEEDED: { readonly tool: string; readonly requests: string; readonly flags: string };
  readonly MOUNT_REFUSED: { readonly path: string; readonly reason: string };
  readonly APPROVAL_NEEDED: { readonly tool: string; readonly reason: string; readonly command: string };
  readonly APPROVAL_DENIED: { readonly tool: string };
  /** `message` is the guest's first. */
  readonly ELICITATION_NEEDED: { readonly tool: string; readonly message: string };
  readonly ELICITATION_INVALID: { readonly tool: string; readonly field: string; readonly problem: string };
  readonly CANCELLED: NoDetail;
  readonly BUSY: { readonly retryAfterMs: number };
  readonly WORKER_LOST: { readonly reason: string };
  readonly EXECUTOR_LOST: { readonly reason: string };
  readonly CLIENT_CONFIG: { readonly path: string; readonly reason: string; readonly client: string };
  readonly LISTEN_FAILED: { readonly address: string; readonly reason: string };
  readonly LISTEN_EXPOSED: { readonly address: string };
  readonly TOKENS_UNUSABLE: { readonly path: string; readonly reason: string };
  readonly TOKEN_EXISTS: { readonly name: string };
  readonly TOKEN_UNKNOWN: { readonly name: string; readonly nearest: string | undefined };
  readonly ISSUER_UNUSABLE: { readonly reason: string };
  readonly HTTP_UNAUTHORIZED: { readonly reason: string };
  readonly HTTP_SCOPE: NoDetail;
  readonly HTTP_HOST: { readonly host: string };
  readonly HTTP_ORIGIN: { readonly origin: string };
  readonly HTTP_PATH: { readonly target: string };
  readonly HTTP_METHOD: { readonly method: string };
  readonly HTTP_MEDIA_TYPE: NoDetail;
  readonly HTTP_BODY_TOO_LARGE: { readonly limitBytes: number };
  readonly HTTP_BODY_TIMEOUT: { readonly limitMs: number };
  readonly HTTP_BODY_INVALID: { readonly problem: string };
  readonly HTTP_MESSAGE_INVALID: { readonly problem: string };
  readonly HTTP_SESSION_UNKNOWN: NoDetail;
  readonly HTTP_RATE_LIMITED: { readonly what: string; readonly retryAfterMs: number };
  readonly HTTP_OVERLOADED: { readonly what: string; readonly retryAfterMs: number };
  readonly HTTP_DRAINING: NoDetail;
}

type NoDetail = Readonly<Record<string, never>>;

/** Where in the guest's code a call ended. */
interface GuestPlace {
  /**
   * Names of the guest's functions, the innermost first; `#7` for one without a name. Chosen by the guest. Absent when no
   * function is known.
   */
  readonly frames?: readonly string[];
}

interface InputProblem {
  readonly field: string;
  readonly problem: string;
  /** Id of the tool, where it is known. */
  readonly tool?: string;
  /** Whether no input was given while standard input has some. */
  readonly isPiped?: boolean;
}

interface ManifestPlace {
  /** The manifest as the user named it. */
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based, in UTF-16 code units. */
  readonly column: number;
}

/** A failure's code. */
export type FailureCode = keyof FailureDetails;

/** What a code's text is made from. */
export type FailureDetail<C extends FailureCode> = FailureDetails[C];

interface Entry<D> {
  readonly text: (detail: D) => string;
  /** What to do about it; with the exact command where there is one. */
  readonly hint?: (detail: D) => string | undefined;
  /** The same for an agent, where the hint names what only a user can do. */
  readonly agentHint?: (detail: D) => string;
  /** Whether a model may read the text: never true for one with host paths. */
  readonly agentMayRead: boolean;
}

/**
 * What steers a terminal, reorders text or hides in it: control and format characters, all else that is not shown (a word of any length can be
 * written in variation selectors), line separators, a blank that is none. The zero-width joiners and the selectors of text, emoji and Mongolian
 * are left: Persian, emoji and Mongolian are spelled with them.
 */
const UNSAFE =
  /(?:(?!\u200c|\u200d|\ufe0e|\ufe0f|\u180b|\u180c|\u180d|\u180f)[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2028\u2029\u202f\u2800])+/gu;

/**
 * Escape sequences as a whole, so that none leaves its rest behind: control sequences; strings (titles, links) with their end; the
 * others. A string without its end is not skipped, or it would hide all that follows.
 *
 * Source: ECMA-48 §5.4 to §5.6; a BEL ends a string for most terminals.
 */
const SEQUENCES =
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\p{Cc}]*(?:\u001b\\|[\u0007\u009c])|\u001b[ -/]*[0-~]/gu;

/**
 * Cleans a foreign string for a message: escape sequences go, control, bidirectional and invisible characters become spaces, long text is cut.
 *
 * @param text - Any string, of any length, from a guest, a manifest or a file name.
 * @param limit - Most UTF-16 code units to keep; default 300.
 * @returns A string on one line, of at most `limit` code units and an ellipsis.
 */
export function clean(text: string, limit = 300): string {
  const head = text.slice(0, limit);
  const flat = head.replace(SEQUENCES, "").replace(UNSAFE, " ").toWellFormed().trim();
  return text.length > limit ? `${flat}…` : flat;
}

/** Cleans a foreign string and puts it in double quotes. */
export function quote(text: string): string {
  return `"${clean(text)}"`;
}

const place = (d: ManifestPlace): string => `${clean(d.file)}:${d.line}:${d.column}`;
/** A foreign error may say nothing that can be shown. */
const reason = (d: { readonly reason: string }): string => clean(d.reason) || "no reason is given";
const mib = (bytes: number): string => `${Number((bytes / 1_048_576).toFixed(2))} MiB`;

/** What the user can do about a limit, wherever it came from. */
const raise = (flag: string, setting: string): string =>
  `pass ${flag} for one call; or raise security.${setting} in tool.toml and install again, and the setting ${setting} if it is lower (kami config)`;
const lessWork = (): string => "ask for less work, or ask the user to raise the tool's limits";

/** Most functions of a guest that a failure names. */
const FRAMES_SHOWN = 8;
/** Most code units of a function's name that are shown. */
const FRAME_NAME_SHOWN = 120;

const afterCrash = (): string => "try another input, or tell the tool's author";

const TABLE: { readonly [C in FailureCode]: Entry<FailureDetails[C]> } = {
  USAGE: { text: (d) => clean(d.problem, 1000), hint: (d) => clean(d.hint, 1000), agentMayRead: false },
  FILE_NOT_FOUND: {
    text: (d) => `Cannot read ${quote(d.path)}: there is no such file or directory`,
    hint: () => "check the path",
    agentMayRead: false,
  },
  FILE_UNREADABLE: {
    text: (d) => `Cannot read ${quote(d.path)}: ${reason(d)}`,
    hint: () => "check the path and its permissions",
    agentMayRead: false,
  },
  CONFIG_INVALID: {
    text: (d) => `Cannot use the setting ${quote(d.key)} from ${clean(d.source)}: ${clean(d.rule)}`,
    hint: () => "see every setting with: kami config --help",
    agentMayRead: false,
  },
  CASE_INVALID: {
    text: (d) => `Cannot use the test cases in ${clean(d.source)}: ${quote(d.key)}: ${clean(d.rule)}`,
    hint: () => "see how cases are written: kami test --help",
    agentMayRead: false,
  },
  CONFIG_SYNTAX: {
    text: (d) => `Cannot parse ${place(d)}: ${clean(d.problem)}`,
    hint: () => "mend the TOML at that place",
    agentMayRead: false,
  },
  MANIFEST_MISSING: {
    text: (d) => `Cannot install ${quote(d.path)}: the directory has no tool.toml`,
    hint: () => "name a directory that holds a tool.toml, or the tool.toml itself",
    agentMayRead: false,
  },
  MANIFEST_TOO_LARGE: {
    text: (d) => `Cannot read ${quote(d.path)}: the manifest has ${d.bytes} bytes, the limit is ${d.limitBytes}`,
    hint: () => "a tool.toml is a page of text: check that the path is right",
    agentMayRead: false,
  },
  MANIFEST_SYNTAX: {
    text: (d) => `Cannot parse ${place(d)}: ${clean(d.problem)}`,
    hint: () => "mend the TOML at that place",
    agentMayRead: false,
  },
  MANIFEST_UNKNOWN_KEY: {
    text: (d) => `Cannot use ${place(d)}: unknown key ${quote(d.key)}`,
    hint: (d) => (d.nearest === undefined ? "remove the key" : `did you mean ${quote(d.nearest)}?`),
    agentMayRead: false,
  },
  MANIFEST_INVALID: {
    text: (d) => `Cannot use ${place(d)}: ${quote(d.key)} ${clean(d.rule)}`,
    hint: () => "mend the value at that place",
    agentMayRead: false,
  },
  PACKAGE_PATH: {
    text: (d) => `Cannot package ${quote(d.path)}: ${reason(d)}`,
    hint: () => "tool.wasm names a regular file inside the package, by a relative path without symlinks",
    agentMayRead: false,
  },
  RESOURCE_REFUSED: {
    text: (d) => `Cannot take the resource ${quote(d.uri)}: ${reason(d)}`,
    hint: (d) => clean(d.hint),
    agentMayRead: false,
  },
  ZIP_REFUSED: {
    text: (d) => `Cannot use the package ${quote(d.path)}: ${reason(d)}`,
    hint: () => "make the package with: kami build --package",
    agentMayRead: false,
  },
  PACKAGE_CHANGED: {
    text: (d) => `Cannot run ${quote(d.tool)}: its installed files no longer match the digest recorded at install`,
    hint: (d) => `install it again, or remove it with: kami uninstall ${clean(d.tool)}`,
    agentHint: () => "ask the user to install it again",
    agentMayRead: true,
  },
  PROJECT_UNKNOWN: {
    text: (d) => `Cannot build ${quote(d.path)}: ${reason(d)}`,
    hint: () => "start a project with: kami init",
    agentMayRead: false,
  },
  TOOLCHAIN_MISSING: {
    text: (d) => `Cannot build the tool: ${clean(d.what)} is not installed`,
    hint: (d) => `add it with: ${clean(d.command)}`,
    agentMayRead: false,
  },
  BUILD_FAILED: {
    text: (d) => `Cannot build the tool: ${clean(d.what)} failed: ${clean(d.reason, 500) || "no reason is given"}`,
    hint: () => "mend what the compiler says and build again",
    agentMayRead: false,
  },
  COMPONENT_NOT_WASM: {
    text: (d) => `Cannot use ${quote(d.path)}: it is not WebAssembly`,
    hint: () => "name a WebAssembly component (.wasm)",
    agentMayRead: false,
  },
  COMPONENT_IS_CORE_MODULE: {
    text: (d) => `Cannot use ${quote(d.path)}: it is a core module, not a component`,
    hint: () => "make a component of it, for example with: jco new core.wasm -o tool.wasm",
    agentMayRead: false,
  },
  COMPONENT_TOO_LARGE: {
    text: (d) => `Cannot use ${quote(d.path)}: it has ${d.bytes} bytes, the limit is ${d.limitBytes}`,
    hint: () => "strip debug information, or split the tool",
    agentMayRead: false,
  },
  COMPONENT_INVALID: {
    text: (d) => `Cannot compile the component: ${reason(d)}`,
    hint: () => "build the component again; it may be truncated or made by a broken toolchain",
    agentMayRead: false,
  },
  COMPONENT_UNSUPPORTED: {
    text: (d) => `Cannot compile the component: it uses ${clean(d.what)}, which KAMI refuses`,
    hint: () => "build it without that feature",
    agentMayRead: false,
  },
  COMPONENT_LIMIT: {
    text: (d) => `Cannot compile the component: ${clean(d.what)} is ${d.value}, the limit is ${d.limit}`,
    hint: () => "make the component smaller",
    agentMayRead: false,
  },
  COMPONENT_NO_ENTRY: {
    text: (d) =>
      `Cannot use the component: it exports none of kami:tool/tool, run and wasi:cli/run${exportsOf(d.exports)}`,
    hint: () => "export run: func(input: string) -> result<string, string>",
    agentMayRead: false,
  },
  COMPONENT_INITIAL_MEMORY: {
    text: (d) =>
      `Cannot start the component: it needs ${mib(d.bytes)} of memory to begin with, the limit is ${mib(d.limitBytes)}`,
    hint: () => raise("--memory-mb N", "max_memory_mb"),
    agentHint: () => "ask the user to raise the tool's limits",
    agentMayRead: true,
  },
  DESCRIBE_REFUSED: {
    text: (d) => `Cannot take what the component says of itself (describe): ${reason(d)}`,
    hint: () => "it must return { inputSchema?, outputSchema? } as docs/tool-toml.md has them",
    agentMayRead: true,
  },
  INSTRUCTION_UNKNOWN: {
    text: (d) => `Cannot meter ${quote(d.module)}: unknown instruction ${clean(d.opcode)} at byte ${d.offset}`,
    hint: () => "build the component for WebAssembly features that KAMI meters",
    agentMayRead: false,
  },
  COMPILE_TIMEOUT: {
    text: (d) => `Cannot compile the component: it took longer than ${d.limitMs} ms`,
    hint: () => "make the component smaller",
    agentMayRead: false,
  },
  COMPILE_CRASHED: {
    text: (d) => `Cannot compile the component: the compiler failed on it (${reason(d)})`,
    hint: () => "build the component again with a current toolchain",
    agentMayRead: false,
  },
  ARTIFACT_UNUSABLE: {
    text: (d) => `Cannot use the compiled component: ${reason(d)}`,
    hint: () => "check that KAMI_HOME is writable and has space",
    agentMayRead: false,
  },
  REGISTRY_BUSY: {
    text: (d) => `Cannot write to the registry: another process held it for ${d.waitedMs} ms`,
    hint: () => "try again",
    agentMayRead: true,
  },
  REGISTRY_UNWRITABLE: {
    text: (d) => `Cannot write to the registry ${quote(d.path)}: ${reason(d)}`,
    hint: () => "check the free space and the permissions there, then try again",
    agentMayRead: false,
  },
  REGISTRY_NEWER: {
    text: (d) => `Cannot open the registry: its schema is version ${d.found}, this KAMI knows ${d.known}`,
    hint: () => "update KAMI, or use another KAMI_HOME",
    agentMayRead: false,
  },
  REGISTRY_UNUSABLE: {
    text: (d) => `Cannot open the registry ${quote(d.path)}: ${reason(d)}`,
    hint: () => "check the file and its permissions, or use another KAMI_HOME",
    agentMayRead: false,
  },
  TOOL_UNKNOWN: {
    text: (d) => `Cannot find the tool ${quote(d.id)}: it is not installed`,
    hint: (d) =>
      d.nearest === undefined ? "see what is installed with: kami list" : `did you mean ${quote(d.nearest)}?`,
    agentHint: () => "list the tools again: the user may have removed it",
    agentMayRead: true,
  },
  FUNCTION_UNKNOWN: {
    text: (d) =>
      d.name === undefined
        ? `Cannot call the tool: it has several functions, and none was named${knownFunctions(d.known)}`
        : `Cannot call the function ${quote(d.name)}: the tool has none of that name${knownFunctions(d.known)}`,
    hint: () => "name one of its functions, with: --function NAME",
    agentHint: () => "list the tools again: the user may have replaced it",
    agentMayRead: true,
  },
  TOOL_DISABLED: {
    text: (d) => `Cannot run the tool ${quote(d.id)}: it is disabled`,
    hint: (d) => `enable it with: kami enable ${clean(d.id)}`,
    agentHint: () => "ask the user to enable it",
    agentMayRead: true,
  },
  INPUT_NOT_JSON: {
    text: (d) => `Cannot use the input from ${clean(d.source)}: ${clean(d.problem)}`,
    hint: () => `give JSON text, for example: --input '{"name": "value"}'`,
    agentHint: () => "send the arguments as a JSON object",
    agentMayRead: true,
  },
  INPUT_TOO_LARGE: {
    text: (d) =>
      d.bytes === undefined
        ? `Cannot use the input: it has more than ${d.limitBytes} bytes, which is the limit`
        : `Cannot use the input: it has ${d.bytes} bytes, the limit is ${d.limitBytes}`,
    hint: () => "send less at once",
    agentMayRead: true,
  },
  INPUT_INVALID: {
    text: (d) => `Cannot use the input: ${quote(d.field)} ${clean(d.problem)}`,
    hint: (d) => {
      const inspect = d.tool === undefined ? [] : [`see the tool's arguments with: kami inspect ${clean(d.tool)}`];
      const hints = [...(d.isPiped === true ? ["to read the pipe: --input-file -"] : []), ...inspect];
      return hints.length === 0 ? undefined : hints.join("; ");
    },
    agentHint: () => "see the tool's input schema",
    agentMayRead: true,
  },
  RESULT_TOO_LARGE: {
    text: (d) => `Cannot return the result: it has ${d.bytes} bytes, the limit is ${d.limitBytes}`,
    hint: () => "ask the tool for less",
    agentMayRead: true,
  },
  RESULT_INVALID: {
    text: (d) => `Cannot use the tool's result: ${quote(d.field)} ${clean(d.problem, 300)}`,
    hint: () => "it breaks the output schema that the tool itself has given: report it to its author",
    agentMayRead: true,
  },
  TOOL_ERROR: { text: (d) => clean(d.message, 4000) || "The tool failed without a message", agentMayRead: true },
  TOOL_EXIT: {
    text: (d) => `The tool ended with exit code ${d.exitCode}${d.message === "" ? "" : `: ${clean(d.message)}`}`,
    agentMayRead: true,
  },
  FUEL_EXHAUSTED: {
    text: (d) => `Cannot finish the call: all ${d.fuelLimit} fuel is used up`,
    hint: () => raise("--fuel N", "max_fuel"),
    agentHint: lessWork,
    agentMayRead: true,
  },
  DEADLINE_EXCEEDED: {
    text: (d) => `Cannot finish the call: it ran longer than ${d.limitMs} ms`,
    hint: () => raise("--timeout-ms N", "max_execution_ms"),
    agentHint: lessWork,
    agentMayRead: true,
  },
  MEMORY_EXHAUSTED: {
    text: (d) => `Cannot finish the call: it needs more than ${mib(d.limitBytes)} of memory`,
    hint: () => raise("--memory-mb N", "max_memory_mb"),
    agentHint: () => "send less at once, or ask the user to raise the tool's limits",
    agentMayRead: true,
  },
  STACK_OVERFLOW: {
    text: () => "The tool crashed: its recursion is too deep for the stack",
    hint: afterCrash,
    agentMayRead: true,
  },
  GUEST_UNREACHABLE: {
    text: () => "The tool crashed: it executed an unreachable instruction",
    hint: afterCrash,
    agentMayRead: true,
  },
  GUEST_OUT_OF_BOUNDS: {
    text: (d) => `The tool crashed: out-of-bounds ${clean(d.what)} access`,
    hint: afterCrash,
    agentMayRead: true,
  },
  GUEST_DIVIDE_BY_ZERO: { text: () => "The tool crashed: it divided by zero", hint: afterCrash, agentMayRead: true },
  GUEST_TRAP: { text: (d) => `The tool crashed: ${reason(d)}`, hint: afterCrash, agentMayRead: true },
  CAPABILITY_DENIED: {
    text: (d) => `The tool was stopped: it asked for ${clean(d.capability)}, which is denied`,
    hint: () => "use the tool for what works without it, or see what it may be granted with: kami grants",
    agentHint: () => "use the tool for what works without it",
    agentMayRead: true,
  },
  GRANT_REFUSED: {
    text: (d) => `Cannot grant ${quote(d.capability)} to ${quote(d.tool)}: ${reason(d)}`,
    hint: (d) => `see what it asks for with: kami grants ${clean(d.tool)}`,
    agentMayRead: false,
  },
  CONSENT_NEEDED: {
    text: (d) =>
      `Cannot install ${quote(d.tool)}: it asks for ${clean(d.requests) || "something"}, and there is nobody to ask on a terminal`,
    hint: (d) =>
      `say what it gets: --grant all, --grant none, or what you choose of: ${clean(d.flags) || "--grant <name>"}`,
    agentMayRead: false,
  },
  MOUNT_REFUSED: {
    text: (d) => `Cannot let a tool use the directory ${quote(d.path)}: ${reason(d)}`,
    hint: () => "name another directory, or take it back with: kami revoke <id> fs:<path>",
    agentMayRead: false,
  },
  APPROVAL_NEEDED: {
    text: (d) => `Cannot call ${quote(d.tool)} without its user's approval: ${reason(d)}`,
    hint: (d) => `for all its calls: ${clean(d.command, 800)}`,
    agentHint: () => "the user finds in KAMI's log how to allow it",
    agentMayRead: true,
  },
  APPROVAL_DENIED: {
    text: (d) => `Cannot call ${quote(d.tool)}: its user did not allow this call`,
    agentMayRead: true,
  },
  ELICITATION_NEEDED: {
    text: (d) =>
      `Cannot end the call of ${quote(d.tool)}: it asks its user ${quote(d.message)}, who cannot be asked here`,
    hint: () => "call it over MCP from a client that shows forms, or on a terminal with: kami exec",
    agentHint: () => "the user can call it from a client that shows forms",
    agentMayRead: true,
  },
  ELICITATION_INVALID: {
    text: (d) => `Cannot ask the user what ${quote(d.tool)} wants: ${clean(d.field)} ${clean(d.problem)}`,
    hint: () => "its author can mend it: see docs/DEVELOPER.md",
    agentHint: () => "this is a mistake of the tool: it cannot be mended with other arguments",
    agentMayRead: true,
  },
  CANCELLED: { text: () => "The call was cancelled", agentMayRead: true },
  BUSY: {
    text: (d) => `Cannot start the call: the queue is full, retry in ${d.retryAfterMs} ms`,
    hint: () => "send fewer calls at once, or raise --concurrency",
    agentHint: () => "send fewer calls at once",
    agentMayRead: true,
  },
  WORKER_LOST: {
    text: (d) => `Cannot finish the call: its worker was lost (${reason(d)})`,
    hint: () => "call again",
    agentMayRead: true,
  },
  EXECUTOR_LOST: {
    text: (d) => `Cannot finish the call: its executor process was lost (${reason(d)})`,
    hint: () => "call again",
    agentMayRead: true,
  },
  CLIENT_CONFIG: {
    text: (d) => `Cannot change ${quote(d.path)}: ${reason(d)}`,
    hint: (d) => `mend it, or add by hand what this prints: kami connect ${clean(d.client, 40)} --print`,
    agentMayRead: false,
  },
  LISTEN_FAILED: {
    text: (d) => `Cannot listen on ${quote(d.address)}: ${reason(d)}`,
    hint: () => "choose another --port, --host or --unix",
    agentMayRead: false,
  },
  LISTEN_EXPOSED: {
    text: (d) => `Cannot listen on ${quote(d.address)}: other machines reach it, and nothing would be encrypted`,
    hint: () =>
      "give --tls-cert and --tls-key; or --plain-http when a proxy in front of it does TLS; or leave out --host",
    agentMayRead: false,
  },
  TOKENS_UNUSABLE: {
    text: (d) => `Cannot use the tokens in ${quote(d.path)}: ${reason(d)}`,
    hint: () => "check the file and its permissions (chmod 600), or remove it",
    agentMayRead: false,
  },
  TOKEN_EXISTS: {
    text: (d) => `Cannot make the token ${quote(d.name)}: there is one of that name`,
    hint: (d) => `choose another name, or revoke it with: kami token revoke ${clean(d.name)}`,
    agentMayRead: false,
  },
  TOKEN_UNKNOWN: {
    text: (d) => `Cannot revoke the token ${quote(d.name)}: there is none of that name`,
    hint: (d) =>
      d.nearest === undefined ? "see the tokens with: kami token list" : `did you mean ${quote(d.nearest)}?`,
    agentMayRead: false,
  },
  ISSUER_UNUSABLE: {
    text: (d) => `Cannot check the token: the issuer's keys cannot be had (${reason(d)})`,
    hint: () => "try again; if it stays so, check --auth-issuer",
    agentHint: () => "try again",
    agentMayRead: true,
  },
  HTTP_UNAUTHORIZED: {
    text: (d) => `Cannot serve the request: ${reason(d)}`,
    hint: () => "send a valid token in the header: Authorization: Bearer <token>",
    agentMayRead: true,
  },
  HTTP_SCOPE: {
    text: () => "Cannot serve the request: the token's scopes name no tool",
    hint: () => 'ask the issuer for the scope "tools", or "tool:<id>" for each tool',
    agentMayRead: true,
  },
  HTTP_HOST: {
    text: (d) => `Cannot serve the request: ${quote(d.host)} is not a name of this server`,
    hint: () => "use the address that the server printed, or start it with: --allow-host <name>",
    agentHint: () => "use the address that the server printed",
    agentMayRead: true,
  },
  HTTP_ORIGIN: {
    text: (d) => `Cannot serve the request: web pages of ${quote(d.origin)} may not use this server`,
    hint: () => "if they should, start the server with: --allow-origin <origin>",
    agentHint: () => "ask whoever runs the server to allow the origin",
    agentMayRead: true,
  },
  HTTP_PATH: {
    text: (d) => `Cannot serve the request: there is nothing at ${quote(d.target)}`,
    hint: () => "MCP is served at /mcp",
    agentMayRead: true,
  },
  HTTP_METHOD: {
    text: (d) => `Cannot serve the request: ${quote(d.method)} is not served here`,
    hint: () => "send MCP messages with POST",
    agentMayRead: true,
  },
  HTTP_MEDIA_TYPE: {
    text: () => "Cannot read the request: its content is not application/json",
    hint: () => "send the header: Content-Type: application/json",
    agentMayRead: true,
  },
  HTTP_BODY_TOO_LARGE: {
    text: (d) => `Cannot read the request: it has more than ${d.limitBytes} bytes, which is the limit`,
    hint: () => "send less at once",
    agentMayRead: true,
  },
  HTTP_BODY_TIMEOUT: {
    text: (d) => `Cannot read the request: its body did not arrive within ${d.limitMs} ms`,
    hint: () => "send the body without pauses",
    agentMayRead: true,
  },
  HTTP_BODY_INVALID: {
    text: (d) => `Cannot read the request: ${clean(d.problem)}`,
    hint: () => "send one JSON-RPC message as UTF-8 JSON",
    agentMayRead: true,
  },
  HTTP_MESSAGE_INVALID: {
    text: (d) => `Cannot serve the request: ${clean(d.problem)}`,
    hint: () => "send one JSON-RPC 2.0 message a request, with an id that is not in use",
    agentMayRead: true,
  },
  HTTP_SESSION_UNKNOWN: {
    text: () => "Cannot serve the request: its session has ended, or never was",
    hint: () => "start a new session with: initialize",
    agentMayRead: true,
  },
  HTTP_RATE_LIMITED: {
    text: (d) => `Cannot serve the request: too many ${clean(d.what)}, retry in ${d.retryAfterMs} ms`,
    hint: () => "send fewer at a time",
    agentMayRead: true,
  },
  HTTP_OVERLOADED: {
    text: (d) => `Cannot serve the request: ${clean(d.what)}, retry in ${d.retryAfterMs} ms`,
    hint: () => "send fewer at a time, and read the answers",
    agentMayRead: true,
  },
  HTTP_DRAINING: {
    text: () => "Cannot serve the request: the server is about to end",
    hint: () => "try again when it is back",
    agentMayRead: true,
  },
};

/** An outcome of KAMI's domain that is not success. Never a bug of KAMI's (a plain `Error`) nor of its caller (`TypeError`). */
export class Failure<C extends FailureCode = FailureCode> extends Error {
  readonly code: C;
  readonly detail: FailureDetail<C>;
  /** What to do about it, when there is something. */
  readonly hint: string | undefined;
  /** Which of the guest's functions it happened in, when that is known: `in "parse" (called from "run")`. Who may read it: as `message`. */
  readonly where: string | undefined;
  /** What an agent can do about it, when there is something. */
  readonly agentHint: string | undefined;
  /** Whether a model may read `message` and `agentHint`. */
  readonly agentMayRead: boolean;

  constructor(code: C, detail: FailureDetail<C>, options?: ErrorOptions) {
    const entry: Entry<FailureDetail<C>> = TABLE[code];
    super(entry.text(detail), options);
    this.name = "Failure";
    this.code = code;
    this.detail = detail;
    this.hint = entry.hint?.(detail);
    this.where = "frames" in detail ? placeOf(detail) : undefined;
    this.agentHint = entry.agentHint?.(detail) ?? this.hint;
    this.agentMayRead = entry.agentMayRead;
  }
}

/**
 * Makes the failure for a code, ready to be thrown.
 *
 * @param code - A code of the table.
 * @param detail - What its text needs.
 * @param cause - The foreign error behind it, when there is one.
 */
export function refuse<C extends FailureCode>(code: C, detail: FailureDetail<C>, cause?: unknown): Failure<C> {
  return new Failure(code, detail, cause === undefined ? undefined : { cause });
}

/** Whether a string is one of the table's codes. */
export function isFailureCode(code: string): code is FailureCode {
  return Object.hasOwn(TABLE, code);
}

/** All codes, for tests and documentation. */
export function failureCodes(): readonly FailureCode[] {
  return Object.keys(TABLE).filter(isFailureCode);
}

/** Names the functions that a call ended in. */
function placeOf({ frames = [] }: GuestPlace): string | undefined {
  const [innermost, ...callers] = frames.slice(0, FRAMES_SHOWN).map(frameOf);
  if (innermost === undefined) return undefined;
  return callers.length === 0 ? `in ${innermost}` : `in ${innermost} (called from ${callers.join(" < ")})`;
}

/** A function without a name goes by its index in the core module that the author built. */
function frameOf(name: string): string {
  const index = /^#(\d+)$/.exec(name)?.[1];
  return index === undefined ? `"${clean(name, FRAME_NAME_SHOWN)}"` : `function ${index}`;
}

/** Most functions of a tool that a message names. */
const FUNCTIONS_SHOWN = 8;

function knownFunctions(known: readonly string[]): string {
  const more = known.length > FUNCTIONS_SHOWN ? `, and ${known.length - FUNCTIONS_SHOWN} more` : "";
  return ` (it has ${known
    .slice(0, FUNCTIONS_SHOWN)
    .map((name) => clean(name, 60))
    .join(", ")}${more})`;
}

function exportsOf(names: readonly string[]): string {
  if (names.length === 0) return "";
  return ` (it exports ${clean(names.slice(0, 8).join(", "))}${names.length > 8 ? ", …" : ""})`;
}
