/**
 * `wasi:http/types`. The guest's side of the trust boundary.
 *
 * Source: wasi:http 0.2, wit/types.wit.
 */
import { define } from "../../../component/link/host.ts";
import { option } from "../../../schema/value-type.ts";
import { type Host, serve, type WasiInterface } from "../host.ts";
import type { IoError } from "../streams.ts";
import { FIELDS } from "./fields.ts";
import { INCOMING } from "./incoming.ts";
import { OUTGOING_BODY } from "./outgoing-body.ts";
import { OUTGOING_REQUEST, REQUEST_OPTIONS } from "./outgoing-request.ts";
import { SERVER } from "./server.ts";
import { ERROR_CODE, IO_ERROR, RESOURCES } from "./signature.ts";

/** `wasi:http/types`. */
export const HTTP_TYPES: WasiInterface = serve(
  "wasi:http/types",
  {
    /** Tells what a stream failed of. Source: `http-error-code`: "Note that this function is fallible because not all io-errors are http-related errors". */
    "http-error-code": define(
      [{ err: IO_ERROR }, option(ERROR_CODE)],
      (_: Host, { fault }: IoError) => fault.codes.http,
    ),
    ...FIELDS,
    ...OUTGOING_REQUEST,
    ...REQUEST_OPTIONS,
    ...OUTGOING_BODY,
    ...INCOMING,
    ...SERVER,
  },
  RESOURCES,
);
