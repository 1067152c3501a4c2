/**
 * One request and its response, over a connection of its own. The guest's side of the trust boundary.
 *
 * The target was allowed by a rule before; here its name is resolved, every address is checked, and one that was checked is
 * connected to.
 *
 * Source: RFC 9112.
 */
import type { NetworkRule } from "../../../network-rule.ts";
import type { HttpTarget } from "../../../policy/network.ts";
import { connectTo } from "../dial.ts";
import { netFailure } from "../failure.ts";
import type { Network } from "../network.ts";
import { anyOf, Signal } from "../signal.ts";
import { HttpFailure, httpFailure } from "./failure.ts";
import { type Head, HeadReader } from "./head.ts";
import { Inflow } from "./inflow.ts";
import type { RequestBody } from "./request-body.ts";
import { framingOf, ResponseBody } from "./response-body.ts";
import { memorySize } from "./syntax.ts";
import { encodeChunk, encodeHead, encodeLastChunk, type Message } from "./encode.ts";
import type { Part } from "./rehearsal.ts";
import { GivenWire, type Wire } from "./wire.ts";

/** Interim responses that are passed over before the request fails. */
const INTERIM_LIMIT = 16;

/** What may take how long, in milliseconds. */
export interface Timeouts {
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly betweenBytesMs: number;
}

/** A request that a rule allows. */
export interface Request extends Message {
  readonly target: HttpTarget;
  readonly rule: NetworkRule;
  readonly timeouts: Timeouts;
  /** Of a rehearsal, when there is one. */
  readonly part?: Part | undefined;
}

/** A response whose head has come. */
export interface Answer {
  readonly head: Head;
  readonly body: ResponseBody;
}

/** A request on its way, and what comes of it. */
export class Exchange {
  /** It has an outcome. */
  readonly changed: Signal = new Signal();
  readonly #network: Network;
  readonly #request: Request;
  readonly #takeBack: () => void;
  #outcome: Answer | HttpFailure | undefined;
  #connection: Wire | undefined;
  #release: (() => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Bytes of the response's head, counted against the call's buffers. */
  #headBytes = 0;
  #isOver = false;

  private constructor(network: Network, request: Request) {
    this.#network = network;
    this.#request = request;
    this.#takeBack = network.host.atEnd(() => this.end());
  }

  /** Begins a request. */
  static begin(network: Network, request: Request): Exchange {
    const exchange = new Exchange(network, request);
    exchange.#run().catch((error: unknown) => exchange.#settle(httpFailure(error)));
    return exchange;
  }

  /** The response or why there is none; undefined as long as neither is known. */
  get outcome(): Answer | HttpFailure | undefined {
    return this.#outcome;
  }

  /** Nobody wants the head of the response any more. */
  forgetHead(): void {
    this.#network.host.giveBuffer(this.#headBytes);
    this.#headBytes = 0;
    if (this.#outcome !== undefined && !(this.#outcome instanceof HttpFailure))
      this.#outcome = { head: { status: this.#outcome.head.status, fields: [] }, body: this.#outcome.body };
  }

  /** Ends it, however far it is. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#takeBack();
    this.#connection?.close();
    this.#release?.();
    this.#request.body?.refuse();
    if (this.#outcome !== undefined && !(this.#outcome instanceof HttpFailure)) this.#outcome.body.abort();
  }

  async #run(): Promise<void> {
    const release = await this.#network.takeSocket();
    this.#release = release;
    if (this.#isOver) return release();
    const { timeouts } = this.#request;
    this.#limit(timeouts.connectMs, () => (this.#connection === undefined ? "DNS-timeout" : "connection-timeout"));
    const connection = await this.#connect();
    if (connection === undefined) return;
    this.#limit(timeouts.firstByteMs, () => "HTTP-response-timeout");
    this.#send(connection).catch((error: unknown) => this.#stopSending(error));
    await this.#receive(connection);
  }

  async #connect(): Promise<Wire | undefined> {
    const { target, rule, part } = this.#request;
    const watch = (connection: Wire): void => {
      this.#connection = connection;
      if (this.#isOver) connection.close();
    };
    if (part?.reply !== undefined) {
      const given = new GivenWire(this.#network, part.reply);
      watch(given);
      return given;
    }
    const connection = await connectTo(this.#network, { target, rule, watch });
    return this.#isOver ? undefined : connection;
  }

  /** Sends the request, as the guest writes it. */
  async #send(connection: Wire): Promise<void> {
    const { body } = this.#request;
    connection.write(encodeHead(this.#request));
    if (body !== undefined) await this.#sendBody(connection, body);
    if (connection instanceof GivenWire) connection.reply();
  }

  async #sendBody(connection: Wire, body: RequestBody): Promise<void> {
    body.connect();
    const isChunked = body.length === undefined;
    while (!this.#isOver && !body.isSent) {
      if (body.isCorrupted) return connection.close();
      if (connection.failure !== undefined) throw connection.failure;
      const piece = body.take(connection.capacity);
      if (piece !== undefined) connection.write(isChunked ? encodeChunk(piece) : piece);
      else await anyOf([body.changed, connection.changed]);
    }
    if (!this.#isOver && isChunked) connection.write(encodeLastChunk(body.trailers));
  }

  /** A server may answer before it has all, and close: what it has answered stands. */
  #stopSending(error: unknown): void {
    this.#request.body?.refuse();
    if (netFailure(error).kind === "too-many-bytes")
      this.#settle(new HttpFailure({ tag: "HTTP-request-body-size", value: undefined }));
  }

  /** Waits for the head. Source: RFC 9110 §15.2: interim responses are passed over; §7.8: nobody asked for an upgrade. */
  async #receive(connection: Wire): Promise<void> {
    const inflow = new Inflow(connection);
    let reader = new HeadReader();
    for (let interim = 0; interim <= INTERIM_LIMIT;) {
      const head = reader.read(inflow);
      if (this.#isOver) return;
      if (head?.status === 101) throw new HttpFailure({ tag: "HTTP-upgrade-failed" });
      if (head !== undefined && head.status >= 200) return this.#answer(inflow, head);
      if (head === undefined && connection.isEnded) throw this.#incomplete(connection);
      if (head === undefined) await connection.changed.next();
      else {
        interim += 1;
        reader = new HeadReader();
      }
    }
    throw new HttpFailure({ tag: "HTTP-protocol-error" });
  }

  #answer(inflow: Inflow, head: Head): void {
    const bytes = memorySize(head.fields);
    if (!this.#network.host.takeBuffer(bytes))
      throw new HttpFailure({ tag: "HTTP-response-header-section-size", value: undefined });
    this.#headBytes = bytes;
    const { part } = this.#request;
    part?.answered(head);
    const body = new ResponseBody(inflow, {
      framing: framingOf(this.#request.method, head),
      betweenBytesMs: this.#request.timeouts.betweenBytesMs,
      ended: () => queueMicrotask(() => this.end()),
      wasRead: part?.read,
      hasFailed: part?.failed,
    });
    this.#settle({ head, body });
  }

  #incomplete({ failure }: Wire): HttpFailure {
    const { body } = this.#request;
    if (body?.isCorrupted === true) return new HttpFailure({ tag: "HTTP-request-body-size", value: undefined });
    return failure === undefined ? new HttpFailure({ tag: "HTTP-response-incomplete" }) : httpFailure(failure);
  }

  #limit(ms: number, tag: () => "DNS-timeout" | "connection-timeout" | "HTTP-response-timeout"): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#settle(new HttpFailure({ tag: tag() })), ms);
  }

  #settle(outcome: Answer | HttpFailure): void {
    clearTimeout(this.#timer);
    if (this.#outcome !== undefined || this.#isOver) return;
    this.#outcome = outcome;
    if (outcome instanceof HttpFailure) this.end();
    this.changed.notify();
  }
}
