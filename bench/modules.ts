/**
 * Large core modules, as guests bring them.
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readPackage } from "../lib/registry/package.ts";
import { Reader } from "../lib/wasm/reader.ts";
import { JSON_QUERY } from "./tools.ts";

/** A core module. */
export interface SampleModule {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const PREAMBLE_BYTES = 8;
/** Sections of a component that hold a binary of their own. */
const Section = { coreModule: 1, component: 4 } as const;
const ENGINE_PACKAGE = "@bytecodealliance/componentize-js";

/** Where the SpiderMonkey module is: componentize-js, which comes with jco, puts every JavaScript component on it. */
export const SPIDERMONKEY: string = locateSpiderMonkey();

/** Reads SpiderMonkey. */
export async function readSpiderMonkey(): Promise<SampleModule> {
  return { name: "SpiderMonkey", bytes: await Bun.file(SPIDERMONKEY).bytes() };
}

/** Takes QuickJS out of a component that is built on it: its largest core module. */
export async function readQuickJs(): Promise<SampleModule> {
  const { component } = await readPackage(JSON_QUERY.directory);
  const modules = [...findCoreModules(new Reader(component))].toSorted((a, b) => b.length - a.length);
  return { name: "QuickJS", bytes: Uint8Array.from(modules[0] ?? []) };
}

function* findCoreModules(component: Reader): Generator<Uint8Array> {
  component.skip(PREAMBLE_BYTES);
  while (!component.done) {
    const id = component.u8();
    const size = component.u32();
    const start = component.pos;
    component.skip(size);
    if (id === Section.coreModule) yield component.bytes.subarray(start, component.pos);
    if (id === Section.component) yield* findCoreModules(new Reader(component.bytes, start, component.pos));
  }
}

function locateSpiderMonkey(): string {
  const jco = fileURLToPath(import.meta.resolve("@bytecodealliance/jco"));
  const library = Bun.resolveSync(ENGINE_PACKAGE, dirname(jco));
  return join(dirname(library), "..", "lib", "starlingmonkey_embedding.wasm");
}
