/**
 * What does metering add to computing? The same module runs twice in the same process: as it was written, and metered.
 *
 * Instances are made before the clock starts and used for every run, so that only the guest's own code is timed. The metered ones have a real
 * budget: every 50,000 units the code calls `refill`, as in a call.
 */
import { fileURLToPath } from "node:url";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { guestPath } from "../fixtures/paths.ts";
import { METER_IMPORT } from "../lib/component/instantiate.ts";
import { readPackage } from "../lib/registry/package.ts";
import { meterModule } from "../lib/wasm/meter.ts";
import {
  endlessBudget,
  instantiateMetered,
  instantiatePlain,
  meterImports,
  type PreparedComponent,
  prepareComponent,
} from "./component.ts";
import { compare, type Effort, geometricMean } from "./measure.ts";
import type { Comparison, Findings, Suite, SummaryFigure } from "./suite.ts";
import { JSON_QUERY } from "./tools.ts";

/** The same work in both ways. */
interface Workload {
  readonly name: string;
  readonly plain: () => unknown;
  readonly metered: () => unknown;
}

/** Core modules of `bench/guests/`, and what their `run` is given: a millisecond of work, or less. */
const CORE_MODULES: readonly (readonly [name: string, argument: number])[] = [
  ["loop", 200_000],
  ["matrix", 96],
  ["recursion", 23],
  ["sieve", 65_536],
];

/** `bun bench/run.ts meter` */
export const METER: Suite = {
  name: "meter",
  question: "What does metering add to computing?",
  async run({ effort }): Promise<Findings> {
    const workloads: Workload[] = [];
    for (const [name, argument] of CORE_MODULES) workloads.push(await coreWorkload(name, argument));
    const compute = await prepareComponent(await Bun.file(guestPath("compute")).bytes());
    workloads.push(componentWorkload("sha-256 (C)", compute, '{"n":64}'));
    const jsonQuery = await prepareComponent((await readPackage(JSON_QUERY.directory)).component);
    workloads.push(componentWorkload(JSON_QUERY.name, jsonQuery, JSON_QUERY.input));

    const comparisons: Comparison[] = [];
    for (const workload of workloads) comparisons.push(await compareWorkload(workload, effort));
    const ratios = comparisons.map(({ figures }) => figures[1]?.ratio ?? NaN);
    const rewriting = await compareRewriting(jsonQuery.core, effort);
    return {
      comparisons: [...comparisons, rewriting],
      summary: [
        { name: "metered over unmetered, geometric mean", value: geometricMean(ratios), unit: "x" },
        ...describeRewriting(jsonQuery.core, rewriting),
      ],
    };
  },
};

async function coreWorkload(name: string, argument: number): Promise<Workload> {
  const wat = await Bun.file(fileURLToPath(new URL(`guests/${name}.wat`, import.meta.url))).text();
  const bytes = Uint8Array.from(await parse(wat));
  const plain = runOf(new WebAssembly.Instance(new WebAssembly.Module(bytes)));
  const { bytes: rewritten, memories } = meterModule(bytes, name);
  const imports = { [METER_IMPORT]: meterImports(endlessBudget(), memories) };
  const metered = runOf(new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(rewritten)), imports));
  return { name, plain: () => plain(argument), metered: () => metered(argument) };
}

function componentWorkload(name: string, component: PreparedComponent, input: string): Workload {
  const plain = instantiatePlain(component.plain);
  const metered = instantiateMetered(component.metered);
  return { name, plain: () => plain(input), metered: () => metered(input) };
}

function compareWorkload({ name, plain, metered }: Workload, effort: Effort): Promise<Comparison> {
  if (plain() !== metered()) throw new Error(`BUG: ${name} computes something else when it is metered`);
  const subjects = [
    { name: "unmetered", run: plain },
    { name: "metered", run: metered },
  ] as const;
  return compare(name, subjects, effort);
}

function compareRewriting(core: Uint8Array, effort: Effort): Promise<Comparison> {
  const bytes = Uint8Array.from(core);
  const subjects = [
    { name: "the engine validates it", run: () => WebAssembly.validate(bytes) },
    { name: "the meter rewrites it", run: () => meterModule(bytes, "core") },
  ] as const;
  return compare(`one pass over the core module of ${JSON_QUERY.name}`, subjects, effort);
}

function describeRewriting(core: Uint8Array, { figures }: Comparison): readonly SummaryFigure[] {
  const [validates, rewrites] = figures.map(({ medianNs }) => (core.length * 1000) / medianNs);
  return [
    { name: "rewriting", value: rewrites ?? NaN, unit: "MB/s" },
    { name: "validating", value: validates ?? NaN, unit: "MB/s" },
    { name: "size of a module, metered", value: meterModule(core, "core").bytes.length / core.length, unit: "x" },
  ];
}

function runOf(instance: WebAssembly.Instance): (argument: number) => unknown {
  const run = instance.exports["run"];
  if (typeof run !== "function") throw new Error("BUG: the module exports no run()");
  return (argument) => run(argument) as unknown;
}
