/**
 * Runs compilers, which are the user's programs, with the user's environment. Nothing that a project contains chooses what is run, nor with which flags.
 */
import { refuse } from "../errors.ts";
import { SHIPMENT } from "../roles.ts";

/** What builds are made with. */
export interface Workshop {
  /** Absolute path of the running Bun. */
  readonly bun: string;
  /** The user's own. */
  readonly environment: ReadonlyMap<string, string>;
  /** Takes all that a compiler said when it failed: text of anybody's, for a person. */
  readonly say?: ((text: string) => void) | undefined;
  /** Absolute path of an empty directory, which the caller removes. */
  readonly scratch: string;
  /** Aborting it ends the compiler. */
  readonly signal?: AbortSignal | undefined;
}

/** One run of a compiler. */
export interface CompilerRun {
  /** What messages call it. */
  readonly what: string;
  /** The program, absolute, and its arguments. */
  readonly words: readonly string[];
  readonly cwd: string;
  /** On top of the user's. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/**
 * For every Bun that is started: what lies in a directory changes nothing about how it starts, nothing is downloaded, and no code of the project
 * runs while it is bundled.
 */
export const BUN_FLAGS: readonly string[] = [
  "--no-env-file",
  "--config=/dev/null",
  "--no-install",
  "--no-macros",
  "--no-orphans",
];

/** Lines of a compiler's words that a failure repeats. */
const REPEATED = 4;

/**
 * Runs a compiler to its end.
 *
 * @returns Its standard output.
 * @throws {Failure} `BUILD_FAILED` with its words; `CANCELLED`
 */
export async function runCompiler(workshop: Workshop, run: CompilerRun): Promise<string> {
  const { signal } = workshop;
  requireWanted(signal);
  const child = Bun.spawn([...run.words], {
    cwd: run.cwd,
    env: { ...Object.fromEntries(workshop.environment), ...run.environment, ...bunVariables(workshop, run) },
    stdin: new Blob([run.input ?? ""]),
    stdout: "pipe",
    stderr: "pipe",
    ...(signal === undefined ? {} : { signal, killSignal: "SIGKILL" }),
  });
  const [output, words] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  const exitCode = await child.exited;
  requireWanted(signal);
  if (exitCode === 0) return output;
  const said = words.trim() === "" ? output : words;
  workshop.say?.(`${said.trimEnd()}\n`);
  throw refuse("BUILD_FAILED", { what: run.what, reason: gist(said) });
}

function requireWanted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw refuse("CANCELLED", {});
}

/** The binary contains Bun, and is it when it is told so. */
function bunVariables({ bun }: Workshop, { words }: CompilerRun): Readonly<Record<string, string>> {
  return SHIPMENT === "binary" && words[0] === bun ? { BUN_BE_BUN: "1" } : {};
}

/** The lines that name an error, else the last ones. */
function gist(said: string): string {
  const lines = said.split("\n").filter((line) => line.trim() !== "");
  const errors = lines.filter((line) => /\berror\b/i.test(line));
  return (errors.length > 0 ? errors.slice(0, REPEATED) : lines.slice(-REPEATED)).join("; ");
}

/**
 * Finds a program on the user's PATH.
 *
 * @param names - In order of preference.
 * @returns Its absolute path; undefined when there is none. Never one in the current directory.
 */
export function findProgram({ environment }: Workshop, names: readonly string[]): string | undefined {
  const path = (environment.get("PATH") ?? "")
    .split(":")
    .filter((folder) => folder.startsWith("/"))
    .join(":");
  for (const name of names) {
    const found = Bun.which(name, { PATH: path, cwd: "/" });
    if (found !== null) return found;
  }
  return undefined;
}

/** Runs a program for what it prints. @returns Undefined when it fails. */
export function ask(workshop: Workshop, words: readonly string[]): string | undefined {
  const { exitCode, stdout } = Bun.spawnSync([...words], {
    env: Object.fromEntries(workshop.environment),
    cwd: workshop.scratch,
  });
  return exitCode === 0 ? stdout.toString().trim() : undefined;
}
