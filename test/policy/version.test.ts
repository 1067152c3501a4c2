import { describe, expect, test } from "bun:test";
import { defaultRange, isInRange, isRange } from "../../lib/policy/version.ts";

describe("defaultRange()", () => {
  test.each([
    ["1.2.0", "^1.2.0"],
    ["0.2.3", "^0.2.3"],
    ["1.2.0+build.7", "^1.2.0"],
    ["1.2.0-rc.1", "1.2.0-rc.1"],
    ["1.2.0-rc.1+build", "1.2.0-rc.1"],
  ])("of %s is %s, and holds for it", (version, range) => {
    expect([defaultRange(version), isRange(range), isInRange(version, range)]).toEqual([range, true, true]);
  });
});

describe("isInRange()", () => {
  test.each([
    {
      range: "^1.2.3",
      yes: ["1.2.3", "1.2.4", "1.3.0", "1.999999999999999999999.0", "1.2.3+evil"],
      no: ["1.2.2", "2.0.0", "0.2.3", "11.2.3", "1.2.4-rc.1", "1.2.3-rc.1"],
    },
    { range: "^0.2.3", yes: ["0.2.3", "0.2.4"], no: ["0.3.0", "0.2.2", "1.2.3"] },
    { range: "^0.0.3", yes: ["0.0.3"], no: ["0.0.4", "0.1.3"] },
    { range: "^0.0.0", yes: ["0.0.0"], no: ["0.0.1"] },
    { range: "1.2.3", yes: ["1.2.3", "1.2.3+b"], no: ["1.2.4", "1.2.3-rc.1"] },
    { range: "1.2.3-rc.1", yes: ["1.2.3-rc.1"], no: ["1.2.3", "1.2.3-rc.2"] },
    { range: "^1.2.3-rc.1", yes: ["1.2.3-rc.1"], no: ["1.2.3", "1.2.4"] },
    { range: "*", yes: ["0.0.1", "9.9.9", "1.0.0-rc.1"], no: ["x", ""] },
    {
      range: "^9007199254740993.0.0",
      yes: ["9007199254740993.1.0"],
      no: ["9007199254740992.1.0", "9007199254740994.0.0"],
    },
    { range: ">=1.0.0", yes: [], no: ["1.0.0"] },
    { range: "1.x", yes: [], no: ["1.0.0"] },
    { range: "", yes: [], no: ["1.0.0"] },
    { range: "^^1.0.0", yes: [], no: ["1.0.0"] },
    { range: "^1.0.0 || *", yes: [], no: ["1.0.0"] },
  ])("$range holds for $yes and not for $no", ({ range, yes, no }) => {
    expect(yes.filter((version) => !isInRange(version, range))).toEqual([]);
    expect(no.filter((version) => isInRange(version, range))).toEqual([]);
  });

  test.each([" 1.2.3", "1.2.3 ", "v1.2.3", "01.2.3", "1.2", "1.2.3.4", "1.2.3\n", `1.2.${"3".repeat(130)}`])(
    "takes %p for no version, whatever the range",
    (version) => {
      expect([isInRange(version, "*"), isInRange(version, "^1.2.3"), isRange(version)]).toEqual([false, false, false]);
    },
  );
});
