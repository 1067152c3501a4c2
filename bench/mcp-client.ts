/**
 * Clients of MCP that do nothing but ask and wait: what a real client adds is not in the figures.
 */
import { PassThrough, Writable } from "node:stream";
import { serveOverStdio } from "../lib/mcp/stdio.ts";
import type { ToolHost } from "../lib/mcp/server.ts";

/** A request's method and parameters. */
export interface Ask {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** What an answer may hold. */
export interface Answer {
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: unknown;
}

/** What every request of 2026-07-28 carries. */
const META: Readonly<Record<string, unknown>> = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
  "io.modelcontextprotocol/clientInfo": { name: "bench", version: "1" },
};

const ACCESS = "kami_bench-bench-bench-bench-bench-bench";

/** The token that {@link askOverHttp} sends. */
export const BENCH_TOKEN: string = ACCESS;

/** One connection over lines of JSON. */
export class LineClient {
  readonly #write: (text: string) => void;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #rest = "";
  #lastId = 0;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** Takes what the server wrote. */
  push(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const message: Answer & { readonly id?: number } = JSON.parse(line);
      const resolve = message.id === undefined ? undefined : this.#waiting.get(message.id);
      if (message.id !== undefined) this.#waiting.delete(message.id);
      resolve?.(message);
    }
  }

  /** Asks, and resolves with the answer. */
  ask({ method, params }: Ask): Promise<Answer> {
    const id = (this.#lastId += 1);
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#waiting.set(id, resolve);
    this.#write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    return promise;
  }

  /** Opens the connection as clients of 2025-11-25 do. */
  async initialize(): Promise<void> {
    const clientInfo = { name: "bench", version: "1" };
    await this.ask({ method: "initialize", params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo } });
    this.#write(`${JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" })}\n`);
  }
}

/** A server on a pair of streams in this process, and its client. */
export class StdioPair extends LineClient implements AsyncDisposable {
  readonly #stdin: PassThrough;
  readonly #ended: Promise<void>;

  constructor(host: ToolHost) {
    const stdin = new PassThrough();
    super((text) => void stdin.write(text));
    this.#stdin = stdin;
    const stdout = new Writable({
      write: (chunk: Uint8Array, _encoding, done) => {
        this.push(new TextDecoder().decode(chunk));
        done();
      },
    });
    this.#ended = serveOverStdio(host, { version: "0", stdin, stdout });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stdin.end();
    await this.#ended;
  }
}

/** Asks over HTTP, as clients of 2026-07-28 do. */
export async function askOverHttp(url: string, { method, params }: Ask): Promise<Answer> {
  const { name } = params;
  const response = await fetch(url, {
    method: "POST",
    headers: {
      authorization: `Bearer ${ACCESS}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": method,
      ...(typeof name === "string" && { "mcp-name": name }),
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: META } }),
  });
  const text = await response.text();
  const lines = text.split("\n").filter((line) => line.startsWith("data: "));
  const answer: Answer = JSON.parse(lines.at(-1)?.slice("data: ".length) ?? text);
  return answer;
}
