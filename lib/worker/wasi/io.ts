/**
 * `wasi:io`: error, poll and streams, as the glue sees them. The guest's side of the trust boundary.
 *
 * Source: wasi:io 0.2, wit/error.wit, wit/poll.wit, wit/streams.wit.
 */
import { stringResult } from "./canonical.ts";
import type { Host, InterfaceFactory } from "./host.ts";
import { Pollable, poll } from "./poll.ts";
import { Resource, exposeResource, type ResourceType } from "./resource.ts";
import { InputStream, OutputStream } from "./streams.ts";

/** The interfaces of `wasi:io`, by name without version. */
export const IO_INTERFACES: readonly (readonly [name: string, create: InterfaceFactory])[] = [
  ["wasi:io/error", (host) => ({ Error: exposeResource(host, IoError) })],
  [
    "wasi:io/poll",
    (host) => ({
      Pollable: exposeResource(host, Pollable),
      poll: (list: unknown) => poll(host, list),
    }),
  ],
  [
    "wasi:io/streams",
    (host) => ({
      InputStream: exposeResource(host, InputStream),
      OutputStream: exposeResource(host, OutputStream),
    }),
  ],
];

/** `wasi:io/error` `error`: what went wrong with a stream. The streams that a call has today only ever end. */
export class IoError extends Resource {
  static readonly type: ResourceType = {
    name: ["wasi:io/error", "error"],
    methods: { toDebugString: [[], stringResult] },
  };

  readonly #message: string;

  /** @param message - For the tool's author; never names anything of the host's. */
  constructor(host: Host, message: string) {
    super(host, IoError);
    this.#message = message;
  }

  /** Describes the error. Source: wit/error.wit `error.to-debug-string`: "suitable to assist humans in debugging". */
  toDebugString(): string {
    Resource.enter(this);
    return this.#message;
  }
}
