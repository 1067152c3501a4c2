/**
 * `kami serve`: serves the installed tools over MCP on standard input and output. stdout belongs to the protocol.
 */
import { join } from "node:path";
import { clean } from "../../errors.ts";
import { type Command, command } from "../command.ts";
import { shellWord } from "../example.ts";
import { EXIT } from "../exit-codes.ts";
import { openRuntime } from "../open.ts";

const ROOT = join(import.meta.dir, "..", "..", "..");

/** The line that works wherever it is typed: `kami` may not be on the PATH, and Bun obeys files of the current directory. */
const ADD_TO_CLAUDE = `claude mcp add --scope user kami -- bun ${shellWord(`--cwd=${ROOT}`)} bin/kami.ts serve`;

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
    { line: ADD_TO_CLAUDE, meaning: "add KAMI to Claude Code" },
    { line: "kami serve --concurrency 4", meaning: "at most four calls at once" },
  ],
  run: async ({ concurrency, db }, session) => {
    const { host, end } = session;
    const settings = session.settings({ concurrency, db });
    const stdout = host.reserveStdout();
    const log = (line: string): void => void host.stderr.write(`kami: ${clean(line, 2000)}\n`);
    if (host.stdinIsTerminal) log(`waiting for an MCP client on stdin. A client starts this itself: ${ADD_TO_CLAUDE}`);
    const { serveOverStdio } = await import("../../mcp/stdio.ts");
    await using runtime = await openRuntime(session, settings, { isolation: "process", log });
    await serveOverStdio(runtime, { stdin: host.stdin(), stdout, version: host.version, log, signal: end.signal });
    return EXIT.ok;
  },
});
