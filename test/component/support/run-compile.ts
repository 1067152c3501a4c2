/**
 * Compiles the component that the first argument names, from whatever directory and environment it is started in, and prints the outcome.
 */
import { compileComponent } from "../../../lib/component/compile.ts";

const artifact = await compileComponent(await Bun.file(Bun.argv[2] ?? "").bytes());
console.log(JSON.stringify({ kind: artifact.kind, modules: artifact.modules.map(({ name }) => name) }));
