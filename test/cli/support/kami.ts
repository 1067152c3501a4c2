/**
 * The real `kami`, as a child process with a home of its own.
 */
import { copyFileSync, mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { guestPath } from "../../../fixtures/paths.ts";
import type { TemporaryDirectory } from "./directory.ts";

const KAMI = fileURLToPath(new URL("../../../bin/kami.ts", import.meta.url));

/** How a run of `kami` ended. */
export interface Finished {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What surrounds a run of `kami`. */
export interface Surroundings {
  /** KAMI_HOME. */
  readonly home: string;
  /** The current directory; default: this process's. */
  readonly directory?: string;
  /** Further variables. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Standard input; default: empty. */
  readonly stdin?: Blob;
}

/** Starts `kami`; its streams are pipes. */
export function startKami(
  words: readonly string[],
  { home, directory, environment, stdin }: Surroundings,
): Bun.Subprocess<Blob, "pipe", "pipe"> {
  return Bun.spawn([process.execPath, KAMI, ...words], {
    env: { PATH: process.env.PATH, HOME: join(home, ".."), KAMI_HOME: home, ...environment },
    stdin: stdin ?? new Blob([""]),
    stdout: "pipe",
    stderr: "pipe",
    ...(directory === undefined ? {} : { cwd: directory }),
  });
}

/** Runs `kami` to its end. */
export async function kami(words: readonly string[], surroundings: Surroundings): Promise<Finished> {
  const child = startKami(words, surroundings);
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exitCode, stdout, stderr };
}

/** What the manifest of a test's package says. */
export interface PackageOptions {
  readonly guest: string;
  readonly id: string;
  /** Value of `tool.wasm`; default: the guest's own file name. */
  readonly wasm?: string;
  readonly version?: string;
  /** Lines behind `[security]` and what else is wanted. */
  readonly rest?: string;
}

/** Writes a package for a guest of the fixtures, and names its directory. */
export function writePackage(temporary: TemporaryDirectory, name: string, options: PackageOptions): string {
  const component = guestPath(options.guest);
  const file = basename(component);
  mkdirSync(temporary.at(name), { recursive: true });
  copyFileSync(component, temporary.at(name, file));
  temporary.write(
    join(name, "tool.toml"),
    `[tool]
id = "${options.id}"
name = "${options.guest}"
version = "${options.version ?? "1.0.0"}"
wasm = "${options.wasm ?? file}"

[mcp]
description = "The ${options.guest} guest"

[security]
${options.rest ?? ""}
`,
  );
  return temporary.at(name);
}
