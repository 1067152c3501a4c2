/**
 * MCP over Streamable HTTP, as `kami serve --http` speaks it: both eras of the protocol, many clients, the same servers as over stdio.
 *
 * Bun's server cuts a connection that has sent no whole request within the silence limit, whether it is idle, trickles its headers or its
 * body, and refuses headers over 16 KiB and bodies over its limit by itself.
 */
import { chmodSync, rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { clean, refuse } from "../../errors.ts";
import { errorCode } from "../../registry/files.ts";
import type { ToolHost } from "../server.ts";
import type { AccessCheck } from "./access.ts";
import { BODY_LIMIT_BYTES, type BodyLimits } from "./body.ts";
import { BoundedLog } from "./bounded-log.ts";
import { Endpoint, type Peer } from "./endpoint.ts";
import { type ExchangeLimits, Exchanges } from "./exchanges.ts";
import { Handlers } from "./handlers.ts";
import { isAny, type Place } from "./listen.ts";
import type { Names } from "./names.ts";
import type { SessionLimits } from "./sessions.ts";

/** How a server listens, and whom it serves. */
export interface HttpOptions {
  readonly place: Place;
  readonly names: Names;
  readonly access: AccessCheck;
  /** PEM text. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  readonly callsPerMinute?: number | undefined;
  /** Milliseconds that calls in flight get to end when the server does. */
  readonly drainMs: number;
  /** KAMI's version. */
  readonly version: string;
  /** Takes one clean line: refusals, failures, what guests wrote. */
  readonly log: (line: string) => void;
  readonly limits?: HttpLimits | undefined;
}

/** Limits that a test may want to reach. */
interface HttpLimits {
  readonly exchanges?: ExchangeLimits;
  readonly sessions?: SessionLimits;
  readonly body?: BodyLimits;
  /** Seconds that a connection may go without a whole request. */
  readonly silenceS?: number;
}

/** Seconds. Bun looks every four. */
const SILENCE_LIMIT_S = 20;

/** Milliseconds that clients get to read the last answers. */
const FLUSH_LIMIT_MS = 2000;

/** A server that listens. */
export class HttpServer implements AsyncDisposable {
  /** Where clients find it: a URL, or the socket's path. */
  readonly address: string;
  readonly #options: HttpOptions;
  readonly #exchanges: Exchanges;
  readonly #handlers: Handlers;
  readonly #endpoint: Endpoint;
  readonly #server: Bun.Server<undefined>;
  #ended: Promise<void> | undefined;

  /**
   * Starts to listen.
   *
   * @param host - What calls the tools; stays open.
   * @throws {Failure} `LISTEN_FAILED`
   */
  constructor(host: ToolHost, options: HttpOptions) {
    const { version, log, limits = {}, names, access, callsPerMinute } = options;
    const bounded = new BoundedLog(log);
    this.#options = options;
    this.#exchanges = new Exchanges(limits.exchanges);
    this.#handlers = new Handlers({ host, version, log, bounded, sessions: limits.sessions });
    this.#endpoint = new Endpoint({
      names,
      access,
      callsPerMinute,
      log: bounded,
      exchanges: this.#exchanges,
      bodyLimits: limits.body,
      isReady: () => this.#handlers.isReady,
      serving: this.#handlers,
    });
    this.#server = this.#listen();
    this.address = this.#describe();
  }

  /** Requests, sessions and bytes that are held: for tests, which see to it that nothing stays. */
  get load(): { readonly pending: number; readonly sessions: number; readonly waitingBytes: number } {
    const { pending, waitingBytes } = this.#exchanges;
    return { pending, waitingBytes, sessions: this.#handlers.sessions.size };
  }

  /**
   * Ends the server: refuses requests from now on, lets the calls in flight finish, at most as long as the options say, and interrupts
   * those that have not.
   */
  drain(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#handlers.calls.interrupt();
    await this.drain();
  }

  async #end(): Promise<void> {
    this.#endpoint.isDraining = true;
    const interrupt = setTimeout(() => this.#handlers.calls.interrupt(), this.#options.drainMs);
    await this.#handlers.calls.settled();
    clearTimeout(interrupt);
    await Promise.race([this.#exchanges.idle(), delay(FLUSH_LIMIT_MS)]);
    await this.#handlers.close();
    await Promise.race([this.#server.stop(), delay(100)]);
    await this.#server.stop(true);
    const { place } = this.#options;
    if (place.kind === "unix") rmSync(place.path, { force: true });
  }

  #listen(): Bun.Server<undefined> {
    const { place, tls, limits } = this.#options;
    const common = {
      // Cuts off what our own limit would, and what is sent to those who may not send at all.
      maxRequestBodySize: (limits?.body?.bytes ?? BODY_LIMIT_BYTES) + 65_536,
      fetch: (request: Request, server: Bun.Server<undefined>) =>
        this.#endpoint.answer(request, peerOf(request, server)),
      error: () => new Response(null, { status: 500 }),
      development: false,
      ...(tls !== undefined && { tls: { cert: tls.cert, key: tls.key } }),
    };
    try {
      if (place.kind === "tcp") {
        const { host: hostname, port } = place;
        // Bun reuses ports outside development: two servers would share the requests between them.
        const own = { reusePort: false, idleTimeout: limits?.silenceS ?? SILENCE_LIMIT_S };
        return Bun.serve({ ...common, ...own, hostname, port });
      }
      const server = Bun.serve({ ...common, unix: place.path });
      chmodSync(place.path, 0o600);
      return server;
    } catch (error) {
      const address = place.kind === "tcp" ? `${place.host}:${place.port}` : place.path;
      const reason = errorCode(error) === "EADDRINUSE" ? "the address is in use" : clean(String(error));
      throw refuse("LISTEN_FAILED", { address, reason }, error);
    }
  }

  #describe(): string {
    const { place, tls } = this.#options;
    if (place.kind === "unix") return place.path;
    const named = isAny(place.host) ? "localhost" : place.host;
    const host = named.includes(":") && !named.startsWith("[") ? `[${named}]` : named;
    return `${tls === undefined ? "http" : "https"}://${host}:${this.#server.port}/mcp`;
  }
}

function peerOf(request: Request, server: Bun.Server<undefined>): Peer {
  return {
    address: server.requestIP(request)?.address,
    allowSilence: (seconds) => server.timeout(request, seconds),
  };
}
