/**
 * What `kami` prints: results on stdout, everything else on stderr. Nothing that a guest or a manifest says reaches a terminal uncleaned.
 */
import { clean, Failure } from "../errors.ts";
import type { Host, Sink } from "./host.ts";

/** How a piece of text stands out on a terminal. */
type Style = "bold" | "dim" | "red" | "green" | "yellow";

const STYLES: Readonly<Record<Style, readonly [open: number, close: number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
};

/** Colours text, or returns it as it is. */
export type Paint = (style: Style, text: string) => string;

/**
 * Makes the painter of a stream: it colours only on a terminal, and not when `NO_COLOR` is set or the terminal is dumb.
 *
 * Source: no-color.org, where an empty `NO_COLOR` counts as unset.
 */
export function painterFor(sink: Sink, environment: ReadonlyMap<string, string>): Paint {
  const refused = (environment.get("NO_COLOR") ?? "") !== "" || environment.get("TERM") === "dumb";
  if (!sink.isTerminal || refused) return (_style, text) => text;
  return (style, text) => `\u001b[${STYLES[style][0]}m${text}\u001b[${STYLES[style][1]}m`;
}

/** Writes a value as JSON on one line that is safe on a terminal. */
export function toJson(value: unknown): string {
  return escapeJson(JSON.stringify(value));
}

/**
 * Escapes the characters of JSON text that steer a terminal or hide what it says. It means the same then: outside of strings, where an
 * escape would be wrong, JSON has none of them.
 *
 * Source: RFC 8259 §7.
 */
export function escapeJson(json: string): string {
  return json.replace(/[\u007f-\u009f\u2028\u2029\p{Cf}]/gu, escapeCharacter);
}

/** Makes the exact output of a tool safe for a terminal: control characters other than tab and line feed are shown, not obeyed. */
export function showControls(text: string): string {
  return text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    escapeCharacter,
  );
}

/** What `--json` says of an error. */
export interface ErrorJson {
  /** A failure code, or `INTERNAL`. */
  readonly code: string;
  readonly message: string;
  /** Which of the guest's functions it happened in; absent when that is not known. */
  readonly where?: string;
  /** Absent when there is nothing to do about it. */
  readonly hint?: string;
}

/** Describes an error that ended a command, without its stack. */
export function describeError(error: unknown): ErrorJson {
  if (!(error instanceof Failure)) {
    const message = error instanceof Error ? error.message : String(error);
    const hint = "this is a bug in KAMI: set KAMI_DEBUG=1 to see where, and report it";
    return { code: "INTERNAL", message: clean(message, 1000), hint };
  }
  const { code, where, hint } = error;
  return {
    code,
    message: clean(error.message, 4400),
    ...(where !== undefined && { where: clean(where, 1200) }),
    ...(hint !== undefined && { hint: clean(hint, 1000) }),
  };
}

/** Prints an error on stderr for a person. With `KAMI_DEBUG=1`, an internal one with its stack. */
export async function printError(host: Host, error: unknown): Promise<void> {
  const paint = painterFor(host.stderr, host.environment);
  const { code, message, where, hint } = describeError(error);
  const label = paint("red", code === "INTERNAL" ? "internal error:" : "error:");
  const lines = [`${label} ${message}`];
  if (where !== undefined) lines.push(`  ${where}`);
  if (hint !== undefined) lines.push(`  ${paint("dim", "hint:")} ${hint}`);
  const stack = error instanceof Error && !(error instanceof Failure) ? error.stack : undefined;
  if (stack !== undefined && host.environment.get("KAMI_DEBUG") === "1") lines.push(showControls(stack));
  await host.stderr.write(`${lines.join("\n")}\n`);
}

function escapeCharacter(character: string): string {
  return character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}
