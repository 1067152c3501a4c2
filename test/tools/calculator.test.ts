import { afterAll, describe, expect, test } from "bun:test";
import { TestTool } from "./support/tool.ts";

const tool = new TestTool("calculator");
afterAll(() => tool[Symbol.asyncDispose]());

describe("calculator", () => {
  test.each([
    ["1 + 2 * 3", "7"],
    ["2 ^ 3 ^ 2", "512"],
    ["-2 ^ 2", "-4"],
    ["(1 + 2) * -3", "-9"],
    ["7 % 4 + 5!", "123"],
    ["0.1 + 0.2", "0.3"],
    ["1e3 / 8", "125"],
    ["sqrt(2) * sqrt(2)", "2"],
    ["log(1000) + ln(e) + log(8, 2)", "7"],
    ["max(3, 9, 4) - gcd(12, 18)", "3"],
    ["sin(30 deg)", "0.5"],
    ["cos(pi)", "-1"],
    ["3 km + 200 m", "3.2 km"],
    ["3 km / 20 min to mph", "5.59234073014 mph"],
    ["6 ft to cm", "182.88 cm"],
    ["72 °F to °C", "22.2222222222 tempC"],
    ["100 C to F", "212 tempF"],
    ["10 m * 20 m to ft^2", "2152.78208334 ft2"],
    ["5 m² to cm²", "50000 cm2"],
    ["1 GB / 10 s to MB/s", "100 MB/s"],
    ["4 m / 2 m", "2"],
    ["10 in to cm", "25.4 cm"],
    ["1/2 km to 1/m", "0.0005 1/m"],
    ["round(2.6 kg)", "3 kg"],
  ])("%s = %s", async (expression, text) => {
    expect(await tool.call({ expression })).toMatchObject({ output: { text } });
  });

  test("rounds to the digits that are wanted", async () => {
    expect(await tool.call({ expression: "2/3 kg^0 * 1", digits: 3 })).toMatchObject({
      output: { value: 0.667, unit: "" },
    });
  });

  test.each([
    ["1 +", "the expression ends too early"],
    ["(1", 'a ")" is missing'],
    ["1 2", 'the expression goes on after its end: "2"'],
    ["1 / 0", "the result is too large, or a division by zero"],
    ["1 florb", 'there is no unit "florb"'],
    ["3 km + 2 kg", "the units do not fit: Incompatible units: km and kg"],
    [
      "constructor(1)",
      'there is no function "constructor": there are sqrt, cbrt, exp, ln, log, log2, sin, cos, tan, asin, acos, atan, floor, ceil, round, abs, min, max, mean, gcd, lcm',
    ],
    ["__proto__", 'there is no unit "__proto__"'],
    ["1 # 2", 'cannot read the expression at "# 2"'],
    ["171!", "a factorial needs a whole number from 0 to 170"],
    ["(".repeat(200), "the expression is nested more than 32 deep"],
    ["2^".repeat(200), "the expression is nested more than 32 deep"],
  ])("says what is wrong with %s", async (expression, error) => {
    expect(await tool.call({ expression })).toEqual({ error });
  });
});
