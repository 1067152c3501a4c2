/**
 * Test support: what a guest does to make a request, call by call; and servers that say exactly what a test wants.
 */
import type { Socket, TCPSocketListener } from "bun";
import type { Fields } from "../../../lib/worker/wasi/http/fields.ts";
import type {
  FutureIncomingResponse,
  FutureTrailers,
  IncomingBody,
  IncomingResponse,
} from "../../../lib/worker/wasi/http/incoming.ts";
import type { OutgoingBody } from "../../../lib/worker/wasi/http/outgoing-body.ts";
import { HTTP_OUTGOING_HANDLER } from "../../../lib/worker/wasi/http/outgoing-handler.ts";
import type { OutgoingRequest, RequestOptions } from "../../../lib/worker/wasi/http/outgoing-request.ts";
import { HTTP_TYPES } from "../../../lib/worker/wasi/http/types.ts";
import { STREAMS } from "../../../lib/worker/wasi/io.ts";
import type { InputStream, OutputStream } from "../../../lib/worker/wasi/streams.ts";
import { decode, encode, errorOf, ready, type TestCall } from "./support.ts";

/** A request in short. */
export interface Ask {
  readonly method?: string;
  readonly headers?: readonly (readonly [string, string])[];
  /** Written before the request is sent. */
  readonly body?: string;
  readonly options?: RequestOptions;
}

/** What came back. */
export interface Told {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

/** Calls a function of `wasi:http/types`. The test knows what that returns. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function types<T>(call: TestCall, name: string, ...values: readonly unknown[]): T {
  return call.call<T>(HTTP_TYPES, name, ...values);
}

/** Makes a request. */
export function makeRequest(call: TestCall, url: string, ask: Ask = {}): OutgoingRequest {
  const parts = /^(\w+):\/\/([^/?]*)(.*)$/.exec(url);
  const entries = (ask.headers ?? []).map(([name, value]) => [name, encode(value)]);
  const fields = types<Fields>(call, "[static]fields.from-list", entries);
  const request = types<OutgoingRequest>(call, "[constructor]outgoing-request", fields);
  types(call, "[method]outgoing-request.set-scheme", request, { tag: parts?.[1]?.toUpperCase() });
  types(call, "[method]outgoing-request.set-authority", request, parts?.[2]);
  types(call, "[method]outgoing-request.set-path-with-query", request, parts?.[3]);
  if (ask.method !== undefined)
    types(call, "[method]outgoing-request.set-method", request, { tag: "other", value: ask.method });
  return request;
}

/** Sends a request. */
export function send(call: TestCall, request: OutgoingRequest, options?: RequestOptions): FutureIncomingResponse {
  return call.call<FutureIncomingResponse>(HTTP_OUTGOING_HANDLER, "handle", request, options);
}

/** Makes a request and sends it, with its body. */
export async function begin(call: TestCall, url: string, ask: Ask = {}): Promise<FutureIncomingResponse> {
  const request = makeRequest(call, url, ask);
  if (ask.body !== undefined) {
    const body = types<OutgoingBody>(call, "[method]outgoing-request.body", request);
    const future = send(call, request, ask.options);
    await writeAll(call, body, ask.body);
    return future;
  }
  return send(call, request, ask.options);
}

/** Writes a whole body and finishes it. */
export async function writeAll(call: TestCall, body: OutgoingBody, text: string): Promise<void> {
  const stream = types<OutputStream>(call, "[method]outgoing-body.write", body);
  const bytes = encode(text);
  for (let at = 0; at < bytes.length; at += 4096)
    await call.wait(STREAMS, "[method]output-stream.blocking-write-and-flush", stream, bytes.slice(at, at + 4096));
  stream[Symbol.dispose]();
  types(call, "[static]outgoing-body.finish", body, undefined);
}

/** Waits for a response. @throws What the future holds instead. */
export async function answer(call: TestCall, future: FutureIncomingResponse): Promise<IncomingResponse> {
  await ready(future.event);
  const got = types<{ tag: string; value: { tag: string; value: IncomingResponse } }>(
    call,
    "[method]future-incoming-response.get",
    future,
  );
  future[Symbol.dispose]();
  if (got.value.tag === "error") throw new AnswerError(got.value.value);
  return got.value.value;
}

/** The error-code in a future. */
class AnswerError extends Error {
  readonly code: unknown;

  constructor(code: unknown) {
    super(
      `error-code ${JSON.stringify(code, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value))}`,
    );
    this.code = code;
  }
}

/** Sends a request and reads its response to the end. */
export async function fetchWhole(call: TestCall, url: string, ask: Ask = {}): Promise<Told> {
  const response = await answer(call, await begin(call, url, ask));
  const fields = types<Fields>(call, "[method]incoming-response.headers", response);
  const headers = fields.entries.map(([name, value]) => [name, decode(value)] as const);
  fields[Symbol.dispose]();
  const body = types<IncomingBody>(call, "[method]incoming-response.consume", response);
  const status = types<number>(call, "[method]incoming-response.status", response);
  response[Symbol.dispose]();
  const text = await readAll(call, body);
  body[Symbol.dispose]();
  return { status, headers, body: text };
}

/** Reads a body to its end, leaving the body. @throws {StreamError} */
export async function readAll(call: TestCall, body: IncomingBody): Promise<string> {
  const stream = types<InputStream>(call, "[method]incoming-body.stream", body);
  const pieces: string[] = [];
  try {
    for (;;) {
      const piece = await call.wait(STREAMS, "[method]input-stream.blocking-read", stream, 65_536n);
      if (piece instanceof Uint8Array) pieces.push(Buffer.from(piece).toString("latin1"));
    }
  } catch (error) {
    const payload = await errorOf(() => Promise.reject(error));
    if (Reflect.get(Object(payload), "tag") === "closed") return pieces.join("");
    throw new StreamError(types(call, "http-error-code", Reflect.get(Object(payload), "value")), pieces.join(""));
  } finally {
    stream[Symbol.dispose]();
  }
}

/** A stream that failed. */
class StreamError extends Error {
  readonly code: unknown;
  /** What came before. */
  readonly before: string;

  constructor(code: unknown, before: string) {
    super(`stream error ${String(Reflect.get(Object(code), "tag"))}`);
    this.code = code;
    this.before = before;
  }
}

/** Waits for trailers. */
export async function trailersOf(call: TestCall, body: IncomingBody): Promise<unknown> {
  const future = types<FutureTrailers>(call, "[static]incoming-body.finish", body);
  await ready(future.event);
  const got = types<{ value: unknown }>(call, "[method]future-trailers.get", future);
  return got.value;
}

/** The error-code that a request ends with, wherever it is told. */
export async function failureOf(action: Promise<unknown>): Promise<unknown> {
  try {
    await action;
  } catch (error) {
    if (error instanceof AnswerError || error instanceof StreamError) return error.code;
    return await errorOf(() => Promise.reject(error));
  }
  throw new Error("it did not fail");
}

/** A server that answers with the bytes that a test has for it. */
export class RawServer implements Disposable {
  readonly port: number;
  /** All that it received, by connection. */
  readonly received: string[] = [];
  connections = 0;
  closed = 0;
  readonly #listener: TCPSocketListener<number>;

  /** @param reply - Called when a connection has sent the end of a head; once for each. */
  constructor(reply: (socket: Socket<number>, text: string) => void) {
    const answered = new Set<number>();
    this.#listener = Bun.listen<number>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => {
          socket.data = this.received.push("") - 1;
          this.connections += 1;
        },
        data: (socket, bytes) => {
          const text = (this.received[socket.data] ?? "") + bytes.toString("latin1");
          this.received[socket.data] = text;
          if (!text.includes("\r\n\r\n") || answered.has(socket.data)) return;
          answered.add(socket.data);
          reply(socket, text);
        },
        close: () => void (this.closed += 1),
        error: () => undefined,
      },
    });
    this.port = this.#listener.port;
  }

  [Symbol.dispose](): void {
    this.#listener.stop(true);
  }
}

/** A server that says one thing and closes. */
export function saying(text: string): RawServer {
  return new RawServer((socket) => {
    socket.write(Buffer.from(text, "latin1"));
    socket.end();
  });
}
