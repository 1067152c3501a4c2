import { describe, expect, test } from "bun:test";
import { refuse } from "../../../lib/errors.ts";
import { BoundedLog } from "../../../lib/mcp/http/bounded-log.ts";
import { Rates } from "../../../lib/mcp/http/rates.ts";

describe("BoundedLog", () => {
  test("logs thirty lines of a kind a minute, then says how many there were", () => {
    let now = 0;
    const lines: string[] = [];
    const log = new BoundedLog((line) => lines.push(line), new Rates(() => now));
    for (let at = 0; at < 1000; at++) log.add("MCP", `line ${at}`);
    expect([lines.length, lines[29]]).toEqual([30, "MCP: line 29"]);
    log.add("BUG", "another kind");
    expect(lines.at(-1)).toBe("BUG: another kind");
    now = 2000;
    log.add("MCP", "later");
    expect(lines.at(-1)).toBe("MCP: later [and 970 more like it that were not logged]");
  });

  test("cleans and bounds a line", () => {
    const lines: string[] = [];
    const log = new BoundedLog((line) => lines.push(line));
    log.add("MCP", `a\u001b[31m\nkami: forged${"x".repeat(10_000)}`);
    expect(lines[0]).toMatch(/^MCP: a kami: forgedx+…$/);
    expect(lines[0]?.length).toBeLessThan(750);
    log.addRefusal(refuse("HTTP_HOST", { host: "evil.example" }));
    expect(lines[1]).toMatch(/^HTTP: HTTP_HOST: Cannot serve the request: "evil\.example" is not a name/);
  });
});
