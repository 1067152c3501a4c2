/**
 * The workloads of the compute suite, each made ready in both ways: as it was written, and metered.
 *
 * Instances are made before the clock starts and used for every run, so that only the guest's own code is timed. The metered ones have a real
 * budget: every 50,000 units the code settles with it, as in a call.
 */
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { guestPath } from "../fixtures/paths.ts";
import { readPackage } from "../lib/registry/package.ts";
import { Instances } from "../lib/worker/instance.ts";
import { MemoryPool } from "../lib/worker/memory-pool.ts";
import { compileMetered, endlessBudget, instantiateMetered, linkPlain, prepareComponent } from "./component.ts";
import { outputOf } from "./output.ts";
import { type Guest, guestFile, GUESTS, MICRO_GUESTS } from "./guests/list.ts";
import { JSON_QUERY, JSON_QUERY_OUTPUT, SHA256 } from "./tools.ts";

/** The same work in both ways. */
interface Workload {
  readonly plain: () => unknown;
  readonly metered: () => unknown;
  /** What both return. */
  readonly answer: unknown;
}

/** A workload that is not made yet. */
export interface WorkloadSource {
  /** Unique in the suite. */
  readonly name: string;
  /** Whether it is a small loop by hand: those count in no mean. */
  readonly isMicro: boolean;
  /** How many times to measure it, made anew. */
  readonly copies: number;
  readonly prepare: () => Promise<Workload>;
}

/** Of small loops. A component is made slowly, and so large that chance evens out. */
const COPIES = 3;

/** All workloads: the real ones, then the micro ones. */
export const WORKLOADS: readonly WorkloadSource[] = [
  ...GUESTS.map((guest) => ({ name: guest.name, isMicro: false, copies: COPIES, prepare: () => coreWorkload(guest) })),
  {
    name: JSON_QUERY.name,
    isMicro: false,
    copies: 1,
    prepare: async () =>
      componentWorkload((await readPackage(JSON_QUERY.directory)).component, JSON_QUERY.input, JSON_QUERY_OUTPUT),
  },
  {
    name: "sha-256 (C)",
    isMicro: false,
    copies: 1,
    prepare: async () => componentWorkload(await Bun.file(guestPath("compute")).bytes(), SHA256.input, SHA256.output),
  },
  ...MICRO_GUESTS.map((guest) => ({
    name: guest.name,
    isMicro: true,
    copies: COPIES,
    prepare: () => coreWorkload(guest),
  })),
];

async function coreWorkload(guest: Guest): Promise<Workload> {
  const file = Bun.file(guestFile(guest));
  const bytes = guest.language === "wat" ? Uint8Array.from(await parse(await file.text())) : await file.bytes();
  const plain = runOf(new WebAssembly.Instance(new WebAssembly.Module(bytes)));
  const made = new Instances(endlessBudget(), new MemoryPool()).make(compileMetered(bytes, guest.name), {});
  made.start?.();
  const metered = runOf(made);
  const { argument, answer } = guest;
  return { plain: () => plain(argument), metered: () => metered(argument), answer };
}

async function componentWorkload(component: Uint8Array, input: string, answer: string): Promise<Workload> {
  const prepared = await prepareComponent(component);
  const plain = linkPlain(prepared.plain)();
  const metered = instantiateMetered(prepared.metered);
  return { plain: () => outputOf(plain(input)), metered: () => outputOf(metered(input)), answer };
}

/** The answer is unsigned; WebAssembly's numbers have no sign of their own. */
function runOf(instance: Pick<WebAssembly.Instance, "exports">): (argument: number) => number {
  const { run, _initialize: initialize } = instance.exports;
  if (typeof run !== "function") throw new Error("BUG: the module exports no run()");
  if (typeof initialize === "function") initialize();
  return (argument) => Number(run(argument)) >>> 0;
}
