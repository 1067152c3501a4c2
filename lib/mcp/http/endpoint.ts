/**
 * The way of one HTTP request: who may send it, what it may be, and which part of the server answers it. In this order nothing is read or
 * remembered of a request before its sender is known.
 *
 * Source: MCP 2026-07-28 and 2025-11-25, "Transports / Streamable HTTP"; RFC 9728 §3 for the metadata.
 */
import { isJsonContentType, isLegacyRequest } from "@modelcontextprotocol/server";
import { Failure, refuse } from "../../errors.ts";
import type { AccessCheck } from "./access.ts";
import type { BoundedLog } from "./bounded-log.ts";
import { BODY_LIMITS, type BodyLimits, type Message, readMessageBody, requestId } from "./body.ts";
import type { Exchange, Exchanges } from "./exchanges.ts";
import { type Names, requireHost, requireOrigin } from "./names.ts";
import type { Principal } from "./principal.ts";
import { Rates } from "./rates.ts";
import { refusalResponse } from "./refusal.ts";

/** Where MCP is served. */
const MCP_PATH = "/mcp";

/** What an endpoint hands requests to, once they may pass. */
export interface Serving {
  /** A request of 2026-07-28. */
  modern(request: Request, message: Message, principal: Principal): Promise<Response>;
  /** A request of the eras before; without a message: GET and DELETE. */
  legacy(request: Request, message: Message | undefined, principal: Principal): Promise<Response>;
}

/** What an endpoint works with. */
export interface EndpointOptions {
  readonly names: Names;
  readonly access: AccessCheck;
  readonly exchanges: Exchanges;
  readonly serving: Serving;
  /** Calls a minute of a client whose token sets no other number; undefined: any. */
  readonly callsPerMinute?: number | undefined;
  readonly bodyLimits?: BodyLimits | undefined;
  readonly log: BoundedLog;
  /** Whether the registry can be read. */
  readonly isReady: () => boolean;
}

/** What is known of a request's connection. */
export interface Peer {
  /** The client's IP address; undefined on a Unix socket. */
  readonly address: string | undefined;
  /** Says how many seconds the connection may be silent from now on; 0: for ever. */
  readonly allowSilence: (seconds: number) => void;
}

/** Seconds that a client may go without taking any of its answer. */
const DELIVERY_LIMIT_S = 60;

/** Requests that may call a tool: what stands at a URI may be what a tool makes of it. */
const CALLING: ReadonlySet<unknown> = new Set(["tools/call", "resources/read"]);

/** Answers requests. */
export class Endpoint {
  readonly #options: EndpointOptions;
  readonly #rates = new Rates();
  /** Set when the server is about to end: requests are refused, what is under way goes on. */
  isDraining = false;

  constructor(options: EndpointOptions) {
    this.#options = options;
  }

  /** Answers a request. Never throws. */
  async answer(request: Request, peer: Peer): Promise<Response> {
    let message: Message | undefined;
    try {
      const open = this.#answerAnybody(request);
      if (open !== undefined) return this.#withCors(request, open);
      const response = await this.#answerMcp(request, peer, (read) => (message = read));
      return this.#withCors(request, response);
    } catch (error) {
      const id = message === undefined ? undefined : requestId(message);
      return this.#withCors(request, this.#refuse(error, id));
    }
  }

  /** Answers what needs no token: is it alive, is it ready, who issues tokens, may a page ask. */
  #answerAnybody(request: Request): Response | undefined {
    const { names, access } = this.#options;
    const path = pathOf(request);
    // Probes come by addresses that no name stands for. They learn nothing but that something is here.
    if (path === "/health") return Response.json({ status: "ok" });
    if (path === "/ready" || path === "/health/ready") return this.#readiness();
    requireHost(names, request.headers.get("host"));
    requireOrigin(names, request.headers);
    if (request.method === "OPTIONS" && request.headers.has("origin")) return new Response(null, { status: 204 });
    const metadata = access.metadataResponse(request);
    if (metadata !== undefined) return metadata;
    if (path !== MCP_PATH) throw refuse("HTTP_PATH", { target: path });
    if (!["POST", "GET", "DELETE"].includes(request.method)) throw refuse("HTTP_METHOD", { method: request.method });
    return undefined;
  }

  async #answerMcp(request: Request, peer: Peer, onRead: (message: Message) => void): Promise<Response> {
    const { access, exchanges } = this.#options;
    if (this.isDraining) throw refuse("HTTP_DRAINING", {});
    const principal = await access.authenticate(request.headers.get("authorization"), peer.address);
    const exchange = exchanges.begin(principal);
    try {
      const response = await this.#serve(request, { principal, exchange, peer, onRead });
      peer.allowSilence(DELIVERY_LIMIT_S);
      return exchanges.deliver(response, exchange, request.signal);
    } catch (error) {
      exchange[Symbol.dispose]();
      throw error;
    }
  }

  async #serve(request: Request, { principal, exchange, peer, onRead }: Accepted): Promise<Response> {
    const { serving } = this.#options;
    if (request.method !== "POST") {
      exchange.markStream();
      return serving.legacy(request, undefined, principal);
    }
    if (!isJsonContentType(request.headers.get("content-type"))) throw refuse("HTTP_MEDIA_TYPE", {});
    const limits = { ...(this.#options.bodyLimits ?? BODY_LIMITS), onBytes: (bytes: number) => exchange.hold(bytes) };
    const message = await readMessageBody(request, limits);
    onRead(message);
    // The answer takes as long as the call does.
    peer.allowSilence(0);
    if (this.isDraining) throw refuse("HTTP_DRAINING", {});
    this.#countCall(message, principal);
    if (message.method === "subscriptions/listen") exchange.markStream();
    if (await isLegacyRequest(request, message)) return serving.legacy(request, message, principal);
    return serving.modern(request, message, principal);
  }

  #countCall({ method }: Message, { id, callsPerMinute = this.#options.callsPerMinute }: Principal): void {
    if (!CALLING.has(method) || callsPerMinute === undefined) return;
    const retryAfterMs = this.#rates.take(id, callsPerMinute);
    if (retryAfterMs > 0) throw refuse("HTTP_RATE_LIMITED", { what: "calls", retryAfterMs });
  }

  #readiness(): Response {
    const isReady = !this.isDraining && this.#options.isReady();
    return Response.json({ status: isReady ? "ready" : "not ready" }, { status: isReady ? 200 : 503 });
  }

  #refuse(error: unknown, id: string | number | undefined): Response {
    const { access, log } = this.#options;
    if (error instanceof Failure) {
      log.addRefusal(error);
      return refusalResponse(error, { id, metadataUrl: access.metadataUrl });
    }
    log.add("BUG", String(error));
    const text = { code: -32_603, message: "KAMI could not answer; its log says why" };
    return Response.json({ jsonrpc: "2.0", ...(id !== undefined && { id }), error: text }, { status: 500 });
  }

  /** Lets the web pages that the user allowed read the answer. Source: Fetch standard, "CORS protocol". */
  #withCors(request: Request, response: Response): Response {
    const origin = request.headers.get("origin");
    if (origin === null || !this.#options.names.origins.has(origin)) return response;
    response.headers.set("access-control-allow-origin", origin);
    response.headers.set("access-control-allow-methods", "POST, GET, DELETE");
    response.headers.set(
      "access-control-allow-headers",
      "authorization, content-type, accept, last-event-id, mcp-session-id, mcp-protocol-version, mcp-method, mcp-name",
    );
    response.headers.set("access-control-expose-headers", "mcp-session-id, www-authenticate, retry-after");
    response.headers.append("vary", "origin");
    return response;
  }
}

interface Accepted {
  readonly principal: Principal;
  readonly exchange: Exchange;
  readonly peer: Peer;
  readonly onRead: (message: Message) => void;
}

/** The path of a request, without its query. A request line may hold what is no URL. */
function pathOf(request: Request): string {
  return URL.canParse(request.url) ? new URL(request.url).pathname : "";
}
