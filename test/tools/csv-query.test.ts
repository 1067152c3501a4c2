import { afterAll, describe, expect, test } from "bun:test";
import { TestTool } from "./support/tool.ts";

const tool = new TestTool("csv-query");
afterAll(() => tool[Symbol.asyncDispose]());

const CSV = `city,country,people
Oslo,NO,709000
Bergen,NO,291000
Rome,IT,2760000
"Reggio, Emilia",IT,
`;

describe("csv-query", () => {
  test("filters, selects, sorts and cuts", async () => {
    const input = {
      csv: CSV,
      where: [{ column: "people", op: ">=", value: 291_000 }],
      select: ["city", "people"],
      order_by: ["-people"],
      limit: 2,
    };
    expect(await tool.call(input)).toEqual({
      output: {
        columns: ["city", "people"],
        rows: [
          ["Rome", "2760000"],
          ["Oslo", "709000"],
        ],
        matched: 3,
        total: 3,
      },
    });
  });

  test("groups and aggregates", async () => {
    const aggregate = ["count", "sum(people)", "mean(people)", "median(people)", "min(city)", "distinct(people)"];
    expect(await tool.call({ csv: CSV, group_by: ["country"], aggregate, order_by: ["country"] })).toEqual({
      output: {
        columns: ["country", ...aggregate],
        rows: [
          ["IT", 2, 2_760_000, 2_760_000, 2_760_000, "Reggio, Emilia", 1],
          ["NO", 2, 1_000_000, 500_000, 500_000, "Bergen", 2],
        ],
        matched: 4,
        total: 2,
      },
    });
  });

  test.each([
    ["=", "NO", 2],
    ["!=", "NO", 2],
    ["in", ["IT", "FR"], 2],
    ["contains", "n", 2],
    ["starts", "i", 2],
    ["empty", undefined, 0],
  ])("where country %s %j", async (op, value, matched) => {
    expect(
      await tool.call({ csv: CSV, where: [{ column: "country", op, value }], aggregate: ["count"] }),
    ).toMatchObject({
      output: { rows: [[matched]] },
    });
  });

  test("reads quotes, line ends and delimiters of every kind", async () => {
    const csv = '\ufeffa;b\r\n"x ""1""\n;";2\r\n\r\n3;\r\n';
    expect(await tool.call({ csv })).toMatchObject({
      output: {
        columns: ["a", "b"],
        rows: [
          ['x "1"\n;', "2"],
          ["3", ""],
        ],
      },
    });
  });

  test.each([
    [{ csv: "" }, "the CSV is empty: its first record must name the columns"],
    [{ csv: 'a\n"b' }, "the CSV is broken in record 2: a quoted field does not end"],
    [{ csv: 'a\n"b"c' }, "the CSV is broken in record 2: a quoted field goes on after its end"],
    [{ csv: CSV, select: ["nope"] }, 'there is no column "nope": there are city, country, people'],
    [
      { csv: CSV, where: [{ column: "city", op: "~" }] },
      'there is no operator "~": there are = != < <= > >= contains starts ends in empty filled',
    ],
    [
      { csv: CSV, aggregate: ["eval(city)"] },
      'there is no aggregate "eval(city)": there are count, sum(column), mean(column), median(column), min(column), max(column), count(column), distinct(column)',
    ],
  ])("says what is wrong with %j", async (input, error) => {
    expect(await tool.call(input)).toEqual({ error });
  });
});
