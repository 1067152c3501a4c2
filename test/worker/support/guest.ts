/**
 * Test support: guests from text, compiled, metered and linked as KAMI does it, and run in this thread.
 */
import { componentEmbed, componentNew, parse } from "@bytecodealliance/jco";
import { moduleName } from "../../../lib/component/inspect.ts";
import { compileArtifact } from "../../../lib/component/loadable.ts";
import { listImports, planComponent } from "../../../lib/component/plan/plan.ts";
import { ControlBlock } from "../../../lib/protocol/control.ts";
import type { Limits, Usage } from "../../../lib/protocol/limits.ts";
import type { Outcome } from "../../../lib/protocol/messages.ts";
import { meterModule } from "../../../lib/wasm/meter.ts";
import { runCall } from "../../../lib/worker/call.ts";
import { type LoadedComponent, loadComponent } from "../../../lib/worker/loaded.ts";
import { MemoryPool } from "../../../lib/worker/memory-pool.ts";
import { AMPLE } from "../../support/runtime.ts";
import { DENY_ALL } from "../../../lib/policy/policy.ts";

/** What a guest's world imports, and the text of the packages that it comes from. */
export interface Imported {
  /** WIT: `import wasi:cli/stdout@0.2.6;` */
  readonly imports: string;
  readonly packages: string;
}

const NOTHING: Imported = { imports: "", packages: "" };

/** How a call of a guest ended. */
export interface GuestEnd {
  readonly outcome: Outcome;
  readonly usage: Usage;
}

/** A guest that is ready to run; each run is a call of its own. */
export class TestGuest {
  readonly #component: LoadedComponent;
  readonly #pool: MemoryPool;

  constructor(component: LoadedComponent, pool: MemoryPool = new MemoryPool()) {
    this.#component = component;
    this.#pool = pool;
  }

  run(limits: Partial<Limits> = {}, input = "{}"): GuestEnd {
    const control = new ControlBlock().memory;
    const budget = { ...AMPLE, ...limits };
    const message = {
      type: "call",
      id: 1,
      digest: "",
      input,
      limits: budget,
      policy: DENY_ALL,
      control,
    } as const;
    const settled = runCall(message, this.#component, this.#pool);
    if (settled instanceof Promise) throw new Error("the guest may block");
    if (settled.type !== "settled") throw new Error("the call did not settle");
    return { outcome: settled.outcome, usage: settled.usage };
  }
}

/** Links a component. */
async function linkComponent(component: Uint8Array, pool?: MemoryPool): Promise<TestGuest> {
  const { plan, modules } = planComponent(component);
  const artifact = await compileArtifact({
    digest: "0".repeat(64),
    kind: "bare",
    entries: [{ name: "run", exported: plan.exports.findIndex(({ name }) => name === "run") }],
    plan,
    modules: modules.map((bytes, index) => {
      const name = moduleName(index);
      return Object.assign(meterModule(bytes, name), { name });
    }),
    imports: listImports(plan),
  });
  return new TestGuest(loadComponent(artifact), pool);
}

/** Makes a guest of one core module with a bare `run`. `fields` are the module's, in text. */
export async function buildGuest(fields: string, pool?: MemoryPool, imported: Imported = NOTHING): Promise<TestGuest> {
  const run = "export run: func(input: string) -> result<string, string>;";
  const witSource = `package test:guest;\nworld guest { ${imported.imports} ${run} }\n${imported.packages}`;
  const core = await parse(`(module ${fields})`);
  return linkComponent(await componentNew(await componentEmbed({ binary: core, witSource, world: "guest" })), pool);
}

/** Makes a guest of a component in text. */
export async function buildFromText(component: string): Promise<TestGuest> {
  return linkComponent(await parse(component));
}
