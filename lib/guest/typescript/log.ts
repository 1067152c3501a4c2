/**
 * The call's log. A file of its own, so that a tool which does not log does not import it.
 */
import { log as hostLog } from "kami:tool/host@0.1.0";

/** How much a line of the log matters. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error";

/** Writes a line to the call's log, which the user sees and the agent does not. Values other than text are written as JSON. */
export function log(level: LogLevel, ...values: readonly unknown[]): void {
  hostLog(level, values.map((value) => (typeof value === "string" ? value : JSON.stringify(value))).join(" "));
}
