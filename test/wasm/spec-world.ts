/**
 * Test support: one way to run a file of the WebAssembly specification's test suite: as it is, or metered with slices of one size.
 */
import type { SpecAction, SpecValue } from "../../fixtures/spec/archive.ts";
import { type Compiled, compileMetered, type Grant, MeterHost } from "./meter-host.ts";
import { describeJs, isNumeric, toJs, typeOf } from "./spec-values.ts";
import { callExactly } from "./spec-wrapper.ts";

/** Instances by the names that a file gives them. */
export class World {
  readonly #host: MeterHost | undefined;
  readonly #slice: number | undefined;
  readonly #named = new Map<string, WebAssembly.Instance>();
  /** What the instances were made of, by their names; "" is the last one. */
  readonly #compiled = new Map<string, Compiled>();
  readonly #imports: WebAssembly.Imports = { spectest: makeSpectest() };
  #last: WebAssembly.Instance | undefined;

  /** @param grant - Unmetered when it is missing. */
  constructor(grant?: Grant) {
    this.#host = grant && new MeterHost(grant);
    this.#slice = grant?.slice;
  }

  /** Fuel units used so far; 0 unmetered. */
  get used(): number {
    return this.#host?.used ?? 0;
  }

  /** Compiles, or throws what the meter or the engine says. */
  compile(bytes: Uint8Array<ArrayBuffer>): Compiled {
    if (this.#host !== undefined) return compileMetered(bytes, "spec", this.#slice);
    return { module: new WebAssembly.Module(bytes), memories: [], linked: [] };
  }

  /** Ends it: its instances run no more. */
  [Symbol.dispose](): void {
    this.#host?.[Symbol.dispose]();
  }

  /** Makes an instance. It is the last one, also under its name. */
  instantiate(compiled: Compiled, name: string | undefined): void {
    this.#last = undefined;
    this.#compiled.set("", compiled);
    if (name !== undefined) this.#compiled.set(name, compiled);
    if (name !== undefined) this.#named.delete(name);
    const made =
      this.#host?.instantiate(compiled, this.#imports) ?? new WebAssembly.Instance(compiled.module, this.#imports);
    this.#last = made;
    if (name !== undefined) this.#named.set(name, made);
  }

  /** Makes an instance anew, as it was at first. */
  renew(name: string | undefined): void {
    const compiled = this.#compiled.get(name ?? "");
    if (compiled === undefined) throw new Error(`no module ${name}`);
    this.instantiate(compiled, name);
  }

  /** Lets later modules import from an instance. */
  register(name: string | undefined, as: string): void {
    this.#imports[as] = this.#find(name).exports;
  }

  /** Does what an action says and describes what it gives. */
  act({ type, module, field, args = [] }: SpecAction, expected: readonly SpecValue[] | undefined): string {
    const exported = this.#find(module).exports[field];
    const types = expected?.map(typeOf);
    if (type === "invoke") return invoke(exported, args, types).join(", ");
    if (!(exported instanceof WebAssembly.Global)) throw new Error(`no global ${field}`);
    return describeJs(types?.[0] ?? "", exported.value);
  }

  #find(name: string | undefined): WebAssembly.Instance {
    const found = name === undefined ? this.#last : this.#named.get(name);
    if (found === undefined) throw new Error(`no instance ${name ?? ""}`);
    return found;
  }
}

function invoke(
  callee: WebAssembly.ExportValue | undefined,
  args: readonly SpecValue[],
  types: readonly string[] | undefined,
): readonly string[] {
  if (typeof callee !== "function") throw new Error("no function of that name");
  const all = [...args.map(({ type }) => type), ...(types ?? [])];
  const isExact = all.every(isNumeric) && all.some((type) => type !== "i32" && type !== "i64");
  try {
    if (isExact) return callExactly(callee, args, types);
  } catch (error) {
    // A function whose type is part of a group, or a subtype of another, is not of the wrapper's type.
    if (!(error instanceof WebAssembly.LinkError)) throw error;
  }
  try {
    const result: unknown = callee(...args.map(toJs));
    if (types === undefined) return [String(result)];
    return (types.length === 1 || !Array.isArray(result) ? [result] : result)
      .slice(0, types.length)
      .map((value: unknown, index) => describeJs(types[index] ?? "", value));
  } catch (error) {
    // A result that JavaScript cannot take: only where a trap is expected, because all expected types are known otherwise.
    if (!(error instanceof TypeError) || types !== undefined || !all.every(isNumeric)) throw error;
    return callExactly(callee, args, undefined);
  }
}

const ignore = (): void => undefined;

/** What the suite's modules may import from the host. Source: the suite's own harness for JavaScript. */
function makeSpectest(): WebAssembly.ModuleImports {
  return {
    print: ignore,
    print_i32: ignore,
    print_i64: ignore,
    print_f32: ignore,
    print_f64: ignore,
    print_i32_f32: ignore,
    print_f64_f64: ignore,
    global_i32: new WebAssembly.Global({ value: "i32" }, 666),
    global_i64: new WebAssembly.Global({ value: "i64" }, 666n),
    global_f32: new WebAssembly.Global({ value: "f32" }, 666.6),
    global_f64: new WebAssembly.Global({ value: "f64" }, 666.6),
    table: new WebAssembly.Table({ initial: 10, maximum: 20, element: "anyfunc" }),
    memory: new WebAssembly.Memory({ initial: 1, maximum: 2 }),
  };
}
