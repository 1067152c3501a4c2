import { describe, expect, test } from "bun:test";
import { formatNetworkRule, type NetworkRule, parseNetworkEntry } from "../../lib/network-rule.ts";
import { coversRule, intersectRules, uniqueRules } from "../../lib/policy/rules.ts";

function ruleOf(entry: string): NetworkRule {
  const parsed = parseNetworkEntry(entry);
  if (!parsed.ok) throw new Error(`${entry} ${parsed.problem}`);
  return parsed.rule;
}

/** Each with what they have in common, which is the same in both orders. */
const PAIRS: readonly { readonly pair: readonly [string, string]; readonly common: readonly string[] }[] = [
  { pair: ["a.com", "a.com"], common: ["a.com"] },
  { pair: ["a.com", "b.com"], common: [] },
  { pair: ["a.com", "x.a.com"], common: [] },
  { pair: ["*.a.com", "x.a.com"], common: ["x.a.com"] },
  { pair: ["*.a.com", "a.com"], common: [] },
  { pair: ["*.a.com", "xa.com"], common: [] },
  { pair: ["*.a.com", "*.b.a.com"], common: ["*.b.a.com"] },
  { pair: ["*.a.com", "*.b.com"], common: [] },
  { pair: ["*", "a.com"], common: ["a.com"] },
  { pair: ["*", "*.a.com"], common: ["*.a.com"] },
  { pair: ["*", "*"], common: ["*"] },
  { pair: ["*", "8.8.8.8"], common: ["8.8.8.8"] },
  { pair: ["*", "localhost"], common: [] },
  { pair: ["*", "*.localhost"], common: [] },
  { pair: ["*", "10.0.0.1"], common: [] },
  { pair: ["*", "[::1]"], common: [] },
  { pair: ["*", "169.254.169.254"], common: [] },
  { pair: ["localhost", "localhost"], common: ["localhost"] },
  { pair: ["localhost", "127.0.0.1"], common: [] },
  { pair: ["a.com", "https://a.com"], common: ["https://a.com"] },
  { pair: ["a.com", "http://a.com:80"], common: ["http://a.com:80"] },
  { pair: ["a.com", "http://a.com:443"], common: [] },
  { pair: ["a.com", "a.com:443"], common: ["https://a.com:443"] },
  { pair: ["a.com", "a.com:8080"], common: [] },
  { pair: ["a.com:8080", "https://a.com:8080"], common: ["https://a.com:8080"] },
  { pair: ["https://a.com", "http://a.com"], common: [] },
  { pair: ["a.com", "tcp://a.com:443"], common: [] },
  { pair: ["tcp://a.com:1", "udp://a.com:1"], common: [] },
  { pair: ["tcp://*:5432", "tcp://db.a.com:5432"], common: ["tcp://db.a.com:5432"] },
  { pair: ["a.com", "a.com/v1"], common: ["a.com/v1"] },
  { pair: ["a.com/v1", "a.com/v1/x"], common: ["a.com/v1/x"] },
  { pair: ["a.com/v1", "a.com/v1/"], common: ["a.com/v1/"] },
  { pair: ["a.com/v1", "a.com/v10"], common: [] },
  { pair: ["a.com/v1", "a.com/v2"], common: [] },
  { pair: ["*.a.com/v1", "https://x.a.com"], common: ["https://x.a.com/v1"] },
];

/** What the common rule may look like but need not be: the same doors. */
function canonical(entries: readonly NetworkRule[]): readonly string[] {
  return entries.map(formatNetworkRule);
}

describe("intersectRules()", () => {
  test.each(PAIRS)("$pair have $common in common, in either order", ({ pair: [left, right], common }) => {
    expect(canonical(intersectRules(ruleOf(left), ruleOf(right)))).toEqual([...common]);
    expect(canonical(intersectRules(ruleOf(right), ruleOf(left)))).toEqual([...common]);
  });

  test("gives nothing that one of the two does not cover", () => {
    for (const { pair } of PAIRS) {
      for (const common of intersectRules(ruleOf(pair[0]), ruleOf(pair[1]))) {
        expect(pair.map((entry) => coversRule(ruleOf(entry), common))).toEqual([true, true]);
      }
    }
  });
});

describe("coversRule()", () => {
  test.each([
    { wide: "a.com", narrow: "https://a.com", covers: true },
    { wide: "https://a.com", narrow: "a.com", covers: false },
    { wide: "a.com", narrow: "a.com:443", covers: false },
    { wide: "*", narrow: "*.a.com", covers: true },
    { wide: "*.a.com", narrow: "*", covers: false },
    { wide: "*.a.com", narrow: "*.a.com", covers: true },
    { wide: "a.com/v1", narrow: "a.com", covers: false },
    { wide: "a.com", narrow: "a.com/v1", covers: true },
    { wide: "*", narrow: "localhost", covers: false },
    { wide: "*", narrow: "tcp://a.com:443", covers: false },
  ])("$wide and $narrow: $covers", ({ wide, narrow, covers }) => {
    expect(coversRule(ruleOf(wide), ruleOf(narrow))).toBe(covers);
  });
});

describe("uniqueRules()", () => {
  test("keeps the first of those that are written the same", () => {
    expect(canonical(uniqueRules(["A.com", "a.com.", "b.com", "https://a.com"].map(ruleOf)))).toEqual([
      "a.com",
      "b.com",
      "https://a.com",
    ]);
  });
});
