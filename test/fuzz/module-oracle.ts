/**
 * Test support: judges what becomes of one core module.
 *
 * Users meet a pipeline (`lib/component/`): the meter on what was read, the engine's validation, jco, the meter on what jco gives, and
 * validation again. So that both readings of the promise hold, the meter alone is judged on every mutation, valid or not:
 *
 * 1. It ends with a `Failure` that has a reason, or with bytes; never with another error, and in time.
 * 2. If the engine takes the mutation, it takes the bytes. Their imports and exports are then the mutation's and KAMI's own.
 * 3. If the engine takes the mutation, the meter refuses it for what KAMI does not run or for a limit, not as malformed. Where the engine
 *    takes more than the standard does, {@link LENIENT} says so.
 * 4. If the engine refuses the mutation, it refuses the bytes as well: what the meter heals by accident would pass wherever the
 *    validation was forgotten. What it does heal is listed in {@link HEALED}, with the reason why that does no harm.
 */
import { Failure } from "../../lib/errors.ts";
import { METER_EXPORTS, METER_MODULE } from "../../lib/wasm/layout.ts";
import { SIGNAL_MEMORY } from "../../lib/wasm/signal.ts";
import { type MeteredModule, meterModule } from "../../lib/wasm/meter.ts";
import { readUnsigned } from "./binary.ts";
import type { Verdict } from "./verdict.ts";

/** What the engine says of mutations that are valid once metered, and why that does no harm. */
const HEALED: readonly (readonly [says: RegExp, why: string])[] = [
  // Function types are structural, and KAMI's take and give i32 only: whoever names one could have defined it.
  [
    /(?:Function|Exception) type number is invalid|signature index \d+ exceeds|call_ref index \d+ is out of bounds|invalid function signature for/,
    "a type index is that of one of KAMI's types",
  ],
  [
    /ref\.null heaptype must be|can't get (?:heap|inline|Function local's) type|can't get \w+'s signature/,
    "a type index is that of one of KAMI's types",
  ],
  // The host calls the export without arguments, and looks at no result.
  [/^doesn't parse at byte \d+: Start function can't/, "a start function of another type becomes an export"],
  [/^doesn't validate: ref\.func index \d+ isn't declared/, "the export of the start function declares it"],
  // A function that catches has one more local. A component's modules are validated before they are metered.
  [/attempt to use unknown local/, "a local is the one in which a handler finds the stack"],
  [/Memory's maximum page count of \d+ is invalid/, "a memory's maximum is lowered to what there can be"],
  [/parsing ended before the end of (?:Memory|Start) section/, "what follows a memory or a start index is not copied"],
];

/** What the meter says of mutations that the engine takes although they are malformed. */
const LENIENT: readonly RegExp[] = [
  // Source: WebAssembly 3.0, 3.4.2: the labels of a branch table and the types of objects have to exist in dead code too, where the engine
  // does not look at them.
  /: a branch to a block that is not open at byte/,
  /: type \d+ is no (?:array|struct) type at byte/,
  /: tag \d+ does not exist at byte/,
  // Source: the same, 5.4.1: an else or a handler belongs to an if or a try.
  /: an else without an if at byte/,
  /: a handler without a try at byte/,
];

/** Codes for what is well-formed, but not run. */
const NOT_RUN: ReadonlySet<string> = new Set(["COMPONENT_UNSUPPORTED", "COMPONENT_LIMIT", "INSTRUCTION_UNKNOWN"]);
const OWN_EXPORTS: ReadonlySet<string> = new Set(Object.values(METER_EXPORTS));

/** Judges one module. */
export function judgeModule(bytes: Uint8Array): Verdict {
  const own = new Uint8Array(bytes);
  const metered = meter(own);
  if (metered instanceof Failure && claimsLabels(own))
    return { isValid: false, outcome: `claims many labels, refused: ${metered.code}` };
  const before = compile(own);
  const isValid = before instanceof WebAssembly.Module;
  if (metered instanceof Failure) {
    const { code, message } = metered;
    if (message === "") return { isValid, finding: `${code} without a reason` };
    const isLenient = LENIENT.some((says) => says.test(message));
    if (isValid && !NOT_RUN.has(code) && !isLenient)
      return { isValid, finding: `valid, but refused: ${code}: ${message}` };
    const state = isLenient && isValid ? "valid to the engine only" : isValid ? "valid" : "invalid";
    return { isValid, outcome: `${state}, refused: ${code}` };
  }
  if (typeof metered === "string") return { isValid, finding: metered };
  const after = compile(new Uint8Array(metered.bytes));
  if (before instanceof WebAssembly.Module) return judgeValid(before, after, metered);
  if (!(after instanceof WebAssembly.Module)) return { isValid, outcome: "invalid, metered, then invalid" };
  const healed = HEALED.find(([says]) => says.test(before));
  if (healed === undefined) return { isValid, finding: `invalid (${before}), but valid once metered` };
  return { isValid, outcome: `invalid, healed: ${healed[1]}` };
}

function judgeValid(before: WebAssembly.Module, after: WebAssembly.Module | string, metered: MeteredModule): Verdict {
  if (!(after instanceof WebAssembly.Module))
    return { isValid: true, finding: `valid, but not once metered: ${after}` };
  const fault = compareImports(before, after, metered) ?? compareExports(before, after);
  return fault === undefined ? { isValid: true, outcome: "valid, metered" } : { isValid: true, finding: fault };
}

const BRANCH_TABLE = 0x0e;
const MANY_LABELS = 1_000_000;

/** The engine asks for 2 GiB when a branch table of a few bytes claims 2^28 labels: it does not get to see such a module. */
function claimsLabels(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(BRANCH_TABLE, 8); at >= 0; at = bytes.indexOf(BRANCH_TABLE, at + 1)) {
    const count = readUnsigned(bytes, at + 1)?.value ?? 0;
    if (count > MANY_LABELS && count < 2 ** 32) return true;
  }
  return false;
}

/** @returns What the engine says, when it refuses the bytes. */
function compile(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module | string {
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return text.replace(/^WebAssembly\.Module /, "").replace(/ \(evaluating .*\)$/s, "");
  }
}

/** @returns A text for what must not happen. */
function meter(bytes: Uint8Array): MeteredModule | Failure | string {
  try {
    return meterModule(bytes, "fuzz");
  } catch (error) {
    if (error instanceof Failure) return error;
    return `the meter throws ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}

function compareImports(
  before: WebAssembly.Module,
  after: WebAssembly.Module,
  metered: MeteredModule,
): string | undefined {
  const imports = WebAssembly.Module.imports(after);
  const added = imports.filter(({ module }) => module === METER_MODULE);
  const kept = imports.filter(({ module }) => module !== METER_MODULE);
  const memories = added.flatMap(({ name, kind }) => (kind === "memory" ? [name] : []));
  const hasCode = added.some(({ kind }) => kind === "function");
  const expected = [...metered.memories.map((_, index) => `memory${index}`), ...(hasCode ? [SIGNAL_MEMORY] : [])];
  if (memories.join() !== expected.join()) return `the memories are ${memories.join()}, not ${expected.join()}`;
  const others = added.filter(({ kind }) => kind !== "memory" && kind !== "function");
  if (others.length > 0) return `KAMI imports ${JSON.stringify(others)}`;
  return difference("imports", WebAssembly.Module.imports(before), kept);
}

function compareExports(before: WebAssembly.Module, after: WebAssembly.Module): string | undefined {
  const kept = WebAssembly.Module.exports(after).filter(({ name }) => !OWN_EXPORTS.has(name));
  return difference("exports", WebAssembly.Module.exports(before), kept);
}

function difference(what: string, before: readonly unknown[], after: readonly unknown[]): string | undefined {
  const [was, is] = [JSON.stringify(before), JSON.stringify(after)];
  return was === is ? undefined : `the ${what} were ${was.slice(0, 500)} and are ${is.slice(0, 500)}`;
}
