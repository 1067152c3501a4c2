/**
 * Has components made by the driver's process.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { codeOf } from "../roles.ts";
import { BUN_FLAGS, runCompiler, type Workshop } from "./compiler.ts";
import type { Job } from "./driver.ts";
import type { World } from "./world.ts";

const DRIVER = fileURLToPath(codeOf("driver"));

type Unplaced<J> = J extends Job ? Omit<J, "output"> : never;

/** Runs a job. @returns The component. @throws {Failure} `BUILD_FAILED` */
export async function makeComponent(
  workshop: Workshop,
  job: Unplaced<Job>,
  what: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const output = join(workshop.scratch, "component.wasm");
  const words = [workshop.bun, ...BUN_FLAGS, DRIVER];
  await runCompiler(workshop, { what, words, cwd: workshop.scratch, input: JSON.stringify({ ...job, output }) });
  return Bun.file(output).bytes();
}

/** What is known about a core module beforehand. */
interface CoreOptions {
  /** For a module that does not say itself which world it is for. */
  readonly world: World;
  readonly encoding?: "utf8" | "utf16";
}

/**
 * Makes a component of what a compiler made, unless it is one.
 *
 * @throws {Failure} `BUILD_FAILED`
 */
export async function componentOf(
  workshop: Workshop,
  built: Uint8Array<ArrayBuffer>,
  options: CoreOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  if (built[4] !== 1) return built;
  const module = new WebAssembly.Module(built);
  const isCommand = WebAssembly.Module.exports(module).some(({ name }) => name === "_start");
  const usesWasi = WebAssembly.Module.imports(module).some((each) => each.module === "wasi_snapshot_preview1");
  const isDescribed = hasComponentType(built);
  const core = join(workshop.scratch, "core.wasm");
  await Bun.write(core, built);
  const { world, encoding } = options;
  return makeComponent(
    workshop,
    {
      kind: "core",
      core,
      ...(isCommand || isDescribed ? {} : { world }),
      ...(encoding === undefined ? {} : { encoding }),
      ...(usesWasi || isCommand ? { adapter: isCommand ? ("command" as const) : ("reactor" as const) } : {}),
    },
    "making a component",
  );
}

/** Whether the module has a section that says which world it is for; its name may go on with anything. */
function hasComponentType(bytes: Uint8Array): boolean {
  const needle = new TextEncoder().encode("component-type");
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(needle);
}
