/**
 * Fuel and stack of whole components, some of several core modules, in the Workers of a runtime: a call that uses exactly its limit passes, one
 * unit less ends it, and a recursion without end uses the same fuel every time.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { guestPath, toolDirectory } from "../../fixtures/paths.ts";
import { SLICE } from "../../lib/protocol/control.ts";
import type { CallResult } from "../../lib/runtime.ts";
import { AMPLE, TestRuntime } from "../support/runtime.ts";

const JSON_QUERY = join(toolDirectory("json-query"), "json_query.wasm");
const RECORDS = Array.from({ length: 100 }, (_, id) => ({ id, name: `record ${id}` }));

interface Exact {
  readonly name: string;
  readonly path: string;
  readonly input: unknown;
  /** Whether it uses more than one slice. */
  readonly isLarge: boolean;
}

const COMPONENTS: readonly Exact[] = [
  { name: "a component that uses less than a slice", path: guestPath("echo"), input: { text: "a" }, isLarge: false },
  { name: "a KAMI tool", path: guestPath("kami-tool"), input: { text: "a" }, isLarge: false },
  { name: "a command", path: guestPath("command"), input: { text: "a" }, isLarge: false },
  { name: "one that computes", path: guestPath("compute"), input: { n: 20 }, isLarge: true },
  { name: "QuickJS, a little", path: JSON_QUERY, input: { json: "[1]", query: "[0]" }, isLarge: true },
  {
    name: "QuickJS, much",
    path: JSON_QUERY,
    input: { json: JSON.stringify(RECORDS), query: "[?id > `50`].name" },
    isLarge: true,
  },
];

let kami: TestRuntime;
beforeAll(() => {
  kami = new TestRuntime();
});
afterAll(async () => {
  await kami[Symbol.asyncDispose]();
});

describe("fuel is exact to the unit for", () => {
  test.each([...COMPONENTS])("$name", async ({ path, input, isLarge }) => {
    const first = await run(path, input, AMPLE.fuel);
    const { fuel } = first.usage;
    expect([first.ok, fuel > 0, fuel > SLICE]).toEqual([true, true, isLarge]);
    expect(await endOf(path, input, fuel)).toEqual([true, fuel]);
    expect(await endOf(path, input, fuel + 1)).toEqual([true, fuel]);
    // The usage never shows more than the limit.
    expect(await endOf(path, input, fuel - 1)).toEqual(["FUEL_EXHAUSTED", fuel - 1]);
  });
});

test("a recursion without end overflows the stack with the same fuel each time", async () => {
  const [end, fuel] = await endOf(guestPath("recurse"), {}, AMPLE.fuel);
  expect([end, fuel > 0]).toEqual(["STACK_OVERFLOW", true]);
  // By the third time the engine has compiled it otherwise.
  for (let round = 0; round < 3; round++) {
    expect(await endOf(guestPath("recurse"), {}, AMPLE.fuel)).toEqual(["STACK_OVERFLOW", fuel]);
  }
});

function run(path: string, input: unknown, fuel: number): Promise<CallResult> {
  return kami.runtime.runFile(path, JSON.stringify(input), { limits: { ...AMPLE, fuel } });
}

/** How a call ended, and its fuel. */
async function endOf(
  path: string,
  input: unknown,
  limit: number,
): Promise<readonly [end: true | string, fuel: number]> {
  const result = await run(path, input, limit);
  return [result.ok ? true : result.failure.code, result.usage.fuel];
}
