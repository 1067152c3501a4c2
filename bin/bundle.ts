/**
 * Puts KAMI into one directory that needs no `node_modules`: its code, jco's compiler, the starter tools, the SDKs. The npm package is that
 * directory; the binary is made of it.
 */
import { cp, mkdir, rm } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type BunPlugin, Glob } from "bun";
import { codeOf, type Role, type Shipment } from "../lib/roles.ts";

/** The repository. */
export const ROOT: string = fileURLToPath(new URL("..", import.meta.url));
/** Where everything that is built goes; no part of the repository. */
export const DIST: string = join(ROOT, "dist");

/** What of the repository is shipped as it is, by pattern; its place stays the same. */
const SHIPPED_FILES = [
  "fixtures/tools/*/{tool.toml,README.md,*.wasm}",
  "lib/guest/**/*",
  "lib/author/adapters/*.wasm",
] as const;
const JCO_BINDGEN = /jco-transpile\/vendor\/[\w-]+\.js$/;
const JCO_WASM = /new URL\('\.\/([\w.-]+\.wasm)', import\.meta\.url\)/g;

/** A bundle. */
export interface Bundle {
  /** Absolute path. */
  readonly directory: string;
  /** Its files but the one to start with, relative to it. */
  readonly files: readonly string[];
}

/**
 * Makes a bundle.
 *
 * @param shipment - For what.
 * @param entry - The file of `bin/` that is started; it keeps its name.
 * @param roles - What else has to be an entry point: what is loaded by URL.
 * @returns The directory, made anew.
 * @throws {Error} with the bundler's words
 */
export async function bundle(
  shipment: Exclude<Shipment, "sources">,
  entry: string,
  roles: readonly Role[],
): Promise<Bundle> {
  const directory = join(DIST, shipment);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const vendored = new Set<string>();
  const built = await Bun.build({
    entrypoints: [join(ROOT, "bin", entry), ...roles.map((role) => fileURLToPath(codeOf(role)))],
    outdir: directory,
    target: "bun",
    splitting: true,
    // All beside each other: a file finds the others whatever chunk it came to be in.
    naming: { entry: "[name].[ext]", chunk: "[name]-[hash].[ext]", asset: "[name].[ext]" },
    define: { KAMI_BUILD: JSON.stringify(shipment) },
    plugins: [jcoFiles(vendored), browserShims, placesOfSources],
    metafile: true,
  });
  if (!built.success) throw new Error(built.logs.map(({ message }) => message).join("\n"));
  for (const path of vendored) await cp(path, join(directory, basename(path)));
  for (const file of await shippedFiles()) await cp(join(ROOT, file), join(directory, file));
  const licences = await thirdParties(Object.keys(built.metafile?.inputs ?? {}));
  await Bun.write(join(directory, "THIRD-PARTY.txt"), licences);
  const names = await Array.fromAsync(new Glob("**/*").scan({ cwd: directory, dot: true }));
  const start = entry.replace(/\.ts$/, ".js");
  return { directory, files: names.filter((name) => name !== start).toSorted() };
}

/** Finds the files that jco loads at run time, which a bundler does not see. */
function jcoFiles(found: Set<string>): BunPlugin {
  return {
    name: "jco-files",
    setup(build) {
      build.onLoad({ filter: JCO_BINDGEN }, async ({ path }) => {
        const contents = await Bun.file(path).text();
        for (const [, name = ""] of contents.matchAll(JCO_WASM)) found.add(join(dirname(path), name));
        return { contents, loader: "js" };
      });
    },
  };
}

/** jco asks for WASI of its own: what works in a browser has no files and no processes in it. */
const browserShims: BunPlugin = {
  name: "browser-shims",
  setup(build) {
    build.onResolve({ filter: /^@bytecodealliance\/preview2-shim\// }, ({ path }) => ({
      path: join(ROOT, "node_modules/@bytecodealliance/preview2-shim/dist/browser", `${basename(path)}.js`),
    }));
  },
};

/** In a bundle, a module's own place is the bundle's. What it looks for from there has kept its place beneath it. */
const placesOfSources: BunPlugin = {
  name: "places-of-sources",
  setup(build) {
    build.onLoad({ filter: /\/lib\/(?!roles\.ts).*\.ts$/ }, async ({ path }) => {
      const text = await Bun.file(path).text();
      const file = relative(ROOT, path).replaceAll("\\", "/");
      const contents = text
        .replaceAll("import.meta.url", `new URL(${JSON.stringify(`./${file}`)}, import.meta.url).href`)
        .replaceAll("import.meta.dir", `(import.meta.dir + ${JSON.stringify(`/${dirname(file)}`)})`);
      return { contents, loader: "ts" };
    });
  },
};

async function shippedFiles(): Promise<readonly string[]> {
  const found = SHIPPED_FILES.map((pattern) => Array.fromAsync(new Glob(pattern).scan(ROOT)));
  return (await Promise.all(found)).flat();
}

/** The licences of all packages that code was taken of. */
async function thirdParties(inputs: readonly string[]): Promise<string> {
  const names = inputs.flatMap((input) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? []);
  const parts = [...new Set(names)].toSorted().map(async (name) => {
    const folder = join(ROOT, "node_modules", name);
    const { version, license } = await readPackage(folder);
    const [file] = await Array.fromAsync(new Glob("{LICEN[SC]E,license}*").scan(folder));
    const text = file === undefined ? "" : await Bun.file(join(folder, file)).text();
    return `${name} ${version} (${license})\n\n${text.trim()}\n`;
  });
  return (await Promise.all(parts)).join(`\n${"-".repeat(80)}\n\n`);
}

async function readPackage(folder: string): Promise<{ readonly version: string; readonly license: string }> {
  return Bun.file(join(folder, "package.json")).json();
}
