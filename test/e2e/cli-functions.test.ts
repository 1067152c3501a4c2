/**
 * A component of plain functions, each of which is called by its name: JSON in and out by its WIT types.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { ROOT } from "../../fixtures/recipes.ts";
import { TestRuntime } from "../support/runtime.ts";

const ID = "dev.kami.fixture.functions";

let kami: TestRuntime;
beforeAll(async () => {
  kami = new TestRuntime();
  await kami.runtime.install(join(ROOT, "guests/functions"));
}, 60_000);
afterAll(() => kami[Symbol.asyncDispose]());

async function call(name: string | undefined, input: unknown): Promise<unknown> {
  const result = await kami.runtime.call(ID, JSON.stringify(input), { function: name });
  return result.ok ? JSON.parse(result.output) : `${result.failure.code}: ${result.failure.message}`;
}

describe("a component of functions", () => {
  test("is described by its types when it is installed", () => {
    const { functions } = kami.runtime.registry.require(ID);
    expect(functions.map(({ name }) => name)).toEqual(["add", "reverse", "shapes.area", "shapes.describe"]);
    expect(functions[0]).toEqual({
      name: "add",
      inputSchema: {
        type: "object",
        properties: {
          a: { type: "integer", minimum: 0, maximum: 4_294_967_295 },
          b: { type: "integer", minimum: 0, maximum: 4_294_967_295 },
        },
        required: ["a", "b"],
        additionalProperties: false,
      },
      outputSchema: { type: "integer", minimum: 0, maximum: 4_294_967_295 },
    });
  });

  test.each([
    ["add", { a: 2, b: 40 }, 42],
    ["reverse", { bytes: "AAEC" }, "AgEA"],
    ["shapes.area", { shape: { circle: 1 } }, Math.PI],
    [
      "shapes.area",
      {
        shape: {
          polygon: [
            [0, 0],
            [2, 0],
            [2, 3],
          ].map(([x, y]) => ({ x, y })),
        },
      },
      3,
    ],
    [
      "shapes.describe",
      { name: "n", style: ["italic"], at: [-1, "-5"] },
      '["n",null,{"bold":false,"italic":true},"-1,-5"]',
    ],
  ])("%s %j", async (name, input, output) => {
    expect(await call(name, input)).toEqual(output);
  });

  test("gives the error of a result as a tool's error", async () => {
    expect(await call("shapes.area", { shape: { nothing: null } })).toBe("TOOL_ERROR: nothing has no area");
  });

  test.each([
    [undefined, "FUNCTION_UNKNOWN: Cannot call the tool: it has several functions, and none was named"],
    ["substract", 'FUNCTION_UNKNOWN: Cannot call the function "substract": the tool has none of that name'],
    ["toString", 'FUNCTION_UNKNOWN: Cannot call the function "toString": the tool has none of that name'],
    ["init", 'FUNCTION_UNKNOWN: Cannot call the function "init": the tool has none of that name'],
  ])("%p is none of its functions", async (name, message) => {
    expect(await call(name, {})).toBe(`${message} (it has add, reverse, shapes.area, shapes.describe)`);
  });

  test("checks the input before a guest starts", async () => {
    expect(await call("add", { a: 1, b: 2 ** 32 })).toBe(
      'INPUT_INVALID: Cannot use the input: "b" must be an integer from 0 to 4294967295, got 4294967296',
    );
  });
});
