/**
 * `bun run pack`: makes the npm package in `dist/`: a bundle without dependencies, which needs Bun and nothing else.
 */
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import manifest from "../package.json" with { type: "json" };
import { bundle, DIST, ROOT } from "./bundle.ts";

const made = await bundle("package", "kami.ts", ["worker", "executor", "compiler", "driver"]);
const { name, version, description, license, type, exports: exported, engines } = manifest;
const published = {
  name,
  version,
  description,
  license,
  type,
  bin: { kami: "kami.js" },
  exports: exported,
  engines,
};
await Bun.write(join(made.directory, "package.json"), `${JSON.stringify(published, null, 2)}\n`);
for (const file of ["README.md", "LICENSE"]) await Bun.write(join(made.directory, file), Bun.file(join(ROOT, file)));
await chmod(join(made.directory, "kami.js"), 0o755);
const packing = Bun.spawn([process.execPath, "pm", "pack", "--destination", DIST, "--quiet"], {
  cwd: made.directory,
  stdout: "inherit",
  stderr: "inherit",
});
process.exit(await packing.exited);
