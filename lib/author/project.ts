/**
 * A tool's source directory: which language it is in, and what its manifest says. Its files may be anybody's: nothing of it is run here.
 */
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";
import { clean, refuse } from "../errors.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { readBeneath } from "../registry/files.ts";
import { MANIFEST_NAME, MANIFEST_SIZE } from "../registry/package.ts";
import { parseManifestBytes } from "../registry/text.ts";

/** What a tool is written in. */
export type Language = "ts" | "rust" | "c" | "as" | "go";

/** What people call the languages. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = {
  ts: "TypeScript",
  rust: "Rust",
  c: "C",
  as: "AssemblyScript",
  go: "Go",
};

/** A tool's source directory. */
export interface Project {
  /** Absolute. */
  readonly directory: string;
  readonly language: Language;
  readonly manifest: Manifest;
  /** Exact bytes of tool.toml. */
  readonly manifestBytes: Uint8Array<ArrayBuffer>;
  /** Files that the compiler starts from, absolute, sorted. */
  readonly sources: readonly string[];
}

/** Where a TypeScript tool begins, the first that there is. */
const SCRIPT_ENTRIES = ["src/tool.ts", "src/tool.js", "tool.ts", "tool.js", "src/index.ts", "src/index.js"];

/**
 * Reads a project.
 *
 * @param path - Its directory; relative to the current one or absolute.
 * @throws {Failure} `MANIFEST_*`, `FILE_*`, `PACKAGE_PATH`; `PROJECT_UNKNOWN` when the language cannot be told.
 */
export function readProject(path: string): Project {
  const directory = resolve(path);
  const manifestPath = join(path, MANIFEST_NAME);
  if (!existsSync(join(directory, MANIFEST_NAME)))
    throw refuse("PROJECT_UNKNOWN", { path, reason: "the directory has no tool.toml" });
  const manifestBytes = readBeneath(directory, MANIFEST_NAME, MANIFEST_SIZE);
  const manifest = parseManifestBytes(manifestBytes, manifestPath);
  const found = detect(directory);
  if (found === undefined) {
    const reason = "there is no Cargo.toml, go.mod, assembly/index.ts, C file, src/tool.ts or tool.js";
    throw refuse("PROJECT_UNKNOWN", { path, reason });
  }
  return { directory, manifest, manifestBytes, ...found };
}

function detect(directory: string): Pick<Project, "language" | "sources"> | undefined {
  const has = (name: string): boolean => existsSync(join(directory, name));
  const one = (language: Language, name: string) => ({ language, sources: [join(directory, name)] });
  if (has("Cargo.toml")) return one("rust", "Cargo.toml");
  if (has("go.mod")) return one("go", "go.mod");
  if (has("assembly/index.ts")) return one("as", "assembly/index.ts");
  const script = SCRIPT_ENTRIES.find(has);
  if (script !== undefined) return one("ts", script);
  const sources = [directory, join(directory, "src")].flatMap((folder) =>
    existsSync(folder)
      ? namesIn(folder).flatMap((name) => (/\.(?:c|cc|cpp)$/.test(name) ? [join(folder, name)] : []))
      : [],
  );
  return sources.length === 0 ? lonelyScript(directory) : { language: "c", sources };
}

/** One script beside the manifest can only be the tool. */
function lonelyScript(directory: string): Pick<Project, "language" | "sources"> | undefined {
  const scripts = namesIn(directory).filter(
    (name) => /\.(?:js|mjs|ts)$/.test(name) && !/\.(?:d|test|config)\.\w+$/.test(name),
  );
  const [only] = scripts;
  return only === undefined || scripts.length > 1 ? undefined : { language: "ts", sources: [join(directory, only)] };
}

function namesIn(directory: string): readonly string[] {
  return readdirSync(directory).toSorted();
}

/**
 * Says where a file of the project is written, and refuses places outside of it: a link in a hostile directory must not lead a build to
 * the user's own files.
 *
 * @param path - Relative, as the manifest has it.
 * @returns Absolute. What is written there must be renamed into place, which replaces a link instead of following it.
 * @throws {Failure} `PACKAGE_PATH`
 */
export function placeInProject(directory: string, path: string): string {
  const target = join(directory, path);
  const root = realpathSync(directory);
  let folder = dirname(target);
  while (!existsSync(folder)) folder = dirname(folder);
  const real = realpathSync(folder);
  if (real === root || real.startsWith(root + sep)) return target;
  throw refuse("PACKAGE_PATH", { path: target, reason: `${clean(basename(folder))} leads out of the project` });
}
