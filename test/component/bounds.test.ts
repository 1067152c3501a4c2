import { describe, expect, test } from "bun:test";
import { boundGlue, GLUE_HANDLE_LIMIT, RETURNED_TEXT_LIMIT } from "../../lib/component/bounds.ts";

const LIFT = "function _lowerImportBackwardsCompat(args) {\n";
const LIFTING = `${LIFT}    return args.lift();\n}\nconst trampoline = _lowerImportBackwardsCompat.bind(null, { lift: () => 1 });\n`;
const TABLE = `function rscTableCreateOwn(table, rep) {
    const free = 0;
    table._createdReps.add(rep);
    if (free === 0) {
      return table.push(0, rep) / 2 - 1;
    }
}
function resourceTransferOwn(toTable, rep) {
    const newHandle = rscTableCreateOwn(toTable, rep);
    return newHandle;
}
`;

/** Evaluates a bounded glue and one expression behind it. */
async function evaluate(glue: string, expression: string): Promise<unknown> {
  const source = `${boundGlue(glue)}\nexport const value = ${expression};`;
  const made: unknown = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  return Reflect.get(Object(made), "value");
}

/** Adds handles to a table of {@link TABLES}. */
function fill(count: number): string {
  return `Array.from({ length: ${count} }, () => rscTableCreateOwn(table, 7)).length`;
}

const TABLES = `${TABLE}\nconst table = [0, 0];\ntable._createdReps = new Set();\n`;

describe("boundGlue()", () => {
  test("lets no argument be lifted", async () => {
    await expect(evaluate(LIFTING, "trampoline()")).rejects.toThrow(new TypeError("an import cannot be linked"));
  });

  test.each([RETURNED_TEXT_LIMIT - 1, RETURNED_TEXT_LIMIT])("lifts a returned text of %d bytes", async (length) => {
    expect(await evaluate("", `new TextDecoder().decode(new Uint8Array(${length})).length`)).toBe(length);
  });

  test("refuses a returned text one byte longer, in every encoding", async () => {
    for (const decoder of ["new TextDecoder()", "new TextDecoder('utf-16')"]) {
      await expect(evaluate("", `${decoder}.decode(new Uint8Array(${RETURNED_TEXT_LIMIT + 1}))`)).rejects.toThrow(
        new RangeError("it returned a text of 4194305 bytes"),
      );
    }
  });

  test("lets the tables of handles grow up to a limit", async () => {
    expect(await evaluate(TABLES, fill(GLUE_HANDLE_LIMIT - 1))).toBe(GLUE_HANDLE_LIMIT - 1);
    expect(await evaluate(TABLES, fill(GLUE_HANDLE_LIMIT))).toBe(GLUE_HANDLE_LIMIT);
    await expect(evaluate(TABLES, fill(GLUE_HANDLE_LIMIT + 1))).rejects.toThrow(
      new RangeError("it holds more than 65536 handles"),
    );
  });

  test("tells who defines a resource's type from who was given one, without a set that grows", async () => {
    expect(await evaluate(TABLES, "table._createdReps.has(7)")).toBe(false);
    expect(await evaluate(TABLES, "(resourceTransferOwn(table, 7), table._createdReps.has(7))")).toBe(false);
    expect(await evaluate(TABLES, "(rscTableCreateOwn(table, 7), table._createdReps.has(7))")).toBe(true);
  });

  test.each([
    [LIFTING.replace(LIFT, "function _lowerImportBackwardsCompat(other) {\n"), LIFT, "a function that has changed"],
    [LIFTING + LIFT, LIFT, "a function that is there twice"],
    [
      TABLE.replace("table._createdReps.add(rep);", ""),
      "    table._createdReps.add(rep);\n    if (free === 0) {\n",
      "a statement that is gone",
    ],
  ])("refuses glue that jco writes in another way: %#", (glue, anchor) => {
    expect(() => boundGlue(glue)).toThrow(new Error(`BUG: jco's glue has changed: ${anchor}`));
  });

  test("changes nothing in glue that does none of it, and begins with it", () => {
    expect(boundGlue('"use components";\n')).toStartWith('"use components";\n\nconst TextDecoder');
  });
});
