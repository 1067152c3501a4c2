import { describe, expect, test } from "bun:test";
import { EXIT, EXIT_MEANINGS, exitCodeFor } from "../../lib/cli/exit-codes.ts";
import { failureCodes } from "../../lib/errors.ts";

describe("exitCodeFor()", () => {
  test("gives every failure a documented code that is not success", () => {
    const undocumented = failureCodes().filter((code) => {
      const exit = exitCodeFor(code);
      return exit === EXIT.ok || !EXIT_MEANINGS.has(exit);
    });
    expect(undocumented).toEqual([]);
  });

  test("never calls a failure of the domain a bug, nor a signal", () => {
    const codes = new Set(failureCodes().map(exitCodeFor));
    expect([EXIT.bug, EXIT.interrupted, EXIT.terminated].filter((code) => codes.has(code))).toEqual([]);
  });

  test("tells apart what a script would", () => {
    expect({
      tool: exitCodeFor("TOOL_ERROR"),
      usage: exitCodeFor("USAGE"),
      manifest: exitCodeFor("MANIFEST_INVALID"),
      unknown: exitCodeFor("TOOL_UNKNOWN"),
      fuel: exitCodeFor("FUEL_EXHAUSTED"),
      denied: exitCodeFor("CAPABILITY_DENIED"),
      busy: exitCodeFor("BUSY"),
      registry: exitCodeFor("REGISTRY_UNUSABLE"),
    }).toEqual({ tool: 1, usage: 2, manifest: 3, unknown: 4, fuel: 5, denied: 6, busy: 7, registry: 8 });
  });
});

describe("EXIT_MEANINGS", () => {
  test("explains every code once, in ascending order", () => {
    const codes = [...EXIT_MEANINGS.keys()];
    expect(codes).toEqual(Object.values(EXIT).toSorted((left, right) => left - right));
  });
});
