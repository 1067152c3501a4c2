/**
 * Builds tools in TypeScript and JavaScript: bundles them, and puts the bundle on a JavaScript engine of the project's own packages.
 */
import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { refuse } from "../errors.ts";
import { BUN_FLAGS, runCompiler, type Workshop } from "./compiler.ts";
import { makeComponent } from "./component.ts";
import type { Project } from "./project.ts";
import { worldOf } from "./world.ts";

/** What runs the JavaScript. */
export type Engine = "quickjs" | "spidermonkey";

/** The package of each engine, at the version that is tested. */
export const ENGINES: Readonly<Record<Engine, { readonly name: string; readonly version: string }>> = {
  quickjs: { name: "componentize-qjs", version: "0.4.5" },
  spidermonkey: { name: "@bytecodealliance/componentize-js", version: "0.23.0" },
};

const SDK = fileURLToPath(new URL("../guest/typescript/index.ts", import.meta.url));

/**
 * Builds a script tool.
 *
 * @throws {Failure} `TOOLCHAIN_MISSING`, `BUILD_FAILED`, `PROJECT_UNKNOWN`
 */
export async function buildScript(
  project: Project,
  workshop: Workshop,
  engine: Engine,
): Promise<Uint8Array<ArrayBuffer>> {
  const enginePath = locateEngine(project, workshop, engine);
  const [entry = ""] = project.sources;
  const { text: bundle, exported } = nameExport(await bundleScript(workshop, entry), project);
  const world = worldOf(bundle, exported);
  const [source, wit] = [join(workshop.scratch, "bundle.js"), join(workshop.scratch, "wit")];
  mkdirSync(wit, { recursive: true });
  await Promise.all([Bun.write(source, bundle), Bun.write(join(wit, "world.wit"), world.wit)]);
  const isPure = !/\bDate\b|\bMath\.random\b|\bfetch\b|\bcrypto\b|\bset(?:Timeout|Interval)\b|from\s*"wasi:/.test(
    bundle,
  );
  const job = { kind: engine, engine: enginePath, source, wit, world: world.name, isPure };
  return makeComponent(workshop, job, ENGINES[engine].name);
}

interface Bundle {
  readonly text: string;
  readonly exported: "tool" | "run";
}

/**
 * Names the bundle's export as its world does. A tool is the default export, made by `defineTool`, or a function `run` of JSON text. Told by
 * the bundle, which ends with the list of its exports: what reads sources in this process would run their macros.
 */
function nameExport(bundle: string, project: Project): Bundle {
  const list = /export\s*\{([^{}]*)\};?\s*$/.exec(bundle);
  const names = new Map((list?.[1] ?? "").split(",").map((each) => splitAlias(each.trim())));
  const [local, exported] = names.has("default")
    ? [names.get("default"), "tool" as const]
    : [names.get("run"), "run" as const];
  if (list === null || local === undefined) {
    const reason = "the tool exports neither a default (defineTool) nor a function run";
    throw refuse("PROJECT_UNKNOWN", { path: project.directory, reason });
  }
  return { text: `${bundle.slice(0, list.index)}export { ${local} as ${exported} };\n`, exported };
}

function splitAlias(text: string): [exported: string, local: string] {
  const [local = "", exported = local] = text.split(/\s+as\s+/);
  return [exported, local];
}

/** `kami/guest` is always KAMI's own, whatever a `node_modules` calls so. */
async function bundleScript(workshop: Workshop, entry: string): Promise<string> {
  const tsconfig = join(workshop.scratch, "tsconfig.json");
  await Bun.write(tsconfig, JSON.stringify({ compilerOptions: { paths: { "kami/guest": [SDK] } } }));
  const flags = ["--target=browser", "--format=esm", "--external=kami:*", "--external=wasi:*", "--minify-whitespace"];
  const words = [workshop.bun, "build", ...BUN_FLAGS, `--tsconfig-override=${tsconfig}`, ...flags, entry];
  const text = await runCompiler(workshop, { what: "bundling", words, cwd: workshop.scratch });
  // Names of files are those of this machine.
  return text.replaceAll(/^\/\/ .*\n/gm, "");
}

function locateEngine(project: Project, workshop: Workshop, engine: Engine): string {
  const { name, version } = ENGINES[engine];
  const folder = findPackages(project.directory, name);
  if (folder !== undefined) return Bun.resolveSync(name, folder);
  const usesNpm = existsSync(join(project.directory, "package-lock.json"));
  const command = `${usesNpm ? "npm install -D -E" : "bun add -d -E"} ${name}@${version}`;
  throw refuse("TOOLCHAIN_MISSING", { what: name, command: inDirectory(project, workshop, command) });
}

/**
 * Finds the directory whose `node_modules` has a package: the project's, or one above it of the same owner. Others may write above a project
 * (`/tmp`), and Bun's resolution would go on to its cache of downloads.
 */
function findPackages(directory: string, name: string): string | undefined {
  const owner = statSync(directory).uid;
  for (let folder = directory; ; folder = dirname(folder)) {
    const packages = statSync(join(folder, "node_modules", name), { throwIfNoEntry: false });
    if (packages?.uid === owner) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

function inDirectory(project: Project, { environment }: Workshop, command: string): string {
  return environment.get("PWD") === project.directory ? command : `cd ${project.directory} && ${command}`;
}
