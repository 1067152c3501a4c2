import { describe, expect, test } from "bun:test";
import { parse } from "smol-toml";
import { findNode, locateAll, type TomlNode } from "../../lib/manifest/locate.ts";
import type { KeyPath } from "../../lib/manifest/problem.ts";
import { positionAt } from "../../lib/position.ts";
import { growthOf } from "../growth.ts";

/** "line:column of the key, line:column of the value". */
function places(text: string, path: KeyPath): string | undefined {
  parse(text);
  const node = findNode(locateAll(text), path);
  if (node === undefined) return undefined;
  const [key, value] = [positionAt(text, node.keyOffset), positionAt(text, node.valueOffset)];
  return `${key.line}:${key.column} ${value.line}:${value.column}`;
}

describe("locateAll()", () => {
  const cases: { text: string; path: KeyPath; place: string; why: string }[] = [
    { text: "a = 1", path: ["a"], place: "1:1 1:5", why: "a bare key" },
    { text: "  a=1", path: ["a"], place: "1:3 1:5", why: "an indented key without spaces" },
    { text: "[t]\na = 1", path: ["t"], place: "1:2 1:2", why: "a table stands at its header" },
    { text: "[t]\na = 1", path: ["t", "a"], place: "2:1 2:5", why: "a key of a table" },
    { text: "[ t . u ]\na = 1", path: ["t", "u"], place: "1:7 1:7", why: "spaces inside a header" },
    { text: "[t.u]\n[t]\nb = 1", path: ["t"], place: "2:2 2:2", why: "an implied table moves to its own header" },
    { text: "[t.u]\n[t]\nb = 1", path: ["t", "u"], place: "1:4 1:4", why: "the deeper table stays" },
    { text: "[[l]]\na = 1\n[[l]]\na = 2", path: ["l", 1, "a"], place: "4:1 4:5", why: "the second element" },
    { text: "[[l]]\na = 1\n[[l]]\na = 2", path: ["l", 1], place: "3:3 3:3", why: "an element stands at its header" },
    {
      text: "[[l]]\n[l.t]\na = 1\n[[l]]\n[l.t]\na = 2",
      path: ["l", 1, "t", "a"],
      place: "6:1 6:5",
      why: "a sub-table",
    },
    { text: "[[l]]\n[[l.m]]\n[[l.m]]\na = 1", path: ["l", 0, "m", 1, "a"], place: "4:1 4:5", why: "nested lists" },
    { text: "a.b.c = 1", path: ["a", "b", "c"], place: "1:5 1:9", why: "a dotted key" },
    { text: "a . b = 1", path: ["a", "b"], place: "1:5 1:9", why: "spaces around the dot" },
    { text: "a.b = 1\na.c = 2", path: ["a"], place: "1:1 1:1", why: "a table made by dotted keys" },
    { text: "a.b = 1\na.c = 2", path: ["a", "c"], place: "2:3 2:7", why: "its second key" },
    { text: '"a b" = 1', path: ["a b"], place: "1:1 1:9", why: "a quoted key" },
    { text: "'a.b'.\"c=d\" = 1", path: ["a.b", "c=d"], place: "1:7 1:15", why: "dots and equals signs inside quotes" },
    { text: '"\\u0061\\"" = 1', path: ['a"'], place: "1:1 1:14", why: "escapes in a key" },
    { text: "'a\\' = 1", path: ["a\\"], place: "1:1 1:8", why: "no escapes in a literal key" },
    { text: '"" = 1', path: [""], place: "1:1 1:6", why: "an empty key" },
    { text: '["a]"]\nb = 1', path: ["a]", "b"], place: "2:1 2:5", why: "a bracket inside a header's key" },
    { text: "a = {b = 1, c = {d = 2}}", path: ["a", "c", "d"], place: "1:18 1:22", why: "inline tables" },
    { text: "a = {b.c = 1}", path: ["a", "b", "c"], place: "1:8 1:12", why: "a dotted key in an inline table" },
    { text: "a = {\n  b = 1, # c = 2\n  c = 3,\n}", path: ["a", "c"], place: "3:3 3:7", why: "TOML 1.1 inline table" },
    { text: "a = [1, 2, 3]", path: ["a", 2], place: "1:12 1:12", why: "an element of an array" },
    { text: "a = [ # ]\n 1, # 2,\n 3,\n]", path: ["a", 1], place: "3:2 3:2", why: "comments in an array" },
    { text: "a = [[1], [2, [3]]]", path: ["a", 1, 1, 0], place: "1:16 1:16", why: "arrays in arrays" },
    { text: "a = [{b = 1}, {b = 2}]", path: ["a", 1, "b"], place: "1:16 1:20", why: "tables in an array" },
    { text: "a = []\nb = {}\nc = 1", path: ["c"], place: "3:1 3:5", why: "empty values" },
    { text: "# b = 0\nb = 1 # b = 2", path: ["b"], place: "2:1 2:5", why: "look-alikes in comments" },
    { text: 'a = """\nb = 0\n[t]\n"""\nb = 1', path: ["b"], place: "5:1 5:5", why: "look-alikes in a basic string" },
    { text: "a = '''\nb = 0\\'''\nb = 1", path: ["b"], place: "3:1 3:5", why: "look-alikes in a literal string" },
    { text: 'a = """x\\"""" # """\nb = 1', path: ["b"], place: "2:1 2:5", why: "an escaped quote before the fence" },
    { text: 'a = """x"""""\nb = 1', path: ["b"], place: "2:1 2:5", why: "two quotes before the fence" },
    { text: 'a = """\\\\"""\nb = 1', path: ["b"], place: "2:1 2:5", why: "an escaped backslash before the fence" },
    { text: 'a = "\\\\" # "\nb = 1', path: ["b"], place: "2:1 2:5", why: "the same in one line" },
    { text: "a = ''\nb = \"\"\nc = 1", path: ["c"], place: "3:1 3:5", why: "empty strings" },
    { text: "a = 1979-05-27 07:32:00 # x\nb = 1", path: ["b"], place: "2:1 2:5", why: "a date with a space" },
    { text: "a = [1979-05-27 07:32:00Z, 2]", path: ["a", 1], place: "1:28 1:28", why: "a date in an array" },
    { text: "a = 1\r\n\r\nb = 2\r\n", path: ["b"], place: "3:1 3:5", why: "CRLF" },
    { text: "\ufeffa = 1", path: ["a"], place: "1:2 1:6", why: "a byte order mark is a code unit" },
    { text: "1 = 1\n-_- = 2", path: ["-_-"], place: "2:1 2:7", why: "odd bare keys" },
    { text: "__proto__ = 1\nconstructor = 2", path: ["__proto__"], place: "1:1 1:13", why: "unsafe names are names" },
  ];
  for (const { text, path, place, why } of cases) {
    test(`${why}: ${JSON.stringify(text)}`, () => {
      expect(places(text, path)).toBe(place);
    });
  }

  test("a path that the document does not have has no node", () => {
    const text = "[[l]]\na = [1]\n[t]\nb = 1";
    const absent: KeyPath[] = [["x"], ["l", 1], ["l", "a"], ["l", 0, "a", 1], ["t", 0], ["t", "b", "c"], ["toString"]];
    expect(absent.map((path) => places(text, path))).toEqual(absent.map(() => undefined));
  });

  test("the tree has the shape of the parsed value, in 300 generated documents", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const { text, marks } = generate(seed);
      const root = locateAll(text);
      expect({ seed, shape: shapeOfNode(root) }).toEqual({ seed, shape: shapeOfValue(parse(text)) });
      for (const mark of marks) {
        const node = findNode(root, mark.path);
        const found = [mark.path, node?.keyOffset, node?.valueOffset];
        expect({ seed, found }).toEqual({ seed, found: [mark.path, mark.keyOffset, mark.valueOffset] });
      }
    }
  });

  test.each([
    ["entries", (size: number) => numbered(size, (i) => `k${i} = 1\n`)],
    ["headers", (size: number) => numbered(size, (i) => `[t${i}]\n`)],
    ["elements", (size: number) => `a = [${"1,".repeat(size)}]`],
    ["segments", (size: number) => `${"a.".repeat(size)}a = 1`],
    ["comments", (size: number) => `${"#\n".repeat(size)}a = 1`],
    ["escapes", (size: number) => `a = """${'\\"'.repeat(size)}"""`],
    ["quoted keys", (size: number) => numbered(size, (i) => `"\\u0061${i}" = 1\n`)],
  ])("cost grows with the length of the text, not faster: %s", (_, make) => {
    const [small, large] = [make(1000), make(8000)];
    // Eight times the text: 8 when linear, 64 when quadratic.
    expect(
      growthOf(
        () => locateAll(small),
        () => locateAll(large),
        30,
      ),
    ).toBeLessThan(30);
  });
});

function numbered(size: number, line: (index: number) => string): string {
  return Array.from({ length: size }, (_, index) => line(index)).join("");
}

type Shape = { keys: Record<string, Shape> } | { items: Shape[] } | "leaf";

function shapeOfNode(node: TomlNode): Shape {
  if (node.items !== undefined) return { items: node.items.map(shapeOfNode) };
  if (node.keys === undefined) return "leaf";
  return { keys: Object.fromEntries([...node.keys].map(([key, child]) => [key, shapeOfNode(child)])) };
}

/** Empty tables and arrays have no children, so they are leaves. */
function shapeOfValue(value: unknown): Shape {
  if (typeof value !== "object" || value === null || value instanceof Date) return "leaf";
  if (Array.isArray(value)) return value.length === 0 ? "leaf" : { items: value.map(shapeOfValue) };
  const entries = Object.entries(value);
  return entries.length === 0 ? "leaf" : { keys: Object.fromEntries(entries.map(([k, v]) => [k, shapeOfValue(v)])) };
}

interface Mark {
  readonly path: KeyPath;
  readonly keyOffset: number;
  readonly valueOffset: number;
}

/** Writes a random document full of look-alikes, and remembers where it put each key and value. */
function generate(seed: number): { text: string; marks: Mark[] } {
  let state = seed * 2_654_435_761;
  const random = (below: number): number => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 0x9e37_79b9) | 0;
    return ((state ^ (state >>> 13)) >>> 0) % below;
  };
  const pick = (options: readonly string[]): string => options[random(options.length)] ?? "";
  let text = "";
  let count = 0;
  const marks: Mark[] = [];
  const blank = (): string => pick(["", "\n", "# k1 = [\n", "\t# \"\"\" '''\n", "\r\n", "  \n"]);
  const newName = (): string => `k${count++}`;
  const writeKey = (name: string): void => {
    text += pick([name, `"${name}"`, `'${name}'`, `"\\u006b${name.slice(1)}"`]);
  };
  const scalar = (): string =>
    pick([
      "1",
      "-0.5e3",
      "0x1F",
      "true",
      "1979-05-27",
      "1979-05-27T07:32:00Z",
      "07:32:00",
      "inf",
      '"k1 = 2"',
      '"\\\\"',
      '"\\""',
      "'\\'",
      '"#"',
      "''",
      '"""\nk1 = "x"\n[k2]\n\\""""',
      "'''\n'k3' = 1\n'''''",
      '"""a\\\n  b"""',
    ]);
  const writeValue = (path: KeyPath, depth: number): number => {
    const start = text.length;
    const kind = depth > 2 ? 9 : random(10);
    if (kind === 0) {
      text += "[";
      for (let index = 0; index < random(4); index++) {
        text += blank();
        const at = text.length;
        writeValue([...path, index], depth + 1);
        marks.push({ path: [...path, index], keyOffset: at, valueOffset: at });
        text += `${blank()},`;
      }
      text += `${blank()}]`;
    } else if (kind === 1) {
      text += "{";
      const entries = random(4);
      for (let index = 0; index < entries; index++) {
        text += blank();
        writeEntry(path, depth + 1);
        text += blank() + (index + 1 < entries ? "," : "");
      }
      text += `${blank()}}`;
    } else text += scalar();
    return start;
  };
  const writeEntry = (parent: KeyPath, depth: number): void => {
    const names = random(4) === 0 ? [newName(), newName()] : [newName()];
    const offsets = names.map((name, index) => {
      if (index > 0) text += pick([".", " . ", "\t."]);
      const offset = text.length;
      writeKey(name);
      return offset;
    });
    text += pick(["=", " = ", "\t=  "]);
    const path = [...parent, ...names];
    marks.push({ path, keyOffset: offsets.at(-1) ?? 0, valueOffset: writeValue(path, depth) });
  };
  const writeEntries = (parent: KeyPath): void => {
    for (let index = 0; index < random(5); index++) {
      text += blank() + pick(["", "  "]);
      writeEntry(parent, 0);
      text += pick(["\n", " # k1 = 1\n", "\r\n"]);
    }
  };
  writeEntries([]);
  for (let section = 0; section < 4; section++) {
    const name = newName();
    const elements = random(3);
    for (let index = 0; index < Math.max(elements, 1); index++) {
      text += blank() + (elements === 0 ? "[" : "[[") + pick(["", " "]);
      const at = text.length;
      writeKey(name);
      text += `${pick(["", " "])}${elements === 0 ? "]" : "]]"}${pick(["\n", " # [k1]\n"])}`;
      const path: KeyPath = elements === 0 ? [name] : [name, index];
      marks.push({ path, keyOffset: at, valueOffset: at });
      writeEntries(path);
    }
  }
  return { text, marks };
}
