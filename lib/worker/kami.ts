/**
 * `kami:tool/host`: what KAMI itself gives a tool. The guest's side of the trust boundary.
 *
 * Source: lib/guest/wit/kami-tool.wit.
 */
import { define } from "../component/link/host.ts";
import { enumeration, string } from "../schema/value-type.ts";
import type { LogLevel } from "../protocol/limits.ts";
import { type Host, serve, type WasiInterface } from "./wasi/host.ts";

const ENCODER = new TextEncoder();

/** `kami:tool/host`. */
export const KAMI_HOST: WasiInterface = serve("kami:tool/host", {
  /** Writes one line to the call's log. Source: `log`: "Capped in size and number", which is by the call's limit on captured output. */
  log: define(
    [{ level: enumeration("trace", "debug", "info", "warn", "error"), message: string }],
    (host: Host, level: LogLevel, message: string) => host.context.capture("log", ENCODER.encode(message), level),
  ),
});
