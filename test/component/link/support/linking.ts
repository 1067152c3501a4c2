/**
 * Test support: components from text, planned and linked to functions of a test's.
 */
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import type { HostFunction, HostInterface } from "../../../../lib/component/link/host.ts";
import type { CoreInstance, Linked, LinkedCall } from "../../../../lib/component/link/linked.ts";
import { Linker } from "../../../../lib/component/link/linker.ts";
import { planComponent } from "../../../../lib/component/plan/plan.ts";
import { abortGuest } from "../../../../lib/worker/abort.ts";

/** A call: it keeps how it was ended. */
export class TestCall implements LinkedCall<TestCall> {
  readonly host: TestCall = this;
  /** How the call ended, in words; the first stands. */
  ending: string | undefined;
  /** Calls of `enter`. */
  entered = 0;
  chargedBytes = 0;
  suspended = 0;
  readonly instances: CoreInstance[] = [];
  modules: readonly WebAssembly.Module[] = [];

  enter(): void {
    this.entered += 1;
  }

  chargeBytes(count: number): void {
    if (!(count >= 0 && count <= 2 ** 32)) throw new Error(`BUG: a charge for ${count} bytes`);
    this.chargedBytes += count;
  }

  suspend<T>(wait: Promise<T>): Promise<T> {
    this.suspended += 1;
    return wait;
  }

  instantiateCore(module: number, imports: WebAssembly.Imports): CoreInstance {
    const compiled = this.modules[module];
    if (compiled === undefined) throw new Error(`BUG: no core module ${module}`);
    const made = { exports: new WebAssembly.Instance(compiled, imports).exports, start: undefined };
    this.instances.push(made);
    return made;
  }

  deny(interfaceName: string, name: string): never {
    return this.#end(`denied: ${interfaceName} ${name}`);
  }

  trap(reason: string): never {
    return this.#end(reason);
  }

  refuseResult(bytes: number): never {
    return this.#end(`result of ${bytes} bytes`);
  }

  #end(ending: string): never {
    this.ending ??= ending;
    return abortGuest();
  }
}

/** Functions of the test's by interface and name; an interface may have resources too. */
export type Hosts = Readonly<Record<string, Readonly<Record<string, HostFunction<TestCall>>>>>;

/** A component that was linked. */
export class Component {
  readonly linker: Linker<TestCall>;
  readonly #modules: readonly WebAssembly.Module[];

  constructor(linker: Linker<TestCall>, modules: readonly WebAssembly.Module[]) {
    this.linker = linker;
    this.#modules = modules;
  }

  /** Makes an instance for a call. */
  async start(call: TestCall = new TestCall()): Promise<Instance> {
    call.modules = this.#modules;
    return new Instance(this.linker, await this.linker.instantiate(call), call);
  }
}

/** An instance of a component. */
export class Instance {
  readonly call: TestCall;
  readonly linked: Linked<TestCall>;
  readonly #linker: Linker<TestCall>;

  constructor(linker: Linker<TestCall>, linked: Linked<TestCall>, call: TestCall) {
    this.#linker = linker;
    this.linked = linked;
    this.call = call;
  }

  /** Calls an exported function. @returns A promise when the component may block. */
  run(name: string, ...values: readonly unknown[]): unknown {
    const exported = this.#linker.plan.exports.find((each) => each.name === name);
    if (exported === undefined) throw new Error(`no export ${name}`);
    return this.linked.invoke(exported.function, values);
  }

  /** Calls a function that ends the call. @returns How: in the linker's words, else the engine's. */
  async endOf(name: string, ...values: readonly unknown[]): Promise<string> {
    try {
      await this.run(name, ...values);
      return "returned";
    } catch (error) {
      if (this.call.ending !== undefined) return this.call.ending;
      return error instanceof Error ? `${error.name}: ${error.message}` : `thrown: ${String(error)}`;
    }
  }
}

/** Links the binary of a component. */
export async function linkBinary(bytes: Uint8Array, hosts: Hosts = {}): Promise<Component> {
  const { plan, modules } = planComponent(bytes);
  const interfaces = new Map<string, HostInterface<TestCall>>();
  for (const [name, functions] of Object.entries(hosts)) {
    interfaces.set(name, { name, functions: new Map(Object.entries(functions)), resources: new Set() });
  }
  const compiled = await Promise.all(modules.map((module) => WebAssembly.compile(Uint8Array.from(module))));
  return new Component(new Linker(plan, interfaces), compiled);
}

/** Links a component in text. @param text - Its fields. */
export async function linkText(text: string, hosts: Hosts = {}): Promise<Component> {
  return linkBinary(await parse(`(component ${text})`), hosts);
}
