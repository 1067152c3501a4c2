/**
 * The process that makes a component, of JavaScript or of a core module: a job as JSON on standard input, the component into a file. A process of
 * its own, since a component toolchain that panics is spoiled, and since the engines are the project's own packages.
 */
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { World } from "./world.ts";

/** What is to be made. Paths are absolute. */
export type Job =
  | {
      readonly kind: "quickjs" | "spidermonkey";
      /** The engine's package, as the project has it. */
      readonly engine: string;
      /** A file of JavaScript. */
      readonly source: string;
      /** A directory of WIT. */
      readonly wit: string;
      readonly world: string;
      /** Whether the engine gets no clock, no randomness and no network of WASI. */
      readonly isPure: boolean;
      readonly output: string;
    }
  | {
      readonly kind: "core";
      readonly core: string;
      /** Undefined when the module says itself which world it is for. */
      readonly world?: World;
      readonly encoding?: "utf8" | "utf16";
      readonly adapter?: "command" | "reactor";
      readonly output: string;
    };

/** What the engines' packages export, as far as it is used. */
interface Engine {
  readonly componentize: (options: Readonly<Record<string, unknown>>) => Promise<{ readonly component: Uint8Array }>;
}

if (import.meta.main) {
  const job: Job = await Bun.stdin.json();
  await Bun.write(job.output, await make(job));
}

async function make(job: Job): Promise<Uint8Array> {
  if (job.kind === "core") return fromCore(job);
  const engine: Engine = await import(pathToFileURL(job.engine).href);
  const options = job.kind === "quickjs" ? await quickjsOptions(job) : await spidermonkeyOptions(job);
  return (await engine.componentize(options)).component;
}

type ScriptJob = Exclude<Job, { kind: "core" }>;

async function quickjsOptions({ source, wit, world, isPure }: ScriptJob): Promise<Readonly<Record<string, unknown>>> {
  const jsSource = await Bun.file(source).text();
  return { witPath: wit, world, jsSource, sync: true, optSize: true, stubWasi: isPure };
}

async function spidermonkeyOptions({
  source,
  wit,
  world,
  isPure,
}: ScriptJob): Promise<Readonly<Record<string, unknown>>> {
  const disableFeatures = isPure ? ["stdio", "random", "clocks", "http", "fetch-event"] : ["fetch-event"];
  // As text: its tools have no directory to read a path from.
  const witWorld = await Bun.file(join(wit, "world.wit")).text();
  return { sourcePath: source, witWorld, worldName: world, disableFeatures };
}

async function fromCore(job: Extract<Job, { kind: "core" }>): Promise<Uint8Array> {
  // Not for scripts: it takes a tenth of a second to load.
  const { componentEmbed, componentNew } = await import("@bytecodealliance/jco-transpile/wasm-tools");
  const core = await Bun.file(job.core).bytes();
  const { world, encoding = "utf8", adapter } = job;
  const embedded =
    world === undefined
      ? core
      : await componentEmbed({ binary: core, witSource: world.wit, world: world.name, stringEncoding: encoding });
  return componentNew(embedded, adapter === undefined ? [] : [await readAdapter(adapter)]);
}

/** From Wasmtime (Apache-2.0 with LLVM exception), as `@bytecodealliance/jco` packages them. */
async function readAdapter(model: "command" | "reactor"): Promise<[string, Uint8Array]> {
  const path = fileURLToPath(new URL(`adapters/wasi_snapshot_preview1.${model}.wasm`, import.meta.url));
  return ["wasi_snapshot_preview1", await Bun.file(path).bytes()];
}
