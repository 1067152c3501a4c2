/**
 * Compiles hostile guests into the cache of a KAMI home, all in this one process: `compile-corpus.ts <home> <name>…`.
 *
 * A process for each, as KAMI has them, would take most of the corpus's time. Those that are refused go through KAMI's own.
 */
import { readFile } from "node:fs/promises";
import { hostilePath } from "../../fixtures/paths.ts";
import type { ArtifactModule } from "../../lib/component/artifact.ts";
import { ArtifactCache } from "../../lib/component/cache.ts";
import { findEntries } from "../../lib/component/entry.ts";
import { inspectComponent, moduleName } from "../../lib/component/inspect.ts";
import { listImports, planComponent } from "../../lib/component/plan/plan.ts";
import { validateComponent } from "../../lib/component/validate.ts";
import { digestOf } from "../../lib/digest.ts";
import { Failure } from "../../lib/errors.ts";
import { meterModule } from "../../lib/wasm/meter.ts";

const [home = "", ...names] = process.argv.slice(2);
const cache = new ArtifactCache(home);
for (const name of names) {
  await compile(await readFile(hostilePath(name))).catch((error: unknown) => {
    // KAMI will say it again, where the test hears it.
    if (!(error instanceof Failure)) throw error;
  });
}
await cache[Symbol.asyncDispose]();

async function compile(component: Uint8Array): Promise<void> {
  const exports = inspectComponent(component);
  await validateComponent(component);
  const { plan, modules: plain } = planComponent(component);
  const entries = findEntries(plan, exports);
  const modules: ArtifactModule[] = plain.map((bytes, index) => {
    const name = moduleName(index);
    return Object.assign(meterModule(bytes, name), { name });
  });
  await cache.store({ digest: digestOf(component), ...entries, plan, modules, imports: listImports(plan) });
}
