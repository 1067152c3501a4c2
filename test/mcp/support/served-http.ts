/**
 * `kami serve --http` as a process, on a free port.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Home, KAMI } from "./kami.ts";

/** A running `kami serve --http`. */
export class ServedHttp implements AsyncDisposable {
  readonly child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  /** What it wrote to stderr so far. */
  stderr = "";
  /** Where MCP is; empty on a Unix socket. */
  url = "";
  readonly #home: Home;
  readonly #pump: Promise<void>;

  private constructor(home: Home, flags: readonly string[]) {
    this.#home = home;
    const place = flags.includes("--unix") ? [] : ["--port", "0"];
    this.child = Bun.spawn([KAMI.command, KAMI.script, "serve", "--http", ...place, ...flags], {
      env: home.environment(),
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    this.#pump = this.#read();
  }

  /**
   * Starts one, and waits until it listens.
   *
   * @param flags - Beyond `--http --port 0`.
   */
  static async start(home: Home, flags: readonly string[] = []): Promise<ServedHttp> {
    const served = new ServedHttp(home, flags);
    const ended = served.#pump.then(() => true);
    while (!/serving MCP on (\S+)/.test(served.stderr)) {
      if (await Promise.race([ended, Bun.sleep(10)])) throw new Error(`kami serve ended:\n${served.stderr}`);
    }
    const address = /serving MCP on (\S+)/.exec(served.stderr)?.[1] ?? "";
    if (address.startsWith("http")) served.url = address;
    return served;
  }

  /** The port that it listens on. */
  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** The token that it made in its home. */
  get token(): string {
    return readFileSync(join(this.#home.path, "home", "http-token"), "utf8").trim();
  }

  /** Resolves when stderr fits. */
  async until(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.stderr)) await Bun.sleep(5);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null) this.child.kill("SIGKILL");
    await this.child.exited;
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.child.stderr) this.stderr += decoder.decode(chunk, { stream: true });
  }
}
