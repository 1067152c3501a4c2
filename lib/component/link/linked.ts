/**
 * A component's instance for one call: its core instances, linked to each other and to the host by lifting and lowering. On the guest's side
 * of the trust boundary: what core code passes is checked here, and nothing of it is code.
 *
 * Source: WebAssembly Component Model, CanonicalABI.md; Explainer.md, Instance Definitions.
 */
import { type ComponentInstance, type CoreCallable, type Payer, type Side } from "./context.ts";
import { type Gate, openGates } from "./gates.ts";
import { type HandleCount, Handles } from "./handles.ts";
import { promising, suspending } from "./jspi.ts";
import { callLifted } from "./lift.ts";
import type { Linker } from "./linker.ts";
import { lowerFunction, nameOf } from "./lower.ts";
import type { CoreExport, CoreFunction, CoreItem, Options, Step } from "./plan.ts";
import { resourceFunction } from "./resources.ts";
import type { ResourceId } from "../../schema/value-type.ts";

/** A core instance that was made, but for its start function. */
export interface CoreInstance {
  readonly exports: WebAssembly.Exports;
  readonly start: CoreCallable | undefined;
}

/** What the linker needs of the call that it works for. */
export interface LinkedCall<Call> extends Pick<Payer, "chargeBytes" | "trap" | "refuseResult"> {
  /** What the host's functions get. */
  readonly host: Call;
  /** Charges for a call into the host, and ends the call when it must end. */
  enter(): void;
  /** Ends the call: it uses what nobody serves. @param name - Of the function; empty for one without an interface. */
  deny(interfaceName: string, name: string): never;
  /** Waits for the host while the guest is suspended. Rejects with a trap when the call must end. */
  suspend<T>(wait: Promise<T>): Promise<T>;
  /** Makes a core instance. @param module - Number of the module. */
  instantiateCore(module: number, imports: WebAssembly.Imports): CoreInstance;
}

/** One instance. */
export class Linked<Call> implements Payer {
  readonly linker: Linker<Call>;
  readonly call: LinkedCall<Call>;
  readonly #exports: WebAssembly.Exports[] = [];
  readonly #instances: ComponentInstance[] = [];
  #gates: readonly WebAssembly.ExportValue[] | undefined;
  readonly #handleCount: HandleCount = { held: 0 };

  constructor(linker: Linker<Call>, call: LinkedCall<Call>) {
    this.linker = linker;
    this.call = call;
  }

  /** Makes the core instances, and runs their start functions. @returns A promise only when the component may block. */
  make(): Promise<void> | undefined {
    const { steps } = this.linker.plan;
    if (this.linker.mayBlock) return this.#makeBlocking(steps);
    for (const step of steps) this.#makeCore(step)?.();
    return undefined;
  }

  /**
   * Calls an exported function.
   *
   * @param number - Of the function, in the plan.
   * @param values - Of the parameters' types.
   * @returns A value of the result's type; a promise of one when the component may block.
   */
  invoke(number: number, values: readonly unknown[]): unknown {
    const prepared = this.linker.functions[number];
    if (prepared?.from !== "lift") throw new Error("BUG: an export that is not lifted");
    return callLifted(this, prepared, { values, isResult: true });
  }

  chargeBytes(count: number): void {
    this.call.chargeBytes(count);
  }

  trap(reason: string): never {
    return this.call.trap(reason);
  }

  refuseResult(bytes: number): never {
    return this.call.refuseResult(bytes);
  }

  definerOf(resource: ResourceId): number | undefined {
    return typeof resource === "number" ? this.linker.plan.resources[resource]?.instance : undefined;
  }

  /** Finds a core function of a core instance, to be called from here. */
  callable(planned: CoreExport): CoreCallable {
    const value: unknown = this.#export(planned);
    if (!isCallable(value)) throw new Error("BUG: a plan calls what is no function of a core instance");
    return value;
  }

  /** Finds a component instance by its number. */
  instance(number: number): ComponentInstance {
    const known = this.#instances[number];
    if (known !== undefined) return known;
    const made = { number, handles: new Handles(this.#handleCount), busy: undefined, isEntered: false };
    this.#instances[number] = made;
    return made;
  }

  /** Resolves canonical options: what they name has been made. */
  side(options: Options): Side {
    const memory: unknown = options.memory === null ? undefined : this.#export(options.memory);
    return {
      instance: this.instance(options.instance),
      memory: memory instanceof WebAssembly.Memory ? memory : undefined,
      realloc: options.realloc === null ? undefined : this.callable(options.realloc),
      encoding: options.encoding,
    };
  }

  /** Core code calls out of a component. Source: CanonicalABI.md: `trap_if(not inst.may_leave)`. */
  leave(instance: ComponentInstance, name: string): void {
    this.call.enter();
    if (instance.busy !== undefined) this.trap(`it called ${name} ${instance.busy}`);
  }

  async #makeBlocking(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      const start = this.#makeCore(step);
      // oxlint-disable-next-line no-await-in-loop -- in the order of the plan
      if (start !== undefined) await promising(start)();
    }
  }

  #makeCore({ module, imports }: Step): CoreCallable | undefined {
    const linked: WebAssembly.Imports = Object.create(null);
    for (const [name, from] of imports) {
      linked[name] = typeof from === "number" ? this.#exportsOf(from) : this.#collect(from);
    }
    const { exports, start } = this.call.instantiateCore(module, linked);
    this.#exports.push(exports);
    return start;
  }

  #collect(items: readonly (readonly [string, CoreItem])[]): WebAssembly.ModuleImports {
    const collected: WebAssembly.ModuleImports = Object.create(null);
    for (const [name, item] of items) collected[name] = this.#coreItem(item);
    return collected;
  }

  #exportsOf(instance: number): WebAssembly.Exports {
    const exports = this.#exports[instance];
    if (exports === undefined) throw new Error("BUG: a plan uses a core instance before it is made");
    return exports;
  }

  #export({ instance, name }: CoreExport): WebAssembly.ExportValue {
    const exports = this.#exportsOf(instance);
    const value = Object.hasOwn(exports, name) ? exports[name] : undefined;
    if (value === undefined) throw new Error("BUG: a plan uses an export that its core instance does not have");
    return value;
  }

  /** A core item as core code imports it: in front of a function that may suspend is its gate. */
  #coreItem(planned: CoreItem): WebAssembly.ImportValue {
    if (planned.from === "export") return this.#export(planned);
    const { gates } = this.linker;
    const number = gates?.numbers.get(planned);
    if (gates === undefined || number === undefined) return this.#function(planned);
    this.#gates ??= openGates(gates, (item) => this.#gate(item));
    return this.#gates[number] ?? this.#function(planned);
  }

  #gate(planned: CoreItem): Gate {
    if (planned.from === "export") throw new Error("BUG: a gate in front of what a core instance exports");
    const isLowered = planned.from === "lower";
    const instance = this.instance(isLowered ? planned.options.instance : planned.instance);
    const name = isLowered ? nameOf(this.linker.functions[planned.function]) : "resource.drop";
    return { check: () => this.leave(instance, name), run: suspending(this.#function(planned)) };
  }

  #function(planned: Exclude<CoreFunction, CoreExport>): CoreCallable {
    return planned.from === "lower" ? lowerFunction(this, planned) : resourceFunction(this, planned);
  }
}

function isCallable(value: unknown): value is CoreCallable {
  return typeof value === "function";
}
