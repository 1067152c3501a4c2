/**
 * Gates: core functions in front of those that may suspend, which ask first whether the call is allowed. Made of core code, because the engine asks
 * before it calls anything of ours: where nothing can be suspended (an allocator, a post-return function) it throws what a guest can catch.
 *
 * Source: WebAssembly JavaScript Promise Integration, `WebAssembly.Suspending`; WebAssembly 3.0, 5.5 Modules.
 */
import { Writer } from "../../wasm/writer.ts";
import type { CoreType } from "./codec.ts";
import type { CoreItem, Step } from "./plan.ts";
import type { Shape } from "./shape.ts";

/** The core type of a function. */
export interface CoreSignature {
  readonly parameters: readonly CoreType[];
  readonly result: CoreType | undefined;
}

/** The gates of a component. */
export interface Gates {
  readonly module: WebAssembly.Module;
  /** Numbers of the gates, by what stands behind them. */
  readonly numbers: ReadonlyMap<CoreItem, number>;
}

/** Both sides of a gate. */
export interface Gate {
  /** Ends the call when it is not allowed. */
  readonly check: () => void;
  /** Marked for the engine. */
  readonly run: WebAssembly.ImportValue;
}

const PREAMBLE = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
/** A section without names: a trace leaves out functions that have none. */
const NO_NAMES = [0x00, 0x08, 0x04, 0x6e, 0x61, 0x6d, 0x65, 0x00, 0x01, 0x00];
const CORE_TYPES: Readonly<Record<CoreType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c };
const FUNCTION = 0x00;

/** The core type by which core code imports a function. Source: CanonicalABI.md, `flatten_functype`. */
export function coreSignature({ parameters, spilled, result, isResultStored }: Shape): CoreSignature {
  const flat: readonly CoreType[] = spilled === undefined ? parameters.flatMap((codec) => codec.flat ?? []) : ["i32"];
  return isResultStored
    ? { parameters: [...flat, "i32"], result: undefined }
    : { parameters: flat, result: result?.flat?.[0] };
}

/**
 * Makes the gates that a plan needs.
 *
 * @param signatureOf - The core type of what may suspend; undefined for all else.
 * @returns Undefined when nothing may suspend.
 */
export function makeGates(
  steps: readonly Step[],
  signatureOf: (item: CoreItem) => CoreSignature | undefined,
): Gates | undefined {
  const numbers = new Map<CoreItem, number>();
  const signatures: CoreSignature[] = [];
  for (const item of steps.flatMap(itemsOf)) {
    const signature = numbers.has(item) ? undefined : signatureOf(item);
    if (signature !== undefined) numbers.set(item, signatures.push(signature) - 1);
  }
  return signatures.length === 0 ? undefined : { module: new WebAssembly.Module(encode(signatures)), numbers };
}

/** Opens the gates for one instance. @returns The functions of the gates, by their numbers. */
export function openGates({ module, numbers }: Gates, open: (item: CoreItem) => Gate): WebAssembly.ExportValue[] {
  const checks: WebAssembly.ModuleImports = {};
  const runs: WebAssembly.ModuleImports = {};
  for (const [item, number] of numbers) {
    const { check, run } = open(item);
    checks[number] = check;
    runs[number] = run;
  }
  const { exports } = new WebAssembly.Instance(module, { check: checks, run: runs });
  return Array.from({ length: numbers.size }, (_, number) => exports[number] ?? missing());
}

function itemsOf({ imports }: Step): readonly CoreItem[] {
  return imports.flatMap(([, from]) => (typeof from === "number" ? [] : from.map(([, item]) => item)));
}

/** Imports `check` and `run` of each gate, in this order; calls one after the other. */
function encode(signatures: readonly CoreSignature[]): Uint8Array<ArrayBuffer> {
  const count = signatures.length;
  const out = new Writer();
  const section = (id: number, entries: number, write: (content: Writer) => void): void => {
    const content = new Writer();
    content.u32(entries);
    write(content);
    out.u8(id);
    out.u32(content.length);
    out.copy(content.finish());
  };
  out.copy(Uint8Array.from(PREAMBLE));
  section(1, count + 1, (content) => {
    writeType(content, { parameters: [], result: undefined });
    for (const signature of signatures) writeType(content, signature);
  });
  section(2, count * 2, (content) => {
    for (const number of signatures.keys()) writeImport(content, ["check", number], 0);
    for (const number of signatures.keys()) writeImport(content, ["run", number], number + 1);
  });
  section(3, count, (content) => {
    for (const number of signatures.keys()) content.u32(number + 1);
  });
  section(7, count, (content) => {
    for (const number of signatures.keys()) {
      content.name(String(number));
      content.u8(FUNCTION);
      content.u32(count * 2 + number);
    }
  });
  section(10, count, (content) => {
    for (const [number, { parameters }] of signatures.entries()) {
      const body = writeBody(number, { count, parameters: parameters.length });
      content.u32(body.length);
      content.copy(body);
    }
  });
  out.copy(Uint8Array.from(NO_NAMES));
  return Uint8Array.from(out.finish());
}

function writeType(out: Writer, { parameters, result }: CoreSignature): void {
  out.u8(0x60);
  out.u32(parameters.length);
  for (const type of parameters) out.u8(CORE_TYPES[type]);
  out.u32(result === undefined ? 0 : 1);
  if (result !== undefined) out.u8(CORE_TYPES[result]);
}

function writeImport(out: Writer, [module, number]: readonly [string, number], type: number): void {
  out.name(module);
  out.name(String(number));
  out.u8(FUNCTION);
  out.u32(type);
}

function writeBody(number: number, { count, parameters }: { count: number; parameters: number }): Uint8Array {
  const body = new Writer();
  // No locals.
  body.u32(0);
  body.u8(0x10);
  body.u32(number);
  for (let index = 0; index < parameters; index++) {
    body.u8(0x20);
    body.u32(index);
  }
  body.u8(0x10);
  body.u32(count + number);
  body.u8(0x0b);
  return body.finish();
}

function missing(): never {
  throw new Error("BUG: a gate is not there");
}
