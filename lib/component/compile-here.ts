/**
 * The stages of compiling: a component is inspected, validated by jco, planned, and its core modules metered. Only ever in a process of its own.
 */
import { type ArtifactModule, COMPONENT_LIMITS, type Compiled } from "./artifact.ts";
import { EngineTime } from "./engine.ts";
import { findEntries } from "./entry.ts";
import { inspectComponent, moduleName } from "./inspect.ts";
import type { ModuleReader } from "./module-reader.ts";
import { listImports, planComponent } from "./plan/plan.ts";
import { checkTotal } from "./scope.ts";

/**
 * Compiles a component in this process.
 *
 * @param component - Untrusted bytes.
 * @param reader - Of its core modules.
 * @throws {Failure} COMPONENT_*, INSTRUCTION_UNKNOWN. Anything else that is thrown is a crash, after which jco is spoiled.
 */
export async function compileHere(component: Uint8Array, reader: ModuleReader): Promise<Compiled> {
  const exports = inspectComponent(component, reader);
  // jco takes 0.2 s to start, and does not get to see what was refused above.
  const { validateComponent } = await import("./validate.ts");
  await validateComponent(component);
  const { plan, modules: plain } = planComponent(component);
  const entries = findEntries(plan, exports);
  const imports = listImports(plan);
  checkTotal("the number of imports", imports.length, COMPONENT_LIMITS.imports);
  const modules: ArtifactModule[] = [];
  let meteredBytes = 0;
  const engine = new EngineTime();
  for (const [index, bytes] of plain.entries()) {
    const name = moduleName(index);
    const metered = reader.meter(bytes, name, engine);
    meteredBytes += metered.bytes.length;
    checkTotal("the size of the metered modules in bytes", meteredBytes, COMPONENT_LIMITS.meteredBytes);
    modules.push({ name, ...metered });
  }
  return { ...entries, plan, modules, imports };
}
