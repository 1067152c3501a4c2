/**
 * From a project to the component that its manifest names.
 */
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { componentOf } from "./component.ts";
import type { Workshop } from "./compiler.ts";
import { buildAssemblyScript, buildC, buildGo, buildRust } from "./native.ts";
import { type Language, placeInProject, type Project } from "./project.ts";
import { buildScript, type Engine } from "./script.ts";
import { bareWorld } from "./world.ts";

/** How a project is built. */
export interface BuildOptions extends Omit<Workshop, "scratch"> {
  /** For TypeScript; default: quickjs. */
  readonly engine?: Engine | undefined;
}

/** What a build made. */
export interface Built {
  /** Absolute path of the component. */
  readonly path: string;
  readonly component: Uint8Array<ArrayBuffer>;
}

/**
 * Builds a project and puts the component where its manifest says.
 *
 * @throws {Failure} `TOOLCHAIN_MISSING`, `BUILD_FAILED`, `PROJECT_UNKNOWN`, `PACKAGE_PATH`
 */
export async function buildProject(project: Project, options: BuildOptions): Promise<Built> {
  const path = placeInProject(project.directory, project.manifest.tool.wasm);
  const scratch = mkdtempSync(join(tmpdir(), "kami-build-"));
  try {
    const component = await compile(project, { ...options, scratch }, options.engine ?? "quickjs");
    await replaceFile(path, component);
    return { path, component };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

type Builder = (project: Project, workshop: Workshop) => Promise<Uint8Array<ArrayBuffer>>;

/** What compiles each language but TypeScript, and how its strings are encoded. */
const BUILDERS: Readonly<Record<Exclude<Language, "ts">, { readonly build: Builder; readonly encoding?: "utf16" }>> = {
  rust: { build: buildRust },
  c: { build: buildC },
  as: { build: buildAssemblyScript, encoding: "utf16" },
  go: { build: buildGo },
};

async function compile(project: Project, workshop: Workshop, engine: Engine): Promise<Uint8Array<ArrayBuffer>> {
  if (project.language === "ts") return buildScript(project, workshop, engine);
  const { build, ...encoding } = BUILDERS[project.language];
  return componentOf(workshop, await build(project, workshop), { world: bareWorld(), ...encoding });
}

/** Renamed into place: whoever reads it sees the old file or the new one, and a link is replaced, not followed. */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const fresh = join(dirname(path), `.kami-${randomUUID()}.tmp`);
  try {
    await Bun.write(fresh, bytes);
    renameSync(fresh, path);
  } finally {
    rmSync(fresh, { force: true });
  }
}
