/**
 * What `outgoing-request` and `outgoing-response` share: fields, and a body that is taken once. The guest's side of the trust boundary.
 *
 * Source: wasi:http 0.2, wit/types.wit.
 */
import { contentLength, type Field } from "../../net/http/syntax.ts";
import type { Host } from "../host.ts";
import { Resource } from "../resource.ts";
import { OutgoingBody } from "./outgoing-body.ts";

/** A message that the guest makes. */
export class OutgoingMessage extends Resource {
  readonly fields: readonly Field[];
  #taken: OutgoingBody | undefined;

  constructor(host: Host, fields: readonly Field[]) {
    super(host);
    this.fields = fields;
  }

  /** @returns The body, the first time, when the fields agree on its length. */
  takeBody(): OutgoingBody | undefined {
    const length = contentLength(this.fields);
    if (this.#taken !== undefined || length === "invalid") return undefined;
    this.#taken = new OutgoingBody(this.host, length);
    return this.#taken;
  }

  /** What the guest writes, if it took the body. */
  protected get body(): OutgoingBody["body"] | undefined {
    return this.#taken?.body;
  }

  protected override close(): void {
    this.body?.refuse();
  }
}
