/**
 * A conversation with the server line by line, as a client sees it that keeps every byte: what it sent, and what came back.
 */
import { PassThrough, Writable } from "node:stream";
import { serveOverStdio } from "../../../lib/mcp/stdio.ts";
import type { ToolHost } from "../../../lib/mcp/server.ts";

/** A JSON-RPC message, loosely. */
export interface Message {
  readonly jsonrpc: string;
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** The `_meta` that every request of the 2026-07-28 era carries. */
const MODERN_META: Readonly<Record<string, unknown>> = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
  "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
};

/** Everything that arrived, cut into messages. */
export class Inbox {
  readonly messages: Message[] = [];
  /** Every byte that arrived, as text. */
  text = "";
  #rest = "";
  readonly #decoder = new TextDecoder();
  readonly #waiting = new Set<() => void>();

  /** Takes the next bytes. */
  push(chunk: Uint8Array): void {
    const text = this.#decoder.decode(chunk, { stream: true });
    this.text += text;
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    this.messages.push(...lines.map((line): Message => JSON.parse(line)));
    for (const wake of this.#waiting) wake();
  }

  /** Resolves with the first message that fits, whether it has come already or is to come. */
  async find(fits: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = this.messages.find(fits);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }

  /** Resolves with the answer to a request. */
  answer(id: string | number): Promise<Message> {
    return this.find((message) => message.id === id);
  }
}

/** Asks the server, whatever carries the bytes. */
export class Asker {
  readonly inbox: Inbox = new Inbox();
  readonly #write: (bytes: string | Uint8Array) => void;
  #lastId = 0;

  constructor(write: (bytes: string | Uint8Array) => void) {
    this.#write = write;
  }

  /** Sends bytes as they are. */
  raw(bytes: string | Uint8Array): void {
    this.#write(bytes);
  }

  /** Sends a message. */
  send(message: object): void {
    this.#write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  }

  /** Sends a request and returns its id. */
  request(method: string, params: Record<string, unknown> = {}): number {
    this.#lastId += 1;
    this.send({ id: this.#lastId, method, params });
    return this.#lastId;
  }

  /** Sends a request and resolves with its answer. */
  ask(method: string, params: Record<string, unknown> = {}): Promise<Message> {
    return this.inbox.answer(this.request(method, params));
  }

  /** Sends a request of the 2026-07-28 era and resolves with its answer. */
  askModern(method: string, params: Record<string, unknown> = {}): Promise<Message> {
    return this.ask(method, { ...params, _meta: Object.assign({}, MODERN_META, params["_meta"]) });
  }

  /** Opens the connection as a client of an earlier era does. */
  async initialize(protocolVersion = "2025-11-25"): Promise<Message> {
    const clientInfo = { name: "test", version: "1" };
    const answer = await this.ask("initialize", { protocolVersion, capabilities: {}, clientInfo });
    this.send({ method: "notifications/initialized" });
    return answer;
  }

  /** Says that a request is no longer wanted. */
  cancel(requestId: number): void {
    this.send({ method: "notifications/cancelled", params: { requestId } });
  }
}

/** A server in this process, and the client's side of its streams. */
export class Conversation extends Asker implements AsyncDisposable {
  readonly log: string[] = [];
  readonly stdin: PassThrough;
  /** Settles when the server has ended. */
  readonly ended: Promise<void>;

  /**
   * Starts a server.
   *
   * @param stdout - Where it writes; default: the inbox.
   */
  constructor(host: ToolHost, options: { stdout?: Writable; signal?: AbortSignal } = {}) {
    const stdin = new PassThrough();
    super((bytes) => stdin.write(bytes));
    this.stdin = stdin;
    const stdout =
      options.stdout ??
      new Writable({
        write: (chunk: Uint8Array, _encoding, done) => {
          this.inbox.push(chunk);
          done();
        },
      });
    this.ended = serveOverStdio(host, {
      version: "9.9.9",
      stdin,
      stdout,
      log: (line) => this.log.push(line),
      ...(options.signal !== undefined && { signal: options.signal }),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stdin.end();
    await this.ended;
  }
}
