/**
 * Compiles a component from another current directory, and prints the outcome: `run-compile.ts <component> <directory>`.
 */
import { compileComponent } from "../../../lib/component/compile.ts";

const [, , path = "", directory = ""] = Bun.argv;
process.chdir(directory);
const artifact = await compileComponent(await Bun.file(path).bytes());
console.log(JSON.stringify({ kind: artifact.kind, modules: artifact.modules.map(({ name }) => name) }));
