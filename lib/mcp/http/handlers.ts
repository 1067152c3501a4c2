/**
 * What stands behind the endpoint: the SDK's handler for 2026-07-28, sessions for the eras before, and for both the same servers as over stdio.
 */
import {
  createMcpHandler,
  isInitializeRequest,
  type McpHttpHandler,
  type McpServer,
} from "@modelcontextprotocol/server";
import { refuse } from "../../errors.ts";
import { Questions } from "../questions.ts";
import { CallsInFlight } from "../calls.ts";
import { KeptResults } from "../kept-results.ts";
import { Catalog, type CatalogView, narrowCatalog } from "../catalog.ts";
import { createServer, type ToolHost } from "../server.ts";
import type { Message } from "./body.ts";
import type { BoundedLog } from "./bounded-log.ts";
import { ChangeBus, narrowListening } from "./changes.ts";
import type { Serving } from "./endpoint.ts";
import { coversTool, type Principal } from "./principal.ts";
import { type SessionLimits, Sessions } from "./sessions.ts";

/** What the handlers work with. */
export interface HandlerOptions {
  readonly host: ToolHost;
  /** KAMI's version. */
  readonly version: string;
  /** Takes what calls and guests have to say. */
  readonly log: (line: string) => void;
  /** Takes what clients did wrong. */
  readonly bounded: BoundedLog;
  readonly sessions?: SessionLimits | undefined;
}

/** The handlers of one server. */
export class Handlers implements Serving {
  readonly calls: CallsInFlight = new CallsInFlight();
  readonly sessions: Sessions;
  readonly #options: HandlerOptions;
  readonly #questions = new Questions();
  readonly #kept = new KeptResults();
  readonly #catalog: Catalog;
  readonly #modern: McpHttpHandler;
  readonly #principals = new WeakMap<Request, Principal>();

  constructor(options: HandlerOptions) {
    this.#options = options;
    this.#catalog = new Catalog(options.host.registry);
    this.sessions = new Sessions(options.sessions);
    this.#modern = createMcpHandler(({ requestInfo }) => this.#makeServer(this.#principalOf(requestInfo)), {
      legacy: "reject",
      bus: new ChangeBus(options.host.registry, this.#catalog, options.log),
      onerror: (error) => options.bounded.add("MCP", error.message),
    });
  }

  /** Whether the registry can be read. */
  get isReady(): boolean {
    try {
      this.#catalog.revision();
      return true;
    } catch {
      return false;
    }
  }

  modern(request: Request, message: Message, principal: Principal): Promise<Response> {
    this.#principals.set(request, principal);
    return this.#modern.fetch(request, { parsedBody: narrowListening(message, this.#viewOf(principal)) });
  }

  /** @throws {Failure} `HTTP_SESSION_UNKNOWN`, `HTTP_METHOD`, `HTTP_MESSAGE_INVALID`, `HTTP_OVERLOADED` */
  async legacy(request: Request, message: Message | undefined, principal: Principal): Promise<Response> {
    const owner = ownerOf(principal);
    if (message !== undefined && isInitializeRequest(message)) {
      return this.sessions.begin(owner, { request, message }, (signal) => this.#makeServer(principal, signal));
    }
    if (request.headers.has("mcp-session-id")) return this.sessions.serve(owner, request, message);
    if (message === undefined) throw refuse("HTTP_METHOD", { method: request.method });
    throw refuse("HTTP_MESSAGE_INVALID", {
      problem: "it has neither a session (Mcp-Session-Id) nor the _meta of a revision without sessions",
    });
  }

  /** Ends all streams and sessions. */
  async close(): Promise<void> {
    await Promise.all([this.#modern.close(), this.sessions.close()]);
  }

  /** Makes the server of a session, or of one request when there is no signal. */
  #makeServer(principal: Principal, signal?: AbortSignal): McpServer {
    const { host, version, log } = this.#options;
    return createServer({
      host,
      version,
      log,
      calls: this.calls,
      questions: this.#questions,
      kept: this.#kept,
      client: principal.id,
      catalog: this.#viewOf(principal),
      signal: signal ?? new AbortController().signal,
      isLasting: signal !== undefined,
    });
  }

  #viewOf(principal: Principal): CatalogView {
    return narrowCatalog(this.#catalog, (id) => coversTool(principal.tools, id));
  }

  #principalOf(request: Request | undefined): Principal {
    const principal = request === undefined ? undefined : this.#principals.get(request);
    if (principal === undefined) throw new Error("BUG: a request has got past its check");
    return principal;
  }
}

/** Whose a session is: somebody with these tools. A token of theirs that is for fewer must not get at the rest through an older session. */
function ownerOf({ id, tools }: Principal): string {
  return [id, ...tools].join(" ");
}
