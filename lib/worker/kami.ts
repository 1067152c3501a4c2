/**
 * `kami:tool/host`: what KAMI itself gives a tool. The guest's side of the trust boundary.
 *
 * Source: lib/guest/wit/kami-tool.wit.
 */
import type { LogLevel } from "../protocol/limits.ts";
import type { Host, Interface, InterfaceFactory } from "./wasi/host.ts";

/** Most bytes of a message that are captured at once, 64 KiB: a longer one is captured in pieces. */
export const MESSAGE_PIECE: number = 65_536;

/** Most bytes that UTF-8 takes for a UTF-16 code unit. */
const UTF8_LIMIT = 3;

/** The interfaces of `kami:tool`, by name without version. */
export const KAMI_INTERFACES: readonly (readonly [name: string, create: InterfaceFactory])[] = [
  ["kami:tool/host", createToolHost],
];

const LEVELS: readonly LogLevel[] = ["trace", "debug", "info", "warn", "error"];
const encoder = new TextEncoder();

function createToolHost(host: Host): Interface {
  return {
    /**
     * Writes one line to the call's log.
     *
     * Source: kami:tool/host `log`: "Capped in size and number", which is by the call's limit on captured output.
     */
    log(level: unknown, message: unknown): void {
      host.context.enter();
      const known = LEVELS.find((candidate) => candidate === level);
      if (known === undefined || typeof message !== "string") return host.trapType("kami:tool/host log");
      captureMessage(host, known, message);
    },
  };
}

function captureMessage(host: Host, level: LogLevel, message: string): void {
  let rest = message;
  do {
    const buffer = new Uint8Array(Math.min(rest.length * UTF8_LIMIT, MESSAGE_PIECE));
    const { read, written } = encoder.encodeInto(rest, buffer);
    host.context.capture("log", buffer.subarray(0, written), level);
    rest = rest.slice(read);
    host.context.checkInterrupt();
  } while (rest !== "");
}
