/**
 * `wasi:http/types` `outgoing-body`: what the guest writes. The guest's side of the trust boundary.
 *
 * Source: wasi:http 0.2, wit/types.wit.
 */
import { define, ResultError } from "../../../component/link/host.ts";
import { option, result } from "../../../schema/value-type.ts";
import { BODY_BUFFER_BYTES, RequestBody } from "../../net/http/request-body.ts";
import { SECTION_LIMIT_BYTES, sectionSize } from "../../net/http/syntax.ts";
import type { Functions, Host } from "../host.ts";
import { Resource } from "../resource.ts";
import { OutputStream } from "../streams.ts";
import type { Fields } from "./fields.ts";
import { ERROR_CODE, OUTPUT_STREAM, ownHttp, self } from "./signature.ts";

/** `outgoing-body`. */
export class OutgoingBody extends Resource {
  readonly body: RequestBody;
  #stream: OutputStream | undefined;

  /** @param declaredLength - What `Content-Length` says; undefined when it says nothing. */
  constructor(host: Host, declaredLength: number | undefined) {
    super(host);
    this.body = new RequestBody(declaredLength);
  }

  /** @returns The stream, the first time. */
  takeStream(): OutputStream | undefined {
    if (this.#stream !== undefined) return undefined;
    if (!this.host.takeBuffer(BODY_BUFFER_BYTES))
      this.host.context.trap("its header fields and streams hold too many bytes");
    this.#stream = new OutputStream(this.host, this.body, this);
    return this.#stream;
  }

  /** Source: `outgoing-body`: "If the outgoing-body is dropped without calling `outgoing-body.finish`, the implementation should treat the body as corrupted". */
  protected override close(): void {
    if (this.#stream !== undefined) this.host.giveBuffer(BODY_BUFFER_BYTES);
    this.body.corrupt();
  }
}

/** The functions of `outgoing-body`. */
export const OUTGOING_BODY: Functions = {
  /** Gives the stream. Source: `outgoing-body.write`: "may be retrieved at most once"; "The returned `output-stream` is a child". */
  "[method]outgoing-body.write": define(
    [self("outgoing-body"), result(OUTPUT_STREAM)],
    (_: Host, body: OutgoingBody) => {
      const stream = body.takeStream();
      if (stream === undefined) throw new ResultError(undefined);
      return stream;
    },
  ),

  /** Ends the body. Source: `outgoing-body.finish`: "Fails if the body's … contents written to the body (via `write`) does not match the value given in the Content-Length". */
  "[static]outgoing-body.finish": define(
    [{ this: ownHttp("outgoing-body"), trailers: option(ownHttp("fields")) }, result(undefined, ERROR_CODE)],
    (host: Host, body: OutgoingBody, trailers: Fields | undefined) => {
      if (body.hasChildren) host.context.trap("it finished an outgoing-body before it dropped the stream of it");
      const fields = trailers?.consume() ?? [];
      const isTooLarge = sectionSize(fields) > SECTION_LIMIT_BYTES;
      const code = isTooLarge
        ? { tag: "HTTP-request-trailer-section-size", value: SECTION_LIMIT_BYTES }
        : body.body.finish(fields);
      body[Symbol.dispose]();
      if (code !== undefined) throw new ResultError(code);
    },
  ),
};
