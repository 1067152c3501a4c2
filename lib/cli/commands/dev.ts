/**
 * `kami dev`: watches a tool's sources, rebuilds it at every save, and serves it over MCP from a home of its own. stdout belongs to the protocol.
 */
import { watch } from "node:fs";
import { join, resolve } from "node:path";
import { LANGUAGE_NAMES } from "../../author/project.ts";
import { MANIFEST_NAME } from "../../registry/package.ts";
import { digestOf } from "../../digest.ts";
import { clean, Failure } from "../../errors.ts";
import { announceNow } from "../../mcp/watch.ts";
import type { Runtime } from "../../runtime.ts";
import { type Command, command } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { openRuntime } from "../open.ts";
import type { Session } from "../session.ts";
import { buildDirectory } from "../workshop.ts";
import { formatNumber } from "../words.ts";

/** Milliseconds without a change after which a build starts: an editor writes a file in several steps. */
const QUIET_MS = 20;
/** What a build itself writes, and what is no source. */
const IGNORED = /(?:^|\/)(?:node_modules|target|\.git|tests)\/|\.(?:wasm|zip|tmp|swp)$|~$|(?:^|\/)\.[^/]*$/;

/** `kami dev [dir]`. */
export const dev: Command = command({
  name: "dev",
  args: {
    dir: { type: "positional", required: false, description: "The tool's directory; default: the current one" },
    engine: { type: "string", valueHint: "name", description: "For TypeScript: quickjs or spidermonkey" },
  },
  notes: [
    "An agent's client starts this command as it starts kami serve. Each save is built",
    "and installed into a home of its own, so that your other tools are left alone; a",
    "client that is connected calls the new version from then on. Calls, builds and",
    "their errors are shown on stderr.",
  ],
  examples: [
    { line: "claude mcp add hello -- kami dev ./hello", meaning: "try a tool in Claude Code while you write it" },
  ],
  run: async ({ dir = ".", engine }, session) => {
    const { host, end } = session;
    const directory = resolve(host.currentDirectory(), dir);
    const settings = session.settings();
    const home = join(String(settings.get("home")?.value), "dev", digestOf(directory).slice(0, 16));
    const stdout = host.reserveStdout();
    const log = (line: string): void => void host.stderr.write(`kami: ${clean(line, 3000)}\n`);
    const [{ serveOverStdio }, { WarmCompiler }] = await Promise.all([
      import("../../mcp/stdio.ts"),
      import("../../component/warm.ts"),
    ]);
    using compiler = new WarmCompiler();
    const { compile } = compiler;
    const place = { home, database: join(home, "registry.db") };
    await using runtime = await openRuntime(session, settings, { isolation: "process", log, compile, ...place });
    const builder = new Builder({ session, runtime, directory, engine, log });
    using watching = builder.watch();
    void watching;
    if (host.stdinIsTerminal)
      log(`waiting for an MCP client on stdin. A client starts this itself; see: kami dev --help`);
    await builder.build();
    await serveOverStdio(runtime, { stdin: host.stdin(), stdout, version: host.version, log, signal: end.signal });
    return EXIT.ok;
  },
});

interface BuilderOptions {
  readonly session: Session;
  readonly runtime: Runtime;
  /** Absolute. */
  readonly directory: string;
  readonly engine: string | undefined;
  readonly log: (line: string) => void;
}

/**
 * Builds at every change, one build at a time. A change meanwhile ends the build, which nobody wants any more, and begins another; that one runs to its
 * end: who saves all the time gets something as well.
 */
class Builder {
  readonly #options: BuilderOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Ends the build that is under way. */
  #building: AbortController | undefined;
  #isStale = false;
  /** Whether the build before this one was ended. */
  #hasCut = false;

  constructor(options: BuilderOptions) {
    this.#options = options;
  }

  /** Builds and installs. What goes wrong is shown; the version before stays. */
  async build(): Promise<void> {
    const { session, runtime, directory, engine, log } = this.#options;
    const startMs = performance.now();
    const { signal } = (this.#building = new AbortController());
    try {
      const { project } = await buildDirectory(session, directory, { engine, signal });
      const { tool } = await runtime.install(directory);
      announceNow(runtime);
      const seconds = formatNumber((performance.now() - startMs) / 1000);
      log(`built ${tool.id} ${tool.version} from ${LANGUAGE_NAMES[project.language]} in ${seconds} s`);
    } catch (error) {
      // Whoever ends the command does not want to hear that its build was cut short.
      if (session.end.signal.aborted) return;
      if (!(error instanceof Failure)) throw error;
      if (!signal.aborted) log(`${error.message}${error.hint === undefined ? "" : ` (${error.hint})`}`);
    } finally {
      this.#building = undefined;
      this.#hasCut = signal.aborted;
    }
    if (!this.#isStale) return;
    this.#isStale = false;
    await this.build();
  }

  /** Watches the sources until it is disposed of. */
  watch(): Disposable {
    const { directory } = this.#options;
    const watcher = watch(directory, { recursive: true }, (_event, name) => {
      if (name !== null && (name === MANIFEST_NAME || !IGNORED.test(name))) this.#changed();
    });
    return { [Symbol.dispose]: () => (watcher.close(), clearTimeout(this.#timer)) };
  }

  #changed(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#building === undefined) void this.build();
      else {
        this.#isStale = true;
        if (!this.#hasCut) this.#building.abort();
      }
    }, QUIET_MS);
  }
}
