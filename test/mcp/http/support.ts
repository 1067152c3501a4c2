/**
 * An HTTP server in the test's own process, and a client that says exactly what it is told to.
 */
import { connect, type Socket } from "node:net";
import { AccessCheck } from "../../../lib/mcp/http/access.ts";
import { type HttpOptions, HttpServer } from "../../../lib/mcp/http/server.ts";
import { TokenCheck, TokenStore } from "../../../lib/mcp/http/tokens.ts";
import { LOOPBACK_HOSTS } from "../../../lib/mcp/http/names.ts";
import type { ToolHost } from "../../../lib/mcp/server.ts";
import { TestHost } from "../support/host.ts";

/** The owner's token of every {@link TestServer}. */
export const TOKEN = "kami_test-test-test-test-test-test";

/** What every request of the 2026-07-28 era carries. */
export const MODERN_META: Readonly<Record<string, unknown>> = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
};

/** A server on a free port of loopback. */
export class TestServer implements AsyncDisposable {
  readonly log: string[] = [];
  readonly http: HttpServer;
  readonly url: string;
  readonly port: number;

  constructor(host: ToolHost = new TestHost().install({ id: "dev.x.echo" }), options: Partial<HttpOptions> = {}) {
    this.http = new HttpServer(host, {
      place: { kind: "tcp", host: "127.0.0.1", port: 0 },
      names: { hosts: LOOPBACK_HOSTS, origins: new Set() },
      access: new AccessCheck({ tokens: new TokenCheck(TOKEN, new TokenStore("/nowhere")) }),
      drainMs: 1000,
      version: "9.9.9",
      log: (line) => this.log.push(line),
      ...options,
    });
    this.url = this.http.address;
    this.port = Number(URL.canParse(this.url) ? new URL(this.url).port : 0);
  }

  /** Sends a request with the owner's token; headers can be replaced, and taken away with "". */
  send(
    init: Omit<RequestInit, "headers"> & { readonly headers?: Record<string, string> },
    path = "/mcp",
  ): Promise<Response> {
    const headers = new Headers({
      authorization: `Bearer ${TOKEN}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    });
    for (const [name, value] of Object.entries(init.headers ?? {})) {
      if (value === "") headers.delete(name);
      else headers.set(name, value);
    }
    return fetch(new URL(path, this.url), { ...init, headers });
  }

  /** Posts a body. */
  post(body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return this.send({ method: "POST", body: typeof body === "string" ? body : JSON.stringify(body), headers });
  }

  /** Posts a request of the 2026-07-28 era. */
  modern(
    method: string,
    params: Record<string, unknown> = {},
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const name = typeof params["name"] === "string" ? { "mcp-name": params["name"] } : {};
    return this.post(
      { jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: MODERN_META } },
      { "mcp-protocol-version": "2026-07-28", "mcp-method": method, ...name, ...headers },
    );
  }

  /** Begins a session. */
  async begin(headers: Record<string, string> = {}): Promise<TestSession> {
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "test", version: "1" } };
    const response = await this.post({ jsonrpc: "2.0", id: 0, method: "initialize", params }, headers);
    await response.text();
    const id = response.headers.get("mcp-session-id") ?? "";
    const session = new TestSession(this, { ...headers, "mcp-session-id": id });
    await session.send({ method: "notifications/initialized" });
    return session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.http[Symbol.asyncDispose]();
  }
}

/** A session of the eras before. */
export class TestSession {
  readonly #server: TestServer;
  readonly headers: Record<string, string>;

  constructor(server: TestServer, headers: Record<string, string>) {
    this.#server = server;
    this.headers = headers;
  }

  /** Posts a message. */
  send(message: object, init: { readonly signal?: AbortSignal } = {}): Promise<Response> {
    const body = JSON.stringify({ jsonrpc: "2.0", ...message });
    return this.#server.send({ method: "POST", body, headers: this.headers, ...init });
  }

  /** Posts a request and reads its answer out of the event stream. */
  async ask(id: number, method: string, params: Record<string, unknown> = {}): Promise<unknown> {
    const response = await this.send({ id, method, params });
    return readEvent(await response.text());
  }
}

/** The last message of an event stream; a body that is none as JSON. */
export function readEvent(text: string): unknown {
  const lines = text.split("\n").filter((line) => line.startsWith("data: "));
  return JSON.parse(lines.at(-1)?.slice("data: ".length) ?? text);
}

/** A failed request: its status and what the body says. */
export async function refusalOf(response: Response): Promise<Record<string, unknown>> {
  const body: unknown = await response.json();
  return { status: response.status, body };
}

/** A bare connection. */
export class Wire implements Disposable {
  readonly socket: Socket;
  /** All that came. */
  text = "";
  /** Resolves when the server has closed it. */
  readonly closed: Promise<void>;

  constructor(port: number) {
    this.socket = connect({ port, host: "127.0.0.1" });
    this.socket.on("data", (chunk: Uint8Array) => (this.text += Buffer.from(chunk).toString("latin1")));
    this.socket.on("error", () => undefined);
    this.closed = new Promise((resolve) => this.socket.on("close", () => resolve()));
  }

  /** Sends text. */
  send(text: string): this {
    this.socket.write(text);
    return this;
  }

  /** Resolves when what came fits. */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.text)) {
      const gone = this.closed.then(() => "closed");
      if ((await Promise.race([gone, Bun.sleep(5)])) === "closed") break;
    }
    return this.text;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
