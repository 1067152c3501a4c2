/**
 * The tools that the suites call, and what they are given.
 */
import { guestDirectory, toolDirectory } from "../fixtures/paths.ts";
import type { Limits } from "../lib/protocol/limits.ts";

/** A tool package and one input for it. */
export interface SampleTool {
  readonly name: string;
  /** Absolute path of the package. */
  readonly directory: string;
  /** JSON text. */
  readonly input: string;
}

/** The smallest tool: what is left is the price of the call. */
export const ECHO: SampleTool = {
  name: "echo",
  directory: guestDirectory("echo"),
  input: '{"text":"What goes in comes out again"}',
};

/** A real program: a JavaScript engine that runs a JMESPath interpreter over a hundred records. */
export const JSON_QUERY: SampleTool = {
  name: "json-query (QuickJS)",
  directory: toolDirectory("json-query"),
  input: jsonQueryInput(100),
};

/** Limits that no tool here reaches: the figures are those of calls that end well. */
export const AMPLE_LIMITS: Limits = Object.freeze({
  fuel: Number.MAX_SAFE_INTEGER,
  memoryBytes: 256 * 1_048_576,
  timeoutMs: 60_000,
});

function jsonQueryInput(records: number): string {
  const items = Array.from({ length: records }, (_, index) => ({ name: `item ${index}`, price: (index * 37) % 100 }));
  return JSON.stringify({ data: { items }, query: "items[?price > `50`].name" });
}
