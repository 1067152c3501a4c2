import { afterAll, describe, expect, test } from "bun:test";
import { TestTool } from "./support/tool.ts";

const tool = new TestTool("sqlite-query");
afterAll(() => tool[Symbol.asyncDispose]());

describe("sqlite-query, with nothing granted", () => {
  test("runs queries that need no file", async () => {
    const sql =
      "SELECT ?1 + 1 AS n, upper(?2) AS t, 0.1 + 0.2 AS r, x'00ff10' AS b, NULL AS z, 9007199254740993 AS big, json_array(1, 2) AS j";
    expect(await tool.call({ path: ":memory:", sql, parameters: [41, 'a\u00fc"\n'] })).toEqual({
      output: {
        columns: ["n", "t", "r", "b", "z", "big", "j"],
        rows: [[42, 'A\u00fc"\n', 0.300_000_000_000_000_04, { base64: "AP8Q" }, null, "9007199254740993", "[1,2]"]],
        count: 1,
      },
    });
  });

  test("cuts what is longer than wanted", async () => {
    const sql = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i FROM n";
    expect(await tool.call({ path: ":memory:", sql, limit: 2 })).toEqual({
      output: { columns: ["i"], rows: [[1], [2]], count: 2, isCut: true },
    });
    expect(await tool.member("count", { path: ":memory:", sql, limit: 5 })).toBe(5);
  });

  test.each([
    [{ path: "/data/x.db" }, "there is no such file, or it is not in a granted directory: /data/x.db"],
    [{ path: ":memory:", sql: "SELEC 1" }, 'the query cannot be prepared: near "SELEC": syntax error'],
    [{ path: ":memory:", sql: "SELECT 1; SELECT 2" }, "there is more than one statement"],
    [
      { path: ":memory:", sql: "CREATE TABLE t (a)" },
      "the query cannot be prepared: only SELECT and harmless PRAGMAs are allowed",
    ],
    [
      { path: ":memory:", sql: "ATTACH 'x.db' AS x" },
      "the query cannot be prepared: only SELECT and harmless PRAGMAs are allowed",
    ],
    [
      { path: ":memory:", sql: "PRAGMA journal_mode = wal" },
      "the query cannot be prepared: only SELECT and harmless PRAGMAs are allowed",
    ],
    [
      { path: ":memory:", sql: "SELECT ?", parameters: [] },
      '"parameters" do not fit: there are fewer than the query has',
    ],
    [
      { path: ":memory:", sql: "SELECT ?", parameters: [[]] },
      '"parameters" do not fit: each must be a string, a number, true, false or null',
    ],
    [{ path: ":memory:", sql: "SELECT 1", limit: 10_001 }, '"limit" must be from 0 to 10000'],
  ])("says what is wrong with %j", async (input, error) => {
    expect(await tool.call(input)).toEqual({ error });
  });
});
