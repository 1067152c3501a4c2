/**
 * Test support: a directory whose files do harm when a program that is started in it obeys them.
 */
import type { TemporaryDirectory } from "../../cli/support/directory.ts";

/** Writes files to `hostile` that leave `mark` there, or move KAMI_HOME to `stolen`, when Bun obeys them. @returns The directory. */
export function fillHostile(temporary: TemporaryDirectory): string {
  const mark = `require("node:fs").writeFileSync(${JSON.stringify(temporary.at("mark"))}, "");\n`;
  temporary.write("hostile/preloaded.ts", mark);
  temporary.write("hostile/bunfig.toml", 'preload = ["./preloaded.ts"]\n[run]\npreload = ["./preloaded.ts"]\n');
  const paths = { "*": ["./preloaded.ts"], citty: ["./preloaded.ts"], "*/lib/cli/main.ts": ["./preloaded.ts"] };
  temporary.write("hostile/tsconfig.json", JSON.stringify({ compilerOptions: { baseUrl: ".", paths } }));
  for (const name of [".env", ".env.local", ".env.development", ".env.production"]) {
    temporary.write(`hostile/${name}`, `KAMI_HOME=${temporary.at("stolen")}\nKAMI_MAX_FUEL=1\n`);
  }
  temporary.write("hostile/package.json", '{"name": "kami", "imports": {"#x": "./preloaded.ts"}}');
  for (const name of ["citty", "valibot", "smol-toml"]) {
    temporary.write(`hostile/node_modules/${name}/package.json`, `{"name": "${name}", "main": "index.js"}`);
    temporary.write(`hostile/node_modules/${name}/index.js`, mark);
  }
  // What relative paths of KAMI's own would name, if they started from here.
  for (const name of [
    "lib/cli/main.ts",
    "lib/worker/entry.ts",
    "lib/component/compile-child.ts",
    "worker/entry.ts",
    "entry.js",
    "compile-child.js",
    "process-entry.js",
    "binary.js",
  ]) {
    temporary.write(`hostile/${name}`, mark);
  }
  return temporary.at("hostile");
}
