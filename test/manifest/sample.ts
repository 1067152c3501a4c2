/**
 * Manifests to change one thing in, and what the parser says about them.
 */
import { Failure } from "../../lib/errors.ts";
import { parseManifest } from "../../lib/manifest/parse.ts";

/** Lines 1 to 5 of {@link MINIMAL}. */
export const TOOL = `[tool]
id = "dev.example.fetch-url"
name = "fetch-url"
version = "1.0.0"
wasm = "fetch_url.wasm"
`;

/** Lines 6 and 7 of {@link MINIMAL}. */
export const MCP = `[mcp]
description = "Fetches content from a URL"
`;

/** Lines 8 to 11 of what {@link withArgument} returns. */
export const ARGUMENT = `[[mcp.arguments]]
name = "url"
type = "string"
description = "The URL to fetch"
`;

/** The least that a manifest must say. */
export const MINIMAL: string = TOOL + MCP;

/** Gives a key of `[tool]` or `[mcp]` another value. */
export function withValue(key: string, value: string): string {
  return MINIMAL.replace(new RegExp(`^${key} = .*$`, "m"), () => `${key} = ${value}`);
}

/** Declares a string argument; `lines` follow from line 12 on. */
export function withArgument(lines: string): string {
  return `${MINIMAL}${ARGUMENT}${lines}\n`;
}

/** Puts `lines` into `[security]`, from line 9 on. */
export function withSecurity(lines: string): string {
  return `${MINIMAL}[security]\n${lines}\n`;
}

/** Writes a TOML string of so many letters. */
export function textOf(length: number): string {
  return JSON.stringify("a".repeat(length));
}

/** Writes a TOML array of so many items. */
export function listOf(length: number, item: (index: number) => string): string {
  return `[${Array.from({ length }, (_, index) => item(index)).join(",")}]`;
}

/** Returns what the parser throws, or `undefined` when it accepts the manifest. */
export function failureOf(text: string): Failure | undefined {
  try {
    parseManifest(text, "tool.toml");
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

/** Returns the failure's code, text and hint, or "accepted". */
export function outcomeOf(text: string): string {
  const failure = failureOf(text);
  return failure === undefined ? "accepted" : `${failure.code}: ${failure.message} | ${failure.hint}`;
}

/** Returns what a MANIFEST_INVALID says after the name of the file; any other outcome as a whole. */
export function ruleOf(text: string): string {
  const outcome = outcomeOf(text);
  const parts = /^MANIFEST_INVALID: Cannot use tool\.toml:(.*) \| mend the value at that place$/s.exec(outcome);
  return parts?.[1] ?? outcome;
}
