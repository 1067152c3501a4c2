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

/** What {@link JSON_QUERY} answers. */
export const JSON_QUERY_OUTPUT: string = JSON.stringify(
  records(100)
    .filter(({ price }) => price > 50)
    .map(({ name }) => name),
);

/** A checksum of 64 KiB, in C. */
export const SHA256: { readonly input: string; readonly output: string } = Object.freeze({
  input: '{"n":64}',
  output: JSON.stringify({
    kib: 64,
    sha256: new Bun.CryptoHasher("sha256").update(pseudoRandom(65_536)).digest("hex"),
  }),
});

/** Limits that no tool here reaches: the figures are those of calls that end well. */
export const AMPLE_LIMITS: Limits = Object.freeze({
  fuel: Number.MAX_SAFE_INTEGER,
  memoryBytes: 256 * 1_048_576,
  timeoutMs: 60_000,
});

function jsonQueryInput(count: number): string {
  return JSON.stringify({ data: { items: records(count) }, query: "items[?price > `50`].name" });
}

function records(count: number): { readonly name: string; readonly price: number }[] {
  return Array.from({ length: count }, (_, index) => ({ name: `item ${index}`, price: (index * 37) % 100 }));
}

/** The data that the guest makes for itself: the low bytes of a xorshift generator. */
function pseudoRandom(size: number): Uint8Array {
  let state = 2_463_534_242;
  return Uint8Array.from({ length: size }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  });
}
