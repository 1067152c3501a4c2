/**
 * What the commands for authors share: the project that they were given, its build, and what a build is told about.
 */
import type { Built, BuildOptions } from "../author/build.ts";
import { checkTool, type ComponentFacts, type Finding } from "../author/check.ts";
import { type Project, readProject } from "../author/project.ts";
import type { Engine } from "../author/script.ts";
import { compileComponent } from "../component/compile.ts";
import { checkInitialMemory } from "../component/library.ts";
import { clean, Failure, quote, refuse } from "../errors.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { MEBIBYTE } from "./limits.ts";
import { showControls } from "./output.ts";
import type { Session } from "./session.ts";
import { wrap } from "./table.ts";

/** What builds are made with: the user's own environment, and this Bun. */
function buildOptions({ host, json }: Session, engine: string | undefined): BuildOptions {
  const say = (text: string): void => void host.stderr.write(showControls(text));
  return { bun: process.execPath, environment: host.environment, engine: readEngine(engine), ...(json ? {} : { say }) };
}

/** How a project is to be built. */
interface BuildWish {
  /** As the user names it. */
  readonly engine?: string | undefined;
  /** Aborting it ends the build. */
  readonly signal?: AbortSignal | undefined;
}

/** Builds the project of a directory. @throws {Failure} */
export async function buildDirectory(
  session: Session,
  directory: string,
  { engine, signal }: BuildWish = {},
): Promise<Built & { readonly project: Project }> {
  const project = readProject(directory);
  const { buildProject } = await import("../author/build.ts");
  const options = { ...buildOptions(session, engine), signal };
  return { ...(await session.end.interruptible(buildProject(project, options))), project };
}

/** What is known of a tool that was checked. */
export interface Checked extends ComponentFacts {
  readonly findings: readonly Finding[];
}

/**
 * Compiles a component as an install would, and looks at the tool.
 *
 * @throws {Failure} `COMPONENT_*`, `COMPILE_*`, `INSTRUCTION_UNKNOWN`
 */
export async function checkComponent(component: Uint8Array, manifest: Manifest): Promise<Checked> {
  const artifact = await compileComponent(component);
  const facts = { kind: artifact.kind, imports: artifact.imports, bytes: component.length };
  const findings = [...checkTool(manifest, facts)];
  try {
    checkInitialMemory(artifact, manifest.security.maxMemoryMb * MEBIBYTE);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    findings.unshift({ level: "error", text: error.message, hint: "raise security.max_memory_mb" });
  }
  return { ...facts, findings };
}

const COLORS = { error: "red", warning: "yellow", note: "dim" } as const;

/** Findings as lines, each with its hint below. */
export function findingLines(findings: readonly Finding[], { paint, host }: Session): readonly string[] {
  return findings.flatMap(({ level, text, hint }) => [
    `${paint(COLORS[level], `${level}:`)} ${wrap(clean(text, 1000), host.stdout.columns)}`,
    `  ${paint("dim", "hint:")} ${clean(hint, 1000)}`,
  ]);
}

function readEngine(text: string | undefined): Engine | undefined {
  if (text === undefined || text === "quickjs" || text === "spidermonkey") return text;
  throw refuse("USAGE", {
    problem: `Cannot use --engine ${quote(text)}: there is no such engine`,
    hint: "use quickjs or spidermonkey",
  });
}
