/**
 * Sessions of the eras before 2026-07-28: a server for each client that said `initialize`, until it ends the session or does not come back.
 *
 * A session belongs to whoever began it: its id alone lets nobody in. How many there are is bounded; beyond it the longest unused one ends.
 *
 * Source: MCP 2025-11-25, "Transports / Streamable HTTP", "Session Management"; "Security Best Practices", "Session Hijacking".
 */
import { randomBytes } from "node:crypto";
import {
  type JSONRPCMessage,
  type McpServer,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import { refuse } from "../../errors.ts";
import { type Message, requestId } from "./body.ts";

/** How many sessions there may be, and for how long. */
export interface SessionLimits {
  readonly total: number;
  readonly perClient: number;
  /** Milliseconds without a request or a stream after which a session ends. */
  readonly idleMs: number;
}

/** The limits unless a test sets others. */
const SESSION_LIMITS: SessionLimits = Object.freeze({ total: 1024, perClient: 256, idleMs: 30 * 60_000 });

/** Makes the server of a session; the signal aborts when it ends. */
export type SessionServer = (signal: AbortSignal) => McpServer;

/** The answer to a request that the client has cancelled: it is thrown away, see {@link SessionTransport.forget}. */
const GONE = { code: -32_000, message: "cancelled" };

/** The SDK's transport, with an eye on which ids are in use: it would send the second of two answers to the wrong place. */
class SessionTransport extends WebStandardStreamableHTTPServerTransport {
  readonly pending = new Set<string | number>();

  override async send(message: JSONRPCMessage, options?: { relatedRequestId?: string | number }): Promise<void> {
    if (!("method" in message) && message.id !== undefined) this.pending.delete(message.id);
    await super.send(message, options);
  }

  /**
   * Ends the stream of a request that was cancelled. The SDK answers such a request never, and would keep its stream and its id until the
   * session ends: the stream is closed first, so that nothing of the answer reaches the client.
   */
  async forget(id: string | number): Promise<void> {
    if (!this.pending.delete(id)) return;
    this.closeSSEStream(id);
    await super.send({ jsonrpc: "2.0", id, error: GONE });
  }
}

interface Session {
  readonly owner: string;
  readonly transport: SessionTransport;
  readonly stop: AbortController;
  usedAt: number;
  /** Requests and streams that are open. */
  open: number;
}

/** All sessions of a server. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();
  readonly #limits: SessionLimits;
  readonly #sweep: ReturnType<typeof setInterval>;

  constructor(limits: SessionLimits = SESSION_LIMITS) {
    this.#limits = limits;
    this.#sweep = setInterval(() => this.#endIdle(), Math.min(60_000, limits.idleMs));
    this.#sweep.unref();
  }

  /** Sessions that there are. */
  get size(): number {
    return this.#sessions.size;
  }

  /**
   * Serves a request of a session.
   *
   * @param owner - Who sends it.
   * @param message - Its body, if it has one.
   * @throws {Failure} `HTTP_SESSION_UNKNOWN` when there is none of that id, or it is another's; `HTTP_MESSAGE_INVALID` for an id in use.
   */
  async serve(owner: string, request: Request, message?: Message): Promise<Response> {
    const session = this.#sessions.get(request.headers.get("mcp-session-id") ?? "");
    if (session === undefined || session.owner !== owner) throw refuse("HTTP_SESSION_UNKNOWN", {});
    session.usedAt = performance.now();
    const { transport } = session;
    const id = message === undefined ? undefined : requestId(message);
    if (id !== undefined && transport.pending.has(id)) {
      throw refuse("HTTP_MESSAGE_INVALID", { problem: "the id belongs to a request that is under way" });
    }
    if (id !== undefined) transport.pending.add(id);
    const cancelled = message === undefined ? undefined : cancelledId(message);
    const response = await transport.handleRequest(request, message === undefined ? {} : { parsedBody: message });
    if (cancelled !== undefined) await transport.forget(cancelled);
    // The SDK refused the request before it handed it on: nothing will answer it.
    if (id !== undefined && response.status !== 200) transport.pending.delete(id);
    return this.#watch(session, response);
  }

  /**
   * Begins a session.
   *
   * @param owner - Whose it is.
   * @param exchange - The request with `initialize`, and its body.
   * @throws {Failure} `HTTP_OVERLOADED` when every session is in use.
   */
  async begin(
    owner: string,
    exchange: { readonly request: Request; readonly message: Message },
    makeServer: SessionServer,
  ): Promise<Response> {
    this.#makeRoom(owner);
    const id = randomBytes(24).toString("base64url");
    const stop = new AbortController();
    const transport = new SessionTransport({
      sessionIdGenerator: () => id,
      onsessioninitialized: () => void this.#sessions.set(id, session),
    });
    const session: Session = { owner, transport, stop, usedAt: performance.now(), open: 0 };
    const server = makeServer(stop.signal);
    await server.connect(transport);
    server.server.onclose = () => this.#forget(id);
    const response = await transport.handleRequest(exchange.request, { parsedBody: exchange.message });
    if (!this.#sessions.has(id)) await server.close();
    return this.#watch(session, response);
  }

  /** Ends all sessions. */
  async close(): Promise<void> {
    clearInterval(this.#sweep);
    await Promise.all(Array.from(this.#sessions.values(), ({ transport }) => transport.close()));
  }

  #forget(id: string): void {
    this.#sessions.get(id)?.stop.abort();
    this.#sessions.delete(id);
  }

  /** Counts an answer as use of its session until it ends. */
  #watch(session: Session, response: Response): Response {
    if (response.body === null) return response;
    session.open += 1;
    const release = (): void => {
      session.open -= 1;
      session.usedAt = performance.now();
    };
    const { status, headers } = response;
    return new Response(onEnd(response.body, release), { status, headers });
  }

  #makeRoom(owner: string): void {
    const own = [...this.#sessions.values()].filter((session) => session.owner === owner);
    if (own.length >= this.#limits.perClient) this.#endOldest(own);
    else if (this.#sessions.size >= this.#limits.total) this.#endOldest([...this.#sessions.values()]);
  }

  #endOldest(sessions: readonly Session[]): void {
    const oldest = sessions.filter(({ open }) => open === 0).toSorted((a, b) => a.usedAt - b.usedAt)[0];
    if (oldest === undefined) {
      throw refuse("HTTP_OVERLOADED", { what: "every session is in use", retryAfterMs: 1000 });
    }
    void oldest.transport.close();
  }

  #endIdle(): void {
    const since = performance.now() - this.#limits.idleMs;
    for (const { open, usedAt, transport } of this.#sessions.values()) {
      if (open === 0 && usedAt < since) void transport.close();
    }
  }
}

/** The id of the request that a message cancels. */
function cancelledId({ method, params }: Message): string | number | undefined {
  if (method !== "notifications/cancelled" || typeof params !== "object" || params === null) return undefined;
  const id: unknown = "requestId" in params ? params.requestId : undefined;
  return typeof id === "string" || typeof id === "number" ? id : undefined;
}

/** Passes a body on and calls back once, when it has ended or was given up. */
function onEnd(body: ReadableStream<Uint8Array>, callback: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let isOver = false;
  const end = (): void => {
    if (!isOver) callback();
    isOver = true;
  };
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const part = await reader.read();
        if (!part.done) {
          controller.enqueue(part.value);
          return;
        }
        controller.close();
        end();
      },
      cancel: async (reason) => {
        end();
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
