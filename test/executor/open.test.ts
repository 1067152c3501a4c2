import { describe, expect, spyOn, test } from "bun:test";
import { summarize, TestRuntime } from "../support/runtime.ts";

describe("openCalls()", () => {
  for (const { isolation, compiles } of [
    { isolation: "worker", compiles: true },
    { isolation: "process", compiles: false },
  ] as const) {
    test(`"${isolation}" ${compiles ? "compiles modules" : "compiles none"} in this process`, async () => {
      using compile = spyOn(WebAssembly, "compile");
      await using kami = new TestRuntime({ isolation });
      expect(summarize(await kami.run("echo", { a: "\u0000\u20ac\ud83d\ude00" }))).toEqual({
        output: { a: "\u0000\u20ac\ud83d\ude00" },
      });
      expect(compile.mock.calls.length > 0).toBe(compiles);
    });
  }
});
