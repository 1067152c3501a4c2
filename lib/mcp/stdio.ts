/**
 * MCP over standard input and output, as `kami serve` speaks it: both eras of the protocol, one client, many calls at once.
 */
import { setTimeout as delay } from "node:timers/promises";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { clean } from "../errors.ts";
import { Questions } from "./questions.ts";
import { CallsInFlight } from "./calls.ts";
import { KeptResults } from "./kept-results.ts";
import { Catalog } from "./catalog.ts";
import { type Connection, createServer, type ToolHost } from "./server.ts";
import { LineTransport, type Streams } from "./wire.ts";

/** Milliseconds that a client which has stopped reading gets to take the last answers. */
const FLUSH_LIMIT_MS = 1000;

/** Where a server on standard input and output reads, writes and logs. */
export interface StdioOptions extends Streams {
  /** KAMI's version. */
  readonly version: string;
  /** Takes one clean line: failures, what guests wrote, bad messages. Default: dropped. */
  readonly log?: (line: string) => void;
  /** Ends the server as the end of stdin does. */
  readonly signal?: AbortSignal;
}

/**
 * Serves the installed tools until stdin ends, stdout breaks or the signal aborts. Then it interrupts the calls in flight, answers what
 * was asked before the end, and resolves when all of it is written. The runtime and the streams stay open: they are the caller's.
 *
 * @param runtime - What calls the tools.
 * @param options - Streams, log and signal.
 */
export async function serveOverStdio(runtime: ToolHost, options: StdioOptions): Promise<void> {
  const log = options.log ?? (() => {});
  const stop = new AbortController();
  const connection: Connection = {
    host: runtime,
    version: options.version,
    log,
    signal: stop.signal,
    calls: new CallsInFlight(),
    questions: new Questions(),
    kept: new KeptResults(),
    client: undefined,
    catalog: new Catalog(runtime.registry),
    isLasting: true,
  };
  const wire = new LineTransport(options);
  const handle = serveStdio(({ era }) => createServer(connection, era), {
    transport: wire,
    onerror: (error) => log(`MCP: ${clean(error.message)}`),
  });
  await Promise.race([wire.ended, aborted(options.signal)]);
  stop.abort();
  connection.calls.interrupt();
  await connection.calls.settled();
  await handle.close();
  await Promise.race([wire.flushed(), delay(FLUSH_LIMIT_MS, undefined, { ref: false })]);
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal?.aborted === true) resolve();
  signal?.addEventListener("abort", () => resolve(), { once: true });
  return promise;
}
