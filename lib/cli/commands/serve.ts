/**
 * `kami serve`: serves the installed tools over MCP on standard input and output, where stdout belongs to the protocol, or over HTTP.
 */
import { clean } from "../../errors.ts";
import { type Command, command } from "../command.ts";
import { shellWord } from "../example.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { checkHttpFlags, type HttpFlags, serveHttp } from "../http.ts";
import { ceilingsOf, openRuntime } from "../open.ts";
import type { Session } from "../session.ts";
import type { Settings } from "../settings.ts";
import { startWords } from "../shipped.ts";

const ADD_TO_CLAUDE = `claude mcp add --scope user kami -- ${startWords().map(shellWord).join(" ")} serve`;

/** `kami serve`. */
export const serve: Command = command({
  name: "serve",
  args: {
    concurrency: { type: "string", valueHint: "calls", description: "Calls that run at once (1 to 256)" },
    db: { type: "string", valueHint: "path", description: "The registry's database, in place of KAMI_HOME's" },
    http: { type: "boolean", description: "Serve over HTTP, at /mcp, in place of stdin and stdout" },
    port: { type: "string", valueHint: "port", description: "Port to listen on (3000; 0: any)" },
    host: { type: "string", valueHint: "address", description: "Address to listen on (127.0.0.1)" },
    unix: { type: "string", valueHint: "path", description: "Unix socket to listen on, in place of a port" },
    "token-file": { type: "string", valueHint: "path", description: "File with the token, in place of KAMI_HOME's" },
    "no-auth": { type: "boolean", description: "Ask for no token (on this machine's own addresses only)" },
    "auth-issuer": { type: "string", valueHint: "url", description: "Issuer whose signed tokens (JWT) are taken" },
    "auth-audience": {
      type: "string",
      valueHint: "text",
      description: "What those tokens must name as their audience",
    },
    "public-url": { type: "string", valueHint: "url", description: "URL of /mcp as clients know it, for their issuer" },
    "allow-host": { type: "string", valueHint: "names", description: "Further host names it answers to, by comma" },
    "allow-origin": { type: "string", valueHint: "origins", description: "Web pages that may use it, by comma" },
    "calls-per-minute": { type: "string", valueHint: "calls", description: "Calls a minute of each token" },
    "tls-cert": { type: "string", valueHint: "path", description: "Certificate, with its chain, as PEM" },
    "tls-key": { type: "string", valueHint: "path", description: "Its private key, as PEM" },
    "plain-http": { type: "boolean", description: "Listen for other machines without TLS: a proxy does it" },
  },
  notes: [
    "An agent's client starts this command itself. stdout carries the protocol and",
    "nothing else; KAMI's own log goes to stderr. The end of stdin, Ctrl-C and",
    "SIGTERM end the server: calls in flight are stopped, and the exit code is 0.",
    "",
    "With --http, clients send a token: KAMI_HOME/http-token, which is made when",
    "there is none; one of kami token; or one of --auth-issuer, with the scope",
    "tools or tool:<id>. Ctrl-C and SIGTERM let calls in flight finish.",
    "/health and /ready answer without a token.",
  ],
  examples: [
    { line: ADD_TO_CLAUDE, meaning: "add KAMI to Claude Code" },
    { line: "kami serve --concurrency 4", meaning: "at most four calls at once" },
    { line: "kami serve --http", meaning: "at http://127.0.0.1:3000/mcp, with a token" },
  ],
  run: async ({ concurrency, db, ...flags }, session) => {
    checkHttpFlags(flags);
    const settings = session.settings({ concurrency, db });
    return flags.http ? overHttp(flags, session, settings) : overStdio(session, settings);
  },
});

async function overHttp(flags: HttpFlags, session: Session, settings: Settings): Promise<ExitCode> {
  const log = logOf(session);
  const { timeoutMs: longestCallMs = 0 } = ceilingsOf(settings);
  await using runtime = await openRuntime(session, settings, { isolation: "process", log });
  const home = String(settings.get("home")?.value);
  await serveHttp(flags, { session, runtime, home, longestCallMs, log });
  return EXIT.ok;
}

async function overStdio(session: Session, settings: Settings): Promise<ExitCode> {
  const { host, end } = session;
  const stdout = host.reserveStdout();
  const log = logOf(session);
  if (host.stdinIsTerminal) log(`waiting for an MCP client on stdin. A client starts this itself: ${ADD_TO_CLAUDE}`);
  const { serveOverStdio } = await import("../../mcp/stdio.ts");
  await using runtime = await openRuntime(session, settings, { isolation: "process", log });
  await serveOverStdio(runtime, { stdin: host.stdin(), stdout, version: host.version, log, signal: end.signal });
  return EXIT.ok;
}

function logOf({ host }: Session): (line: string) => void {
  return (line) => void host.stderr.write(`kami: ${clean(line, 2000)}\n`);
}
