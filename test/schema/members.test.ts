import { describe, expect, test } from "bun:test";
import { appendMembers, findRepeatedName } from "../../lib/schema/members.ts";

describe("findRepeatedName()", () => {
  const repeated: readonly (readonly [json: string, name: string])[] = [
    ['{"a":1,"a":2}', "a"],
    ['{"a":1,"b":2,"a":3,"b":4}', "a"],
    ['{ "a" : 1 ,\n\t"a" : 2 }', "a"],
    ['{"":1,"":2}', ""],
    [String.raw`{"a":1,"\u0061":2}`, "a"],
    [String.raw`{"\u0061":1,"a":2}`, "a"],
    [String.raw`{"\"":1,"\u0022":2}`, '"'],
    [String.raw`{"\\":1,"\\":2}`, "\\"],
    ['{"__proto__":1,"__proto__":2}', "__proto__"],
    ['{"a":{"b":1,"b":2}}', "b"],
    ['[[{"a":[],"a":[]}]]', "a"],
    ['{"a":{"x":1},"b":[{"x":1}],"a":3}', "a"],
    ['{"a":"{","a":"}"}', "a"],
    ['{"a":"\\\\","a":1}', "a"],
  ];
  test.each(repeated)("%s", (json, name) => {
    JSON.parse(json);
    expect(findRepeatedName(json)).toBe(name);
  });

  const unique = [
    "{}",
    "[]",
    '"a"',
    "1",
    '{"a":"a"}',
    '{"a":"b","b":"a"}',
    '{"a":1,"A":2}',
    '["a","a"]',
    '[{"a":1},{"a":1}]',
    '{"a":{"a":{"a":["a","a"]}}}',
    String.raw`{"a":"\",\"a\":\"","b":1}`,
    '{"a":["b","b"],"b":"c","c":{},"d":"c"}',
    '{"a":{},"b":{},"c":["a"]}',
    '{"constructor":1,"toString":2}',
  ];
  test.each(unique)("%s has none", (json) => {
    JSON.parse(json);
    expect(findRepeatedName(json)).toBeUndefined();
  });

  test("a million brackets, names or backslashes take no stack", () => {
    const many = 1_000_000;
    expect(findRepeatedName(`${"[".repeat(many)}${"]".repeat(many)}`)).toBeUndefined();
    expect(findRepeatedName(`{"${"\\\\".repeat(many)}":1,"b":2}`)).toBeUndefined();
    const names = Array.from({ length: 100_000 }, (_, index) => `"${index}":0`).join(",");
    expect(findRepeatedName(`{${names},"99999":0}`)).toBe("99999");
  });
});

describe("appendMembers()", () => {
  const cases: readonly (readonly [json: string, members: Record<string, unknown>, appended: string])[] = [
    ["{}", { a: 1 }, '{"a":1}'],
    ["{ }", { a: 1 }, '{"a":1}'],
    [" \t{\r\n} \n", { a: 1 }, ' \t{"a":1} \n'],
    ['{"x":1}', { a: [1, { b: null }], c: "}" }, '{"x":1,"a":[1,{"b":null}],"c":"}"}'],
    ['{"x":1 \n}\n', { a: false }, '{"x":1,"a":false}\n'],
    ['{"x":{}}', { a: 1 }, '{"x":{},"a":1}'],
    ['{"x":"{"}', { a: 1 }, '{"x":"{","a":1}'],
    ['{"x":"}"}', { a: 1 }, '{"x":"}","a":1}'],
    ['{"x":12345678901234567890, "y":1.10}', { a: 1 }, '{"x":12345678901234567890, "y":1.10,"a":1}'],
  ];
  test.each(cases)("%j and %j", (json, members, appended) => {
    expect(appendMembers(json, members)).toBe(appended);
    expect(JSON.parse(appended)).toEqual({ ...JSON.parse(json), ...members });
  });

  test("nothing to append leaves the text as it is", () => {
    for (const json of ["{}", " { } ", '{"a":1 }\n']) expect(appendMembers(json, {})).toBe(json);
  });

  test("a name __proto__ is a name like any other", () => {
    const members: Record<string, unknown> = Object.create(null);
    members["__proto__"] = 1;
    expect(appendMembers('{"a":1}', members)).toBe('{"a":1,"__proto__":1}');
  });
});
