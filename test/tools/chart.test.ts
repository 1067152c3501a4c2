import { afterAll, describe, expect, test } from "bun:test";
import { TestTool } from "./support/tool.ts";

const tool = new TestTool("chart");
afterAll(() => tool[Symbol.asyncDispose]());

async function draw(input: object): Promise<string> {
  return String(await tool.member("svg", input));
}

/** The elements of a document, by name; fails when it is not well formed. */
async function elementsOf(svg: string): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  const open: string[] = [];
  for (const [, close, name = "", alone] of svg.matchAll(/<(\/?)([a-z]+)(?:\s[a-zA-Z0-9-]+="[^"<]*")*\s*(\/?)>/g)) {
    if (close === "/") expect(open.pop()).toBe(name);
    else counts.set(name, (counts.get(name) ?? 0) + 1);
    if (close === "" && alone === "") open.push(name);
  }
  expect([open, svg.replaceAll(/<\/?[a-z]+(?:\s[a-zA-Z0-9-]+="[^"<]*")*\s*\/?>/g, "").includes("<")]).toEqual([
    [],
    false,
  ]);
  return counts;
}

describe("chart", () => {
  test("draws a bar for each value, with its label and a tip", async () => {
    const svg = await draw({
      title: "Sales & more",
      labels: ["Jan", "Feb"],
      series: [
        { name: "A", values: [3, -4] },
        { name: "B", values: [5, null] },
      ],
    });
    const elements = await elementsOf(svg);
    // The ground, three bars, two of the legend.
    expect(elements.get("rect")).toBe(6);
    expect(svg).toContain("<title>A, Feb: -4</title>");
    expect(svg).toContain(">Sales &amp; more</text>");
  });

  test.each([
    ["line", "polyline", 2],
    ["area", "polygon", 2],
    ["scatter", "circle", 4],
    ["pie", "path", 5],
  ])("%s has its marks", async (type, mark, count) => {
    expect((await elementsOf(await draw({ type, values: [1, 2, null, 4, 3] }))).get(mark)).toBe(count);
  });

  test("lets nothing of the input become markup", async () => {
    const evil = `"><script>alert(1)</script><a xlink:href='javascript:x'>\u0000\ud800`;
    const svg = await draw({
      title: evil,
      labels: [evil, evil],
      series: [
        { name: evil, values: [1, 2] },
        { name: evil, values: [1, 2] },
      ],
    });
    const elements = await elementsOf(svg);
    expect([...elements.keys()].toSorted()).toEqual(["line", "rect", "svg", "text", "title"]);
    expect(svg).not.toContain("\u0000");
  });

  test.each([
    [{ values: [5, 5, 5] }],
    [{ values: [0] }],
    [{ values: [1e300, -1e300] }],
    [{ values: [1e-12, 3e-12] }],
    [{ type: "scatter", labels: [1, 1], values: [2, 2] }],
  ])("places %j within the picture", async (input) => {
    const svg = await draw(input);
    await elementsOf(svg);
    const numbers = [...svg.matchAll(/\b(?:x|y|cx|cy|x1|y1|height)="([^"%]+)"/g)].map(([, value]) => Number(value));
    expect(numbers.every((value) => Number.isFinite(value) && value >= -20 && value <= 660)).toBe(true);
  });

  test.each([
    [{}, '"series" must be a list of { name, values }'],
    [{ values: ["1"] }, 'series 1 has the value "1": a number, or null for a gap, is needed'],
    [{ values: [1], width: 5000 }, '"width" must be from 120 to 2000'],
    [{ type: "pie", values: [1, -1] }, "a pie cannot show negative values"],
  ])("says what is wrong with %j", async (input, error) => {
    expect(await tool.call(input)).toEqual({ error });
  });
});
