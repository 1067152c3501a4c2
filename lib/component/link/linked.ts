/**
 * A component's instance for one call: its core instances, linked to each other and to the host by lifting and lowering. On the guest's side
 * of the trust boundary: what core code passes is checked here, and nothing of it is code.
 *
 * Source: WebAssembly Component Model, CanonicalABI.md, `canon_lift`, `canon_lower`, `canon_resource_new` and the like.
 */
import { CoreValues } from "./codec.ts";
import { type ComponentInstance, Context, type CoreCallable, type Payer, type Side } from "./context.ts";
import { type HandleCount, Handles } from "./handles.ts";
import { ResultError } from "./host.ts";
import type { Linker, PreparedFunction } from "./linker.ts";
import type { CoreExport, CoreFunction, CoreItem, Options, Step } from "./plan.ts";
import { liftParameters, liftResult, lowerParameters, lowerResult, type Shape } from "./shape.ts";
import type { ResourceId } from "./type.ts";

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

type Lifted<Call> = Extract<PreparedFunction<Call>, { from: "lift" }>;
type Served<Call> = Extract<PreparedFunction<Call>, { from: "host" }>;

/** One instance. */
export class Linked<Call> implements Payer {
  readonly #linker: Linker<Call>;
  readonly #call: LinkedCall<Call>;
  readonly #exports: WebAssembly.Exports[] = [];
  readonly #instances: ComponentInstance[] = [];
  readonly #handleCount: HandleCount = { held: 0 };

  constructor(linker: Linker<Call>, call: LinkedCall<Call>) {
    this.#linker = linker;
    this.#call = call;
  }

  /** Makes the core instances, and runs their start functions. @returns A promise only when the component may block. */
  make(): Promise<void> | undefined {
    const { steps } = this.#linker.plan;
    if (this.#linker.mayBlock) return this.#makeBlocking(steps);
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
    const prepared = this.#linker.functions[number];
    if (prepared?.from !== "lift") throw new Error("BUG: an export that is not lifted");
    return this.#linker.mayBlock ? this.#callBlocking(prepared, values) : this.#callNow(prepared, values);
  }

  chargeBytes(count: number): void {
    this.#call.chargeBytes(count);
  }

  trap(reason: string): never {
    return this.#call.trap(reason);
  }

  refuseResult(bytes: number): never {
    return this.#call.refuseResult(bytes);
  }

  definerOf(resource: ResourceId): number | undefined {
    return typeof resource === "number" ? this.#linker.plan.resources[resource]?.instance : undefined;
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
    const { exports, start } = this.#call.instantiateCore(module, linked);
    this.#exports.push(exports);
    return start;
  }

  #collect(items: readonly (readonly [string, CoreItem])[]): WebAssembly.ModuleImports {
    const collected: WebAssembly.ModuleImports = Object.create(null);
    for (const [name, item] of items)
      collected[name] = item.from === "export" ? this.#export(item) : this.#coreFunction(item);
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

  /** A core function as core code imports it: one that may suspend is marked for the engine. */
  #coreFunction(planned: CoreFunction): WebAssembly.ImportValue {
    switch (planned.from) {
      case "export":
        return this.#export(planned);
      case "lower":
        return this.#lower(planned.function, planned.options);
      case "resource.new":
        return this.#resourceNew(planned);
      case "resource.rep":
        return this.#resourceRep(planned);
      case "resource.drop":
        return this.#resourceDrop(planned);
    }
  }

  /** The same, as JavaScript calls it. */
  #callable(planned: CoreExport): CoreCallable {
    const value: unknown = this.#export(planned);
    if (!isCallable(value)) throw new Error("BUG: a plan calls what is no function of a core instance");
    return value;
  }

  #instance(number: number): ComponentInstance {
    const known = this.#instances[number];
    if (known !== undefined) return known;
    const made = { number, handles: new Handles(this.#handleCount), mayLeave: true, isEntered: false };
    this.#instances[number] = made;
    return made;
  }

  #side(options: Options): Side {
    const memory: unknown = options.memory === null ? undefined : this.#export(options.memory);
    return {
      instance: this.#instance(options.instance),
      memory: memory instanceof WebAssembly.Memory ? memory : undefined,
      realloc: options.realloc === null ? undefined : this.#callable(options.realloc),
      encoding: options.encoding,
    };
  }

  #lower(number: number, options: Options): WebAssembly.ImportValue {
    const prepared = this.#linker.functions[number];
    if (prepared === undefined) throw new Error("BUG: a plan lowers a function that it does not have");
    if (prepared.from === "host") {
      const lowered = this.#lowerHost(prepared, options);
      return prepared.served.suspends ? suspending(lowered) : lowered;
    }
    if (prepared.from === "nobody") return () => this.#refuse(prepared);
    const lowered = this.#lowerGuest(prepared, options);
    return this.#linker.mayBlock ? suspending(lowered) : lowered;
  }

  #refuse(prepared: Extract<PreparedFunction<Call>, { from: "nobody" }>): never {
    this.#call.enter();
    if (prepared.isMistyped)
      this.trap(`it imports ${prepared.interface} ${prepared.name} with types that it does not have`);
    return this.#call.deny(prepared.interface, prepared.name);
  }

  #lowerHost({ name, served, shape }: Served<Call>, options: Options): CoreCallable {
    // Not resolved yet: memory and allocator may be of a core instance that is made later.
    let side: Side | undefined;
    return (...core) => {
      side ??= this.#side(options);
      this.#leave(side.instance, name);
      const context = new Context(side, this, true);
      const values = new CoreValues(core);
      const args = liftParameters(context, shape, values);
      context.giveBack();
      const give = (value: unknown): unknown => lowerResult(context, shape, { value, core: values });
      const value = settle(shape, () => Reflect.apply(served.run, undefined, [this.#call.host, ...args]) as unknown);
      return value instanceof Promise ? this.#call.suspend(value).then(give) : give(value);
    };
  }

  /** A component calls another one: its values are lifted here, and lowered there. */
  #lowerGuest(target: Lifted<Call>, options: Options): CoreCallable {
    let side: Side | undefined;
    return (...core) => {
      side ??= this.#side(options);
      this.#leave(side.instance, "another component");
      const context = new Context(side, this, false);
      const values = new CoreValues(core);
      const args = liftParameters(context, target.shape, values);
      const give = (value: unknown): unknown => {
        context.giveBack();
        return lowerResult(context, target.shape, { value, core: values });
      };
      return this.#linker.mayBlock ? this.#callBlocking(target, args).then(give) : give(this.#callNow(target, args));
    };
  }

  /** Source: CanonicalABI.md: `trap_if(not inst.may_leave)`. */
  #leave(instance: ComponentInstance, name: string): void {
    this.#call.enter();
    if (!instance.mayLeave) this.trap(`it called ${name} from its allocator`);
  }

  #callNow(target: Lifted<Call>, values: readonly unknown[]): unknown {
    const { context, args, core } = this.#enter(target, values);
    return this.#finish(target, context, core(...args));
  }

  async #callBlocking(target: Lifted<Call>, values: readonly unknown[]): Promise<unknown> {
    const { context, args, core } = this.#enter(target, values);
    return this.#finish(target, context, await promising(core)(...args));
  }

  #enter({ planned, shape }: Lifted<Call>, values: readonly unknown[]) {
    const side = this.#side(planned.options);
    if (side.instance.isEntered) this.trap("it broke the component ABI: a call that is not allowed at that point");
    side.instance.isEntered = true;
    const context = new Context(side, this, false);
    return { context, args: lowerParameters(context, shape, values), core: this.#callable(planned.core) };
  }

  #finish({ planned, shape }: Lifted<Call>, context: Context, returned: unknown): unknown {
    const value = liftResult(context, shape, returned);
    const { instance } = context;
    if (planned.options.postReturn !== null) {
      const postReturn = this.#callable(planned.options.postReturn);
      instance.mayLeave = false;
      if (typeof returned === "number" || typeof returned === "bigint") postReturn(returned);
      else postReturn();
      instance.mayLeave = true;
    }
    if (context.scope.borrowed > 0) context.refuse("a borrowed handle that it kept");
    instance.isEntered = false;
    return value;
  }

  #resourceNew({ resource, instance }: ResourceFunction): CoreCallable {
    return (representation) => {
      const { handles } = this.#instance(instance);
      return handles.add(
        { payer: this },
        { resource, representation: Number(representation), scope: undefined, lent: 0 },
      );
    };
  }

  #resourceRep({ resource, instance }: ResourceFunction): CoreCallable {
    return (index) =>
      this.#instance(instance).handles.get({ payer: this }, Number(index) >>> 0, resource).representation;
  }

  #resourceDrop({ resource, instance }: ResourceFunction): WebAssembly.ImportValue {
    const planned = typeof resource === "number" ? this.#linker.plan.resources[resource] : undefined;
    const destructor = planned?.destructor ?? undefined;
    const drop = (index: unknown): unknown => {
      const holder = this.#instance(instance);
      this.#leave(holder, "resource.drop");
      const { scope, representation } = holder.handles.remove({ payer: this }, Number(index) >>> 0, resource);
      if (scope !== undefined) scope.borrowed -= 1;
      else if (typeof representation === "number") return destructor && this.#destroy(destructor, representation);
      else if (isDisposable(representation)) representation[Symbol.dispose]();
      return undefined;
    };
    return destructor !== undefined && this.#linker.mayBlock ? suspending(drop) : drop;
  }

  #destroy(planned: CoreExport, representation: number): unknown {
    const destructor = this.#callable(planned);
    return this.#linker.mayBlock ? promising(destructor)(representation) : destructor(representation);
  }
}

type ResourceFunction = Extract<CoreFunction, { readonly resource: string | number }>;

/** Runs a function of the host's. The error of one that can fail becomes a value. */
function settle({ isFallible }: Shape, run: () => unknown): unknown {
  if (!isFallible) return run();
  const succeed = (value: unknown): unknown => ({ tag: "ok", value });
  const fail = (error: unknown): unknown => {
    if (error instanceof ResultError) return { tag: "error", value: error.payload };
    throw error;
  };
  try {
    const value = run();
    return value instanceof Promise ? value.then(succeed, fail) : succeed(value);
  } catch (error) {
    return fail(error);
  }
}

function isCallable(value: unknown): value is CoreCallable {
  return typeof value === "function";
}

function isDisposable(value: object): value is Disposable {
  return Symbol.dispose in value;
}

/** What JavaScript Promise Integration adds to the engine. */
interface Integration {
  readonly Suspending: new (run: (...values: never[]) => unknown) => WebAssembly.ImportValue;
  promising(run: CoreCallable): (...values: (number | bigint)[]) => Promise<unknown>;
}

/** Marks an import that may suspend its caller. Source: WebAssembly JavaScript Promise Integration, `WebAssembly.Suspending`. */
function suspending(run: (...values: never[]) => unknown): WebAssembly.ImportValue {
  return new (WebAssembly as unknown as Integration).Suspending(run);
}

/** Makes an export that may be suspended. Source: WebAssembly JavaScript Promise Integration, `WebAssembly.promising`. */
function promising(run: CoreCallable): (...values: (number | bigint)[]) => Promise<unknown> {
  return (WebAssembly as unknown as Integration).promising(run);
}
