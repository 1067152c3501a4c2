/**
 * Runs jco on a component. Only ever in the throw-away process: one panic spoils jco for the rest of the process.
 */
import { $init, generate, type GenerateOptions } from "@bytecodealliance/jco-transpile/component";
import { COMPONENT_LIMITS } from "./artifact.ts";
import { boundGlue } from "./bounds.ts";
import { explainRejection } from "./rejection.ts";
import { checkTotal } from "./scope.ts";

/** What jco makes of a component. */
export interface Generated {
  readonly glue: string;
  /** The core modules, not metered yet, by the names that the glue asks for. */
  readonly modules: readonly (readonly [name: string, bytes: Uint8Array])[];
  /** Sorted. */
  readonly imports: readonly string[];
}

const OPTIONS: GenerateOptions = {
  // The name of the glue's file and the stem of the core modules' names.
  name: "tool",
  noTypescript: true,
  // The glue exports instantiate(), which takes all that it uses: no shim, no fetch, no file.
  instantiation: { tag: "sync" },
  // The glue asks each import for a core function of its own. Otherwise it builds all arguments before the import is called.
  importBindings: { tag: "hybrid" },
  tlaCompat: false,
  noNodejsCompat: true,
  // No core module inside the glue: none may escape the meter.
  base64Cutoff: 0,
  // Concerns TypeScript builds of the importable form; instantiate() returns versioned names either way.
  noNamespacedExports: true,
  // Otherwise jco copies between memories in JavaScript, where no fuel is counted.
  multiMemory: true,
};

/**
 * Generates the glue of a component and takes its core modules out.
 *
 * @param component - One that has been inspected.
 * @throws {Failure} COMPONENT_INVALID, COMPONENT_UNSUPPORTED, COMPONENT_LIMIT. Anything else that is thrown is a crash of jco.
 */
export async function generateGlue(component: Uint8Array): Promise<Generated> {
  await $init;
  const { files, imports } = runGenerator(component);
  const modules = files.filter(([name]) => name.endsWith(".wasm"));
  const glue = files.find(([name]) => name === "tool.js")?.[1];
  if (glue === undefined) throw new Error("BUG: jco wrote no tool.js");
  const coreBytes = modules.reduce((sum, [, bytes]) => sum + bytes.length, 0);
  checkTotal("the number of core modules", modules.length, COMPONENT_LIMITS.modules);
  checkTotal("the size of the core modules in bytes", coreBytes, COMPONENT_LIMITS.coreBytes);
  checkTotal("the size of the glue in bytes", glue.length, COMPONENT_LIMITS.glueBytes);
  checkTotal("the number of imports", imports.length, COMPONENT_LIMITS.imports);
  const text = new TextDecoder().decode(glue);
  checkTotal("the number of core instances", text.split("instantiateCore(").length - 1, COMPONENT_LIMITS.instances);
  return { glue: boundGlue(text), modules, imports: imports.toSorted() };
}

function runGenerator(component: Uint8Array): ReturnType<typeof generate> {
  try {
    return generate(component, OPTIONS);
  } catch (error) {
    // What jco reports in an orderly way is thrown as a ComponentError, whose payload is the message; a panic is not.
    if (error instanceof Error && "payload" in error && typeof error.payload === "string")
      throw explainRejection(error.payload);
    throw error;
  }
}
