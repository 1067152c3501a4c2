import { describe, expect, test } from "bun:test";
import { boundGlue, GLUE_HANDLE_LIMIT, RETURNED_TEXT_LIMIT } from "../../lib/component/bounds.ts";

const LIFT = "function _lowerImportBackwardsCompat(args) {\n";
const LIFTING = `${LIFT}    return args.lift();\n}\nconst trampoline = _lowerImportBackwardsCompat.bind(null, { lift: () => 1 });\n`;
const TABLE = `const T_FLAG = 1 << 30;
const WebAssemblyRuntimeError = WebAssembly.RuntimeError;
function rscTableCreateBorrow(table, rep, scopeId) {
    const free = table[0] & ~T_FLAG;
    if (free === 0) {
      table.push(scopeId);
      table.push(rep);
      return table.length / 2 - 1;
    }
}
function rscTableGet(table, handle) {
    return table[(handle << 1) + 1];
}
function rscTableRemove(table, handle) {
    table[handle << 1] = T_FLAG;
    return table[(handle << 1) + 1];
}
function rscTableCreateOwn(table, rep) {
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

const TASK = `class AsyncTask {
      #resourceLenders = [];
      addResourceLender(table, handle) {
        this.#resourceLenders.push({ table, handle });
      }
      exit() {
        this.#resourceLenders = [];
      }
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

/** Lends a resource to tables that are empty. */
function borrow(count: number): string {
  return `Array.from({ length: ${count} }, () => rscTableCreateBorrow([0, 0], 7, 1))`;
}

/** Lends a resource to a task of {@link TASK}. */
function lend(task: string, count: number): string {
  return `Array.from({ length: ${count} }, () => ${task}.addResourceLender([], 1))`;
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

  test("counts what all tables lend and own together", async () => {
    expect(await evaluate(TABLES, `${fill(1)} + ${borrow(GLUE_HANDLE_LIMIT - 1)}.length`)).toBe(GLUE_HANDLE_LIMIT);
    await expect(evaluate(TABLES, `[${fill(1)}, ${borrow(GLUE_HANDLE_LIMIT)}]`)).rejects.toThrow(
      new RangeError("it holds more than 65536 handles"),
    );
  });

  test.each(["rscTableGet", "rscTableRemove"])(
    "%s knows the handles of its table, and writes no other",
    async (use) => {
      expect(await evaluate(TABLES, `(${fill(2)}, ${use}(table, 2))`)).toBe(7);
      for (const handle of ["0", "3", "-1", "-2147483647", "2147483647", "undefined", "NaN"]) {
        await expect(evaluate(TABLES, `(${fill(2)}, ${use}(table, ${handle}))`)).rejects.toThrow(
          new WebAssembly.RuntimeError("unknown handle"),
        );
      }
    },
  );

  test("counts what all calls under way have been lent", async () => {
    const tasks = `${TASK}\nconst [first, second] = [new AsyncTask(), new AsyncTask()];\n`;
    const most = `${lend("first", 1)}, ${lend("second", GLUE_HANDLE_LIMIT - 1)}`;
    expect(await evaluate(tasks, `(${most}, second.exit(), ${lend("first", GLUE_HANDLE_LIMIT - 1)}.length)`)).toBe(
      GLUE_HANDLE_LIMIT - 1,
    );
    await expect(evaluate(tasks, `[${most}, ${lend("first", 1)}]`)).rejects.toThrow(
      new RangeError("it holds more than 65536 handles"),
    );
  });

  test.each([
    ["new TextDecoder()", "new Uint8Array([0xef, 0xbb, 0xbf, 0x61])", "\ufeffa"],
    ["new TextDecoder('utf-16')", "new Uint16Array([0xfeff, 0x61])", "\ufeffa"],
    ["new TextDecoder('utf-16')", "new Uint16Array([0xd83d, 0xde00])", "\u{1f600}"],
  ])("%s keeps a byte-order mark, and what else is a text: %s", async (decoder, bytes, text) => {
    expect(await evaluate("", `${decoder}.decode(${bytes})`)).toBe(text);
  });

  test.each([
    ["new TextDecoder()", "new Uint8Array([0xed, 0xa0, 0x80])", "utf-8"],
    ["new TextDecoder()", "new Uint8Array([0x61, 0xf0, 0x9f])", "utf-8"],
    ["new TextDecoder('utf-16')", "new Uint16Array([0xd83d])", "utf-16le"],
    ["new TextDecoder('utf-16')", "new Uint16Array([0xde00, 0x61])", "utf-16le"],
  ])("%s refuses what is no text: %s", async (decoder, bytes, encoding) => {
    await expect(evaluate("", `${decoder}.decode(${bytes})`)).rejects.toThrow(
      new TypeError(`The encoded data was not valid for encoding ${encoding}`),
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
    [
      TABLE.replace("handle) {\n    return", "index) {\n    return"),
      "function rscTableGet(table, handle) {\n",
      "a lookup that has changed",
    ],
    [
      TABLE.replace("handle) {\n    table[", "index) {\n    table["),
      "function rscTableRemove(table, handle) {\n",
      "a removal that has changed",
    ],
    [
      TABLE.replace("table.push(scopeId);", "table.push(scopeId, rep);"),
      "    if (free === 0) {\n      table.push(scopeId);\n",
      "a loan that has changed",
    ],
    [TABLE.replace("T_FLAG = 1 << 30", "T_FLAG = 1 << 29"), "const T_FLAG = 1 << 30;\n", "a constant that has changed"],
    [
      TASK.replace("push({ table, handle })", "push([table, handle])"),
      "        this.#resourceLenders.push({ table, handle });\n",
      "a list that has changed",
    ],
    [
      TASK.replace("this.#resourceLenders = []", "return"),
      "        this.#resourceLenders = [];\n",
      "an end that is gone",
    ],
  ])("refuses glue that jco writes in another way: %#", (glue, anchor) => {
    expect(() => boundGlue(glue)).toThrow(new Error(`BUG: jco's glue has changed: ${anchor}`));
  });

  test("changes nothing in glue that does none of it, and begins with it", () => {
    expect(boundGlue('"use components";\n')).toStartWith('"use components";\n\nconst TextDecoder');
  });
});
