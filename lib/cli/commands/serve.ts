/**
 * `kami serve`: serves the installed tools over MCP on standard input and output. stdout belongs to the protocol.
 */
import { clean } from "../../errors.ts";
import { type Command, command } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { openRuntime } from "../open.ts";

/** `kami serve`. */
export const serve: Command = command({
  name: "serve",
  args: {
    concurrency: { type: "string", valueHint: "calls", description: "Calls that run at once (1 to 256)" },
    db: { type: "string", valueHint: "path", description: "The registry's database, in place of KAMI_HOME's" },
  },
  notes: [
    "An agent's client starts this command itself. stdout carries the protocol and",
    "nothing else; KAMI's own log goes to stderr. The end of stdin, Ctrl-C and",
    "SIGTERM end the server: calls in flight are stopped, and the exit code is 0.",
  ],
  examples: [
    { line: "claude mcp add kami -- kami serve", meaning: "add KAMI to Claude Code" },
    { line: "kami serve --concurrency 4", meaning: "at most four calls at once" },
  ],
  run: async ({ concurrency, db }, session) => {
    const { host, end } = session;
    const settings = session.settings({ concurrency, db });
    const stdout = host.reserveStdout();
    const log = (line: string): void => void host.stderr.write(`kami: ${clean(line, 2000)}\n`);
    if (host.stdinIsTerminal) {
      log("waiting for an MCP client on stdin. A client starts this by itself: claude mcp add kami -- kami serve");
    }
    const { serveOverStdio } = await import("../../mcp/stdio.ts");
    await using runtime = await openRuntime(session, settings, log);
    await serveOverStdio(runtime, { stdin: host.stdin(), stdout, version: host.version, log, signal: end.signal });
    return EXIT.ok;
  },
});
