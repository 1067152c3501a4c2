import { describe, expect, test } from "bun:test";
import { Failure } from "../../lib/errors.ts";
import { findFault } from "../../lib/schema/fault.ts";
import { parseJson } from "../../lib/schema/json.ts";
import { growthOf } from "../growth.ts";

/** What the failure says after the source; anything else as a whole. */
function problemOf(text: string): string {
  try {
    return `accepted: ${JSON.stringify(parseJson(text, "--input"))}`;
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "INPUT_NOT_JSON") throw error;
    return error.message.replace("Cannot use the input from --input: ", "");
  }
}

describe("parseJson()", () => {
  test.each(["{}", "[]", "null", "-0.5e+10", '"\\ud83d\\ude00 \\" \\\\"', ' \r\n\t{"a": [1, {"b": "]}"}]} \n'])(
    "%j is parsed",
    (text) => {
      expect(parseJson(text, "--input")).toEqual(JSON.parse(text));
    },
  );

  test("a byte order mark is ignored, and does not count as a column", () => {
    expect(parseJson("\ufeff[1]", "--input")).toEqual([1]);
    expect(problemOf("\ufeff[x]")).toBe('it has "x" instead of a value at line 1, column 2');
  });

  test("a key __proto__ is an own property", () => {
    const value = parseJson('{"__proto__": {"polluted": true}}', "--input");
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(Object(value))).toEqual(["__proto__"]);
  });

  const faults = [
    { text: "", problem: "it is empty", why: "nothing" },
    { text: " \n ", problem: "it is empty", why: "only blanks" },
    { text: "{", problem: "it ends where a property name in double quotes is expected", why: "an open object" },
    { text: '{"a"', problem: "it ends where a colon is expected", why: "a property without a value" },
    { text: '{"a":', problem: "it ends where a value is expected", why: "a colon at the end" },
    { text: '{"a":1', problem: 'it ends where a comma or "}" is expected', why: "an object that does not end" },
    { text: "[1", problem: 'it ends where a comma or "]" is expected', why: "an array that does not end" },
    { text: '"abc', problem: "it ends inside a string", why: "a string that does not end" },
    { text: '"abc\\', problem: "it has an escape that JSON does not know at line 1, column 5", why: "half an escape" },
    {
      text: "{a: 1}",
      problem: 'it has "a" instead of a property name in double quotes at line 1, column 2',
      why: "a bare key",
    },
    {
      text: "{'a': 1}",
      problem: `it has "'" instead of a property name in double quotes at line 1, column 2`,
      why: "single quotes",
    },
    { text: '{"a" 1}', problem: 'it has "1" instead of a colon at line 1, column 6', why: "no colon" },
    {
      text: '{"a":1,}',
      problem: 'it has "}" instead of a property name in double quotes at line 1, column 8',
      why: "a trailing comma",
    },
    { text: "[1,]", problem: 'it has "]" instead of a value at line 1, column 4', why: "a trailing comma in an array" },
    { text: "[1 2]", problem: 'it has "2" instead of a comma or "]" at line 1, column 4', why: "no comma" },
    {
      text: '[1 "a"]',
      problem: 'it has a double quote instead of a comma or "]" at line 1, column 4',
      why: "no comma before a string",
    },
    { text: "[1}", problem: 'it has "}" instead of a comma or "]" at line 1, column 3', why: "the wrong bracket" },
    { text: '{\n  "a": tru\n}', problem: 'it has "tru" instead of a value at line 2, column 8', why: "a cut literal" },
    { text: "[True]", problem: 'it has "True" instead of a value at line 1, column 2', why: "a literal of Python" },
    { text: "NaN", problem: 'it has "NaN" instead of a value at line 1, column 1', why: "not a number" },
    { text: "01", problem: 'it has "01" instead of a value at line 1, column 1', why: "a leading zero" },
    { text: "1.", problem: 'it has "1." instead of a value at line 1, column 1', why: "a number that ends in a dot" },
    { text: "+1", problem: 'it has "+1" instead of a value at line 1, column 1', why: "a plus sign" },
    { text: "0x10", problem: 'it has "0x10" instead of a value at line 1, column 1', why: "hexadecimal" },
    { text: "{} x", problem: 'it has "x" after the end of the value at line 1, column 4', why: "text after the value" },
    { text: "1\n\n2", problem: 'it has "2" after the end of the value at line 3, column 1', why: "two values" },
    { text: "[1] // one", problem: 'it has "/" after the end of the value at line 1, column 5', why: "a comment" },
    {
      text: '"a\nb"',
      problem: "it has the character U+000A inside a string at line 1, column 3",
      why: "a newline in a string",
    },
    {
      text: '"\\x41"',
      problem: "it has an escape that JSON does not know at line 1, column 2",
      why: "an escape of JavaScript",
    },
    {
      text: '"\\u12G4"',
      problem: "it has an escape that JSON does not know at line 1, column 2",
      why: "no hexadecimal",
    },
    {
      text: "[\u0000]",
      problem: "it has the character U+0000 instead of a value at line 1, column 2",
      why: "NUL",
    },
    {
      text: "[\u00a01]",
      problem: "it has the character U+00A0 instead of a value at line 1, column 2",
      why: "a no-break space",
    },
    { text: "[😀]", problem: 'it has "😀" instead of a value at line 1, column 2', why: "an emoji" },
    {
      text: `[${"a".repeat(30)}]`,
      problem: `it has "${"a".repeat(20)}…" instead of a value at line 1, column 2`,
      why: "a long word",
    },
  ];
  for (const { text, problem, why } of faults) {
    test(`${why}: ${JSON.stringify(text)}`, () => {
      expect(problemOf(text)).toBe(problem);
    });
  }

  test("the source is in the message, and the engine's own error is the cause", () => {
    try {
      parseJson("x", "standard input");
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      expect(error.message).toBe(
        'Cannot use the input from standard input: it has "x" instead of a value at line 1, column 1',
      );
      expect(error.cause).toBeInstanceOf(SyntaxError);
    }
  });

  test("64 levels at most", () => {
    expect([63, 64].map((depth) => problemOf(nested(depth)))).toEqual(
      [63, 64].map((depth) => `accepted: ${nested(depth)}`),
    );
    expect(problemOf(nested(65))).toBe("it nests deeper than 64 levels at line 1, column 193");
    expect(problemOf(`[\n${nested(64)}]`)).toBe("it nests deeper than 64 levels at line 2, column 192");
  });

  test("brackets in strings are not levels, wherever the string ends", () => {
    const text = JSON.stringify(['"[', "\\", '\\"', "[{".repeat(100), "\\\\", "]"]);
    expect(parseJson(text, "--input")).toEqual(JSON.parse(text));
    const escaped = `["\\"${"[".repeat(100)}"]`;
    expect(problemOf(escaped)).toBe(`accepted: ${escaped}`);
    expect(problemOf(`["\\\\", ${"[".repeat(64)}`)).toBe("it nests deeper than 64 levels at line 1, column 71");
  });

  test("wide is not deep", () => {
    expect(problemOf(`[${"[],".repeat(200)}{}]`)).toStartWith("accepted: ");
  });

  test.each(["[", '{"a":', '[{"a":', "[[],", "[ \n"])(
    "a million of %j ends in a failure, not in a stack overflow",
    (piece) => {
      expect(problemOf(piece.repeat(1_000_000))).toStartWith("it nests deeper than 64 levels at line ");
    },
  );

  test.each(["]", "}", '"', "\\", '\\"', '"\\', "{", " ", "1", "-", "e", '""', ","])(
    "many a %j fails in time that grows with its length",
    (piece) => {
      const [small, large] = [50_000, 400_000].map((count) => `[${piece.repeat(count)}`);
      // Eight times the text: 8 when linear, 64 when quadratic.
      expect(
        growthOf(
          () => problemOf(small ?? ""),
          () => problemOf(large ?? ""),
          30,
        ),
      ).toBeLessThan(30);
    },
  );
});

describe("findFault()", () => {
  test("agrees with the engine on 20,000 mutations of JSON", () => {
    const seeds = [
      '{"a": [1, -2.5e3, "x\\n\\u00e9"], "b": {"c": null, "d": true}}',
      '[[], {}, "", 0, false]',
      '  "\\\\\\"" ',
    ];
    const pieces = [
      "",
      " ",
      ",",
      ":",
      '"',
      "\\",
      "[",
      "]",
      "{",
      "}",
      "0",
      "1",
      "-",
      ".",
      "e",
      "t",
      "\n",
      "\u0001",
      "\u00a0",
      "/",
    ];
    let state = 1;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      return (state >>> 8) % below;
    };
    let valid = 0;
    for (let round = 0; round < 20_000; round++) {
      let text = seeds[round % seeds.length] ?? "";
      for (let edit = random(3); edit >= 0; edit--) {
        const at = random(text.length + 1);
        text = text.slice(0, at) + (pieces[random(pieces.length)] ?? "") + text.slice(at + random(2));
      }
      const fault = findFault(text);
      expect({ text, valid: fault === undefined }).toEqual({ text, valid: isJson(text) });
      if (fault === undefined) valid += 1;
      else expect(fault.offset).toBeLessThanOrEqual(text.length);
    }
    expect(valid).toBeGreaterThan(1000);
    expect(valid).toBeLessThan(19_000);
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function nested(depth: number): string {
  return `${'{"a":['.repeat(depth / 2)}${depth % 2 ? "{}" : ""}${"]}".repeat(depth / 2)}`;
}
