/**
 * The interfaces of `wasi:http` that a tool imports. The guest's side of the trust boundary.
 *
 * Source: wasi:http 0.2, wit/proxy.wit, world `imports`.
 */
import type { WasiInterface } from "../host.ts";
import { HTTP_OUTGOING_HANDLER } from "./outgoing-handler.ts";
import { HTTP_TYPES } from "./types.ts";

/** All of them. */
export const HTTP: readonly WasiInterface[] = [HTTP_TYPES, HTTP_OUTGOING_HANDLER];
