import { describe, expect, test } from "bun:test";
import { cutLimits, DEFAULT_CEILINGS, limitCall } from "../../lib/policy/limits.ts";

const REQUEST = { maxMemoryMb: 64, maxExecutionMs: 5000, maxFuel: 1000 };

describe("limitCall()", () => {
  test("gives what the manifest asks for when nobody says otherwise", () => {
    expect(limitCall(REQUEST)).toEqual({ fuel: 1000, memoryBytes: 67_108_864, timeoutMs: 5000 });
  });

  test("never gives more than the ceilings, and does not raise a request to them", () => {
    const ceilings = { fuel: 999, memoryBytes: 67_108_865, timeoutMs: 5000 };
    expect(limitCall(REQUEST, { ceilings })).toEqual({ fuel: 999, memoryBytes: 67_108_864, timeoutMs: 5000 });
  });

  test("gives what the user says for this call, above or below", () => {
    const explicit = { fuel: 5, memoryBytes: 2 ** 30 };
    expect(limitCall(REQUEST, { ceilings: { fuel: 2, timeoutMs: 1 }, explicit })).toEqual({
      fuel: 5,
      memoryBytes: 2 ** 30,
      timeoutMs: 1,
    });
  });
});

describe("cutLimits()", () => {
  test("tells nothing when the manifest gets all it asks for", () => {
    expect(cutLimits(REQUEST, {})).toBeUndefined();
    expect(cutLimits(REQUEST, { fuel: 1000, memoryBytes: 67_108_864, timeoutMs: 5000 })).toBeUndefined();
  });

  test("tells each limit that is lower than asked, as it is in force", () => {
    expect(cutLimits(REQUEST, { fuel: 999, memoryBytes: 67_108_864, timeoutMs: 5001 })).toEqual({ fuel: 999 });
    expect(cutLimits(REQUEST, { memoryBytes: 67_108_863, timeoutMs: 4999 })).toEqual({
      memoryBytes: 67_108_863,
      timeoutMs: 4999,
    });
  });

  test("by default, 100 billion units, 1 GiB and a minute are what a manifest can ask for", () => {
    const most = { maxMemoryMb: 1024, maxExecutionMs: 60_000, maxFuel: 100_000_000_000 };
    expect(cutLimits(most, DEFAULT_CEILINGS)).toBeUndefined();
    const more = { maxMemoryMb: 1025, maxExecutionMs: 60_001, maxFuel: 100_000_000_001 };
    expect(cutLimits(more, DEFAULT_CEILINGS)).toEqual(DEFAULT_CEILINGS);
  });
});
