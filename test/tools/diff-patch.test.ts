import { afterAll, describe, expect, test } from "bun:test";
import { TestTool } from "./support/tool.ts";

const tool = new TestTool("diff-patch");
afterAll(() => tool[Symbol.asyncDispose]());

const OLD = "one\ntwo\nthree\nfour\nfive\n";
const NEW = "one\n2\nthree\nfour\nfive\nsix\n";
const PATCH = `===================================================================
--- a/list.txt
+++ b/list.txt
@@ -1,3 +1,3 @@
 one
-two
+2
 three
@@ -5,1 +5,2 @@
 five
+six
`;

describe("diff-patch", () => {
  test("writes a unified diff", async () => {
    const input = { operation: "diff", old: OLD, new: NEW, name: "list.txt", context: 1 };
    expect(await tool.call(input)).toEqual({ output: { isSame: false, added: 2, removed: 1, patch: PATCH } });
    expect(await tool.call({ operation: "diff", old: OLD, new: OLD })).toEqual({
      output: { isSame: true, added: 0, removed: 0, patch: "" },
    });
  });

  test("applies what it wrote, forwards and in reverse", async () => {
    expect(await tool.call({ operation: "patch", old: OLD, patch: PATCH })).toEqual({ output: { text: NEW } });
    expect(await tool.call({ operation: "patch", old: NEW, patch: PATCH, reverse: true })).toEqual({
      output: { text: OLD },
    });
  });

  test("compares words", async () => {
    expect(await tool.call({ operation: "words", old: "a red fox", new: "a brown fox" })).toEqual({
      output: { isSame: false, text: "a [-red-]{+brown+} fox" },
    });
  });

  test("gives up on texts that have nothing in common, before its time is up", async () => {
    const [old, changed] = [0, 1].map((odd) =>
      Array.from({ length: 6000 }, (_, index) => `${index * 2 + odd}\n`).join(""),
    );
    expect(await tool.call({ operation: "diff", old, new: changed })).toEqual({
      error: "the texts differ in more than 600 lines",
    });
  });

  test.each([
    [
      { operation: "patch", old: "other\n", patch: PATCH },
      "the patch does not fit: the text is not what its hunks expect",
    ],
    [
      { operation: "patch", old: OLD, patch: "nonsense" },
      "the patch changes nothing: it has no hunk that begins with @@",
    ],
    [{ operation: "patch", old: OLD, patch: PATCH + PATCH }, "the patch is for 2 files, and must be for one"],
    [{ operation: "diff", old: "" }, '"old" and "new" are needed'],
  ])("says what is wrong with %j", async (input, error) => {
    expect(await tool.call(input)).toEqual({ error });
  });
});
