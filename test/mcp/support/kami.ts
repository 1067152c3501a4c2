/**
 * The real `kami`, as processes: a home of its own for a test, packages made of fixtures, and `kami serve` at the end of two pipes.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { guestPath } from "../../../fixtures/paths.ts";
import { Asker } from "./conversation.ts";

/** How a client starts `kami`. */
export const KAMI: { readonly command: string; readonly script: string } = {
  command: process.execPath,
  script: resolve(import.meta.dir, "../../../bin/kami.ts"),
};

/** A temporary KAMI_HOME. */
export class Home implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), "kami-mcp-"));

  /** The environment of a `kami` of this home. Nothing else of the test's environment is in it. */
  environment(): Record<string, string> {
    return { KAMI_HOME: join(this.path, "home"), HOME: this.path, PATH: "/usr/bin:/bin" };
  }

  /**
   * Makes a package of a guest, under the id `dev.kami.fixture.<name>`.
   *
   * @param guest - A folder of `fixtures/guests/`.
   * @param security - Lines of its `[security]`.
   * @param name - The last label of its id; default: the guest's.
   * @returns The package's directory.
   */
  makePackage(guest: string, security = "", name: string = guest): string {
    const directory = join(this.path, "packages", name);
    mkdirSync(directory, { recursive: true });
    copyFileSync(guestPath(guest), join(directory, "tool.wasm"));
    writeFileSync(
      join(directory, "tool.toml"),
      `[tool]\nid = "dev.kami.fixture.${name}"\nname = "${name}"\nversion = "1.0.0"\nwasm = "tool.wasm"\n` +
        `[mcp]\ndescription = "Fixture ${name}"\n[security]\n${security}\n`,
    );
    return directory;
  }

  /** Installs a package with `kami install`. */
  async install(directory: string, flags: readonly string[] = []): Promise<void> {
    const child = Bun.spawn([KAMI.command, KAMI.script, "install", directory, ...flags], {
      env: this.environment(),
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const [exitCode, stderr] = await Promise.all([child.exited, new Response(child.stderr).text()]);
    if (exitCode !== 0) throw new Error(`kami install ${directory} ended with ${exitCode}:\n${stderr}`);
  }

  /** Installs packages, a few at a time: most of an installation is the start of its process. */
  async installAll(directories: readonly string[], flags: readonly string[] = []): Promise<void> {
    const left = [...directories];
    const install = async (): Promise<void> => {
      for (let next = left.pop(); next !== undefined; next = left.pop()) await this.install(next, flags);
    };
    await Promise.all([install(), install(), install()]);
  }

  /** Starts `kami serve`. */
  serve(...flags: string[]): Served {
    return new Served(this.environment(), flags);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** A running `kami serve`. */
export class Served extends Asker implements AsyncDisposable {
  readonly child: Bun.Subprocess<"pipe", "pipe", "pipe">;
  /** What it wrote to stderr so far. */
  stderr = "";
  readonly #pumps: Promise<unknown>;

  constructor(environment: Record<string, string>, flags: readonly string[]) {
    const child = Bun.spawn([KAMI.command, KAMI.script, "serve", ...flags], {
      env: environment,
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    });
    super((bytes) => {
      void child.stdin.write(bytes);
      void child.stdin.flush();
    });
    this.child = child;
    this.#pumps = Promise.all([this.#readStdout(), this.#readStderr()]);
  }

  /** Closes stdin and resolves with the exit code, when all that it wrote has been read. */
  async end(): Promise<number> {
    await this.child.stdin.end();
    await this.#pumps;
    return this.child.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null) this.child.kill("SIGKILL");
    await this.child.exited;
  }

  async #readStdout(): Promise<void> {
    for await (const chunk of this.child.stdout) this.inbox.push(chunk);
  }

  async #readStderr(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.child.stderr) this.stderr += decoder.decode(chunk, { stream: true });
  }
}
