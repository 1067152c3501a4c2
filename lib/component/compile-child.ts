/**
 * The throw-away process that compiles one untrusted component: bytes on standard input, one frame on standard output.
 *
 * Nothing of the component runs here: it is read, checked, validated by jco, planned, and metered. Whatever is thrown besides a
 * `Failure` (a panic of jco's above all) ends the process, and the parent reports a crash.
 */
import { Failure } from "../errors.ts";
import { meterModule } from "../wasm/meter.ts";
import { type ArtifactModule, COMPONENT_LIMITS, type Compiled } from "./artifact.ts";
import { EngineTime } from "./engine.ts";
import { findEntries } from "./entry.ts";
import { inspectComponent, moduleName } from "./inspect.ts";
import { listImports, planComponent } from "./plan/plan.ts";
import { encodeCompiled, encodeFailure } from "./reply.ts";
import { checkTotal } from "./scope.ts";

const pieces = await answer(await Bun.stdin.bytes());
const output = Bun.stdout.writer();
for (const piece of pieces) {
  await output.write(piece);
  await output.flush();
}
await output.end();

async function answer(component: Uint8Array): Promise<readonly Uint8Array[]> {
  try {
    return encodeCompiled(await compile(component));
  } catch (error) {
    if (error instanceof Failure) return encodeFailure(error);
    throw error;
  }
}

async function compile(component: Uint8Array): Promise<Compiled> {
  const exports = inspectComponent(component);
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
    const metered = meterModule(bytes, name);
    if (!engine.validate(metered.bytes)) throw new Error(`BUG: ${name} is invalid once metered`);
    meteredBytes += metered.bytes.length;
    checkTotal("the size of the metered modules in bytes", meteredBytes, COMPONENT_LIMITS.meteredBytes);
    modules.push({ name, ...metered });
  }
  return { ...entries, plan, modules, imports };
}
