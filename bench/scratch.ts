/**
 * What a benchmark leaves behind unless it is cleared: a temporary directory, and processes that run.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

/** Names of what a machine may need to reach a registry, and of where its Rust is. */
const CARRIED =
  /^(?:https?_proxy|no_proxy|all_proxy|ssl_cert_file|node_extra_ca_certs|npm_config_registry|rustc|rustup_home|cargo_home)$/i;

/** A process started for a benchmark; its standard error can be read. */
type Child = Bun.Subprocess<"ignore", "pipe", "pipe">;

/** A temporary directory and the processes started beside it; both end on disposal. */
export class Scratch implements Disposable {
  readonly #root = mkdtempSync(join(tmpdir(), "kami-bench-"));
  readonly #children = new Set<Child>();

  /** Makes a directory. @returns Its absolute path. */
  directory(name: string): string {
    const path = join(this.#root, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /**
   * Runs a process of this Bun to its end. It gets only `PATH` and the given variables, keeps its own temporary files in here, and ends when
   * this process does.
   *
   * @returns Its standard output.
   * @throws {Error} with its standard error when it fails.
   */
  async run(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<string> {
    const child = Bun.spawn([process.execPath, "--no-orphans", ...words], {
      cwd: this.#root,
      env: { PATH: process.env["PATH"], HOME: this.#root, TMPDIR: this.#root, ...environment },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    this.#children.add(child);
    const [stdout, stderr, exitCode] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    this.#children.delete(child);
    if (exitCode !== 0) throw new Error(`bun ${words.join(" ")}: exit code ${exitCode}: ${stderr.trim()}`);
    return stdout;
  }

  [Symbol.dispose](): void {
    // Before the directory: a process that lives on would write to it again.
    for (const child of this.#children) child.kill("SIGKILL");
    rmSync(this.#root, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
  }
}

/** @returns Of this process's environment, what a machine may need to reach a registry, and where its Rust is. */
export function carried(): Readonly<Record<string, string>> {
  const entries = Object.entries(process.env).flatMap(([name, value]) =>
    value !== undefined && CARRIED.test(name) ? [[name, value] as const] : [],
  );
  // A toolchain that rustup installed is in the user's home, which no process here has.
  const homes = { RUSTUP_HOME: join(homedir(), ".rustup"), CARGO_HOME: join(homedir(), ".cargo") };
  return { ...homes, ...Object.fromEntries(entries) };
}
