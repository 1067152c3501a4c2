/**
 * `wasi:http/types` `future-incoming-response`, `incoming-response`, `incoming-body` and `future-trailers`: what comes back. The guest's side of
 * the trust boundary.
 *
 * Source: wasi:http 0.2, wit/types.wit.
 */
import { define, ResultError } from "../../../component/link/host.ts";
import { option, result } from "../../../schema/value-type.ts";
import type { Answer, Exchange } from "../../net/http/exchange.ts";
import { HttpFailure } from "../../net/http/failure.ts";
import { visibleFields } from "../../net/http/head.ts";
import type { ResponseBody } from "../../net/http/response-body.ts";
import { sectionSize } from "../../net/http/syntax.ts";
import type { Functions, Host } from "../host.ts";
import { type Event, Pollable } from "../poll.ts";
import { Resource } from "../resource.ts";
import { InputStream } from "../streams.ts";
import { Fields } from "./fields.ts";
import { ERROR_CODE, INPUT_STREAM, ownHttp, POLLABLE, self, STATUS_CODE } from "./signature.ts";

/** `result`. */
type Result = { readonly tag: "ok"; readonly value: unknown } | { readonly tag: "error"; readonly value?: unknown };

const RESPONSE = result(ownHttp("incoming-response"), ERROR_CODE);
const TRAILERS = result(option(ownHttp("fields")), ERROR_CODE);

/** `future-incoming-response`. */
export class FutureIncomingResponse extends Resource {
  readonly exchange: Exchange;
  readonly event: Event;
  #isTaken = false;

  constructor(host: Host, exchange: Exchange) {
    super(host);
    this.exchange = exchange;
    this.event = {
      isReady: () => exchange.outcome !== undefined,
      whenReady: (wake) => exchange.changed.whenReady(wake),
    };
  }

  /** Source: `future-incoming-response.get`: "The outer `option` represents future readiness", "The outer `result` is used to retrieve the response or error at most once". */
  get(): Result | undefined {
    const { outcome } = this.exchange;
    if (outcome === undefined) return undefined;
    if (this.#isTaken) return { tag: "error" };
    this.#isTaken = true;
    if (outcome instanceof HttpFailure) return { tag: "ok", value: { tag: "error", value: outcome.code } };
    this.host.chargeBytes(sectionSize(outcome.head.fields));
    return { tag: "ok", value: { tag: "ok", value: new IncomingResponse(this.host, this.exchange, outcome) } };
  }

  protected override close(): void {
    if (this.#isTaken) return;
    this.exchange.end();
    this.exchange.forgetHead();
  }
}

/** `incoming-response`. */
export class IncomingResponse extends Resource {
  readonly exchange: Exchange;
  readonly answer: Answer;
  #isConsumed = false;

  constructor(host: Host, exchange: Exchange, answer: Answer) {
    super(host);
    this.exchange = exchange;
    this.answer = answer;
  }

  /** @returns The body, the first time. */
  consume(): IncomingBody | undefined {
    if (this.#isConsumed) return undefined;
    this.#isConsumed = true;
    return new IncomingBody(this.host, this.exchange, this.answer.body);
  }

  protected override close(): void {
    if (!this.#isConsumed) this.exchange.end();
    this.exchange.forgetHead();
  }
}

/** `incoming-body`. */
export class IncomingBody extends Resource {
  readonly exchange: Exchange;
  readonly body: ResponseBody;
  #stream: InputStream | undefined;
  #isFinished = false;

  constructor(host: Host, exchange: Exchange, body: ResponseBody) {
    super(host);
    this.exchange = exchange;
    this.body = body;
  }

  /** @returns The stream, the first time. */
  takeStream(): InputStream | undefined {
    if (this.#stream !== undefined) return undefined;
    this.#stream = new InputStream(this.host, this.body, this);
    return this.#stream;
  }

  /** Ends the resource; the exchange goes on to its trailers. */
  finish(): FutureTrailers {
    this.#isFinished = !this.hasChildren;
    this[Symbol.dispose]();
    return new FutureTrailers(this.host, this.exchange, this.body);
  }

  protected override close(): void {
    if (!this.#isFinished) this.exchange.end();
  }
}

/** `future-trailers`. What of the body was not read is passed over. */
export class FutureTrailers extends Resource {
  readonly event: Event;
  readonly #exchange: Exchange;
  readonly #body: ResponseBody;
  #isTaken = false;

  constructor(host: Host, exchange: Exchange, body: ResponseBody) {
    super(host);
    this.#exchange = exchange;
    this.#body = body;
    this.event = { isReady: () => body.drain(), whenReady: (wake) => body.whenReady(wake) };
  }

  /** Source: `future-trailers.get`: "The outer `option` represents future readiness"; "The optional `trailers` indicates whether or not trailers were present in the body". */
  get(): Result | undefined {
    if (!this.event.isReady()) return undefined;
    if (this.#isTaken) return { tag: "error" };
    this.#isTaken = true;
    const { failure, trailers } = this.#body;
    if (failure !== undefined) return { tag: "ok", value: { tag: "error", value: failure.code } };
    this.host.chargeBytes(sectionSize(trailers));
    const fields = trailers.length === 0 ? undefined : new Fields(this.host, trailers, { parent: this });
    return { tag: "ok", value: { tag: "ok", value: fields } };
  }

  protected override close(): void {
    this.#exchange.end();
  }
}

/** The functions of `future-incoming-response`, `incoming-response`, `incoming-body` and `future-trailers`. */
export const INCOMING: Functions = {
  /** Source: `future-incoming-response.subscribe`: "becomes ready when either the Response has been received, or an error has occurred". */
  "[method]future-incoming-response.subscribe": define(
    [self("future-incoming-response"), POLLABLE],
    (host: Host, future: FutureIncomingResponse) => new Pollable(host, future.event, future),
  ),

  /** Gives the response, once. Source: `future-incoming-response.get`. */
  "[method]future-incoming-response.get": define(
    [self("future-incoming-response"), option(result(RESPONSE))],
    (_: Host, future: FutureIncomingResponse) => future.get(),
  ),

  /** Source: `incoming-response.status`. */
  "[method]incoming-response.status": define(
    [self("incoming-response"), STATUS_CODE],
    (_: Host, { answer }: IncomingResponse) => answer.head.status,
  ),

  /** Gives the headers. Source: `incoming-response.headers`: "immutable … This headers resource is a child". Fields of the connection are the host's. */
  "[method]incoming-response.headers": define(
    [self("incoming-response"), ownHttp("fields")],
    (host: Host, response: IncomingResponse) =>
      new Fields(host, visibleFields(response.answer.head.fields), { parent: response }),
  ),

  /** Gives the body. Source: `incoming-response.consume`: "May be called at most once". */
  "[method]incoming-response.consume": define(
    [self("incoming-response"), result(ownHttp("incoming-body"))],
    (_: Host, response: IncomingResponse) => orError(response.consume()),
  ),

  /** Gives the stream. Source: `incoming-body.stream`: "Returns success on first call"; "The returned `input-stream` resource is a child". */
  "[method]incoming-body.stream": define([self("incoming-body"), result(INPUT_STREAM)], (_: Host, body: IncomingBody) =>
    orError(body.takeStream()),
  ),

  /** Goes on to the trailers. Source: `incoming-body.finish`: "This function will trap if the `input-stream` child is still alive". */
  "[static]incoming-body.finish": define(
    [{ this: ownHttp("incoming-body") }, ownHttp("future-trailers")],
    (_: Host, body: IncomingBody) => body.finish(),
  ),

  /** Source: `future-trailers.subscribe`: "becomes ready when either the trailers have been received, or an error has occurred". */
  "[method]future-trailers.subscribe": define(
    [self("future-trailers"), POLLABLE],
    (host: Host, future: FutureTrailers) => new Pollable(host, future.event, future),
  ),

  /** Gives the trailers, once. Source: `future-trailers.get`. */
  "[method]future-trailers.get": define(
    [self("future-trailers"), option(result(TRAILERS))],
    (_: Host, future: FutureTrailers) => future.get(),
  ),
};

/** Source: "Returns error on subsequent calls". */
function orError<T>(value: T | undefined): T {
  if (value === undefined) throw new ResultError(undefined);
  return value;
}
