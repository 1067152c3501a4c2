import { describe, expect, test } from "bun:test";
import { limitCall } from "../../lib/policy/limits.ts";

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
