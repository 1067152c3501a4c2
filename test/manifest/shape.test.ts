import { describe, expect, test } from "bun:test";
import { parseManifest } from "../../lib/manifest/parse.ts";
import { MINIMAL, TOOL, listOf, outcomeOf, ruleOf, textOf, withArgument, withSecurity, withValue } from "./sample.ts";

describe("parseManifest() refuses wrong types", () => {
  test.each([
    ["tool = 5", '1:8: "tool" must be a table, got an integer'],
    ["[[tool]]", '1:3: "tool" must be a table, got an array'],
    ["tool = 07:32:00", '1:8: "tool" must be a table, got a date or time'],
    [
      `${TOOL}mcp.description = 5`.replace("mcp.", "[mcp]\n"),
      '7:15: "mcp.description" must be a string, got an integer',
    ],
    [`${MINIMAL}arguments = {}`, '8:13: "mcp.arguments" must be an array, got a table'],
    [`${MINIMAL}[mcp.arguments]`, '8:6: "mcp.arguments" must be an array, got a table'],
    [`${MINIMAL}arguments = [1]`, '8:14: "mcp.arguments[0]" must be a table, got an integer'],
    [`${MINIMAL}[[security]]`, '8:3: "security" must be a table, got an array'],
    [withArgument("required = 1"), '12:12: "mcp.arguments[0].required" must be a boolean, got an integer'],
    [withArgument("enum = 1"), '12:8: "mcp.arguments[0].enum" must be an array, got an integer'],
    [withSecurity("net_allow_list = 'x'"), '9:18: "security.net_allow_list" must be an array, got a string'],
    [withSecurity("env_allow_list = [[]]"), '9:19: "security.env_allow_list[0]" must be a string, got an array'],
    [withSecurity("max_fuel = '1'"), '9:12: "security.max_fuel" must be an integer, got a string'],
    [withSecurity("max_fuel = 1e6"), '9:12: "security.max_fuel" must be an integer, got a float'],
    [withSecurity("max_memory_mb = inf"), '9:17: "security.max_memory_mb" must be an integer, got a float'],
    [withSecurity("max_execution_ms = true"), '9:20: "security.max_execution_ms" must be an integer, got a boolean'],
    [withValue("version", "1.0"), '4:11: "tool.version" must be a string, got a float'],
    [withValue("version", "2020-01-01"), '4:11: "tool.version" must be a string, got a date or time'],
  ])("case %#", (source, problem) => {
    expect(ruleOf(source)).toBe(problem);
  });
});

describe("parseManifest() checks [tool]", () => {
  const badId = '2:6: "tool.id" must be a reverse domain: two or more labels of a-z, 0-9 and inner "-", joined by dots';
  test.each(["a.b", "0.1", "dev.example.a-b", "a--b.c", `${"a".repeat(126)}.b`])("id %s is accepted", (id) => {
    expect(parseManifest(withValue("id", JSON.stringify(id)), "tool.toml").tool.id).toBe(id);
  });
  test.each([
    "",
    "a",
    "a.",
    ".a",
    "a..b",
    "A.b",
    "a.B",
    "a_b.c",
    "-a.b",
    "a-.b",
    "a.-b",
    "a.b-",
    "a b.c",
    "a.b\\n",
    "../a.b",
    "a/b.c",
    "ä.b",
    "а.b",
  ])("id %j is refused", (id) => {
    expect(ruleOf(withValue("id", `"${id}"`))).toBe(badId);
  });
  test("id: 128 characters at most", () => {
    expect(ruleOf(withValue("id", `"${"a".repeat(127)}.b"`))).toBe('2:6: "tool.id" must have at most 128 characters');
  });

  test("name: 1 to 128 characters, not blank", () => {
    expect(outcomeOf(withValue("name", textOf(1)))).toBe("accepted");
    expect(outcomeOf(withValue("name", textOf(128)))).toBe("accepted");
    expect(ruleOf(withValue("name", textOf(129)))).toBe('3:8: "tool.name" must have at most 128 characters');
    expect(ruleOf(withValue("name", '""'))).toBe('3:8: "tool.name" must not be empty');
    expect(ruleOf(withValue("name", '" \\t\\n"'))).toBe('3:8: "tool.name" must not be empty');
  });

  // Source: the examples of semver.org.
  test.each([
    "0.0.4",
    "1.2.3",
    "10.20.30",
    "1.1.2-prerelease+meta",
    "1.1.2+meta",
    "1.0.0-alpha",
    "1.0.0-alpha.beta",
    "1.0.0-alpha0.valid",
    "1.0.0-0A.is.legal",
    "1.2.3----RC-SNAPSHOT.12.9.1--.12",
    "1.0.0+0.build.1-rc.10000aaa-kk-0.1",
    "99999999999999999999.0.0",
  ])("version %s is accepted", (version) => {
    expect(parseManifest(withValue("version", `"${version}"`), "tool.toml").tool.version).toBe(version);
  });
  test.each([
    "",
    "1",
    "1.2",
    "1.2.3.4",
    "01.1.1",
    "1.01.1",
    "1.1.01",
    "1.2.3-0123",
    "1.2.3-",
    "1.2.3+",
    "1.2.3-a..b",
    "v1.2.3",
    "1.2.3 ",
    "1.2.3-a_b",
    "1.2.3+a+b",
    "1.2.3\\n",
  ])("version %j is refused", (version) => {
    expect(ruleOf(withValue("version", `"${version}"`))).toBe(
      '4:11: "tool.version" must be a semantic version, as in 1.0.0',
    );
  });
  test("version: 128 characters at most", () => {
    expect(outcomeOf(withValue("version", `"1.0.0-${"1".repeat(122)}"`))).toBe("accepted");
    expect(ruleOf(withValue("version", `"1.0.0-${"1".repeat(123)}"`))).toBe(
      '4:11: "tool.version" must have at most 128 characters',
    );
  });

  test.each(["a.wasm", "dir/a.wasm", "a b.wasm", "..a/b..", "...", "ä.wasm", ".hidden"])(
    "wasm %s is accepted",
    (path) => {
      expect(parseManifest(withValue("wasm", `"${path}"`), "tool.toml").tool.wasm).toBe(path);
    },
  );
  const inside = "must be a relative path inside the package";
  const plain = 'must be a plain path: no empty or "." segment';
  const up = 'must stay inside the package: no ".." segment';
  test.each([
    ["/etc/passwd", inside],
    ["//host/x", inside],
    ["C:/x.wasm", inside],
    ["c:x.wasm", inside],
    ["..", up],
    ["../x.wasm", up],
    ["a/../../x.wasm", up],
    ["a/..", up],
    ["", plain],
    [".", plain],
    ["./x.wasm", plain],
    ["a/./x.wasm", plain],
    ["a//x.wasm", plain],
    ["a/", plain],
    ["..\\\\x.wasm", 'must separate its segments with "/", not with a backslash'],
    ["a\\u0000.wasm", "must not contain the control or invisible character U+0000"],
    ["a\\n.wasm", "must not contain the control or invisible character U+000A"],
  ])("wasm %j is refused", (path, problem) => {
    expect(ruleOf(withValue("wasm", `"${path}"`))).toBe(`5:8: "tool.wasm" ${problem}`);
  });
  test("wasm: 255 characters at most", () => {
    expect(outcomeOf(withValue("wasm", textOf(255)))).toBe("accepted");
    expect(ruleOf(withValue("wasm", textOf(256)))).toBe('5:8: "tool.wasm" must have at most 255 characters');
  });
});

describe("parseManifest() checks [security]", () => {
  test.each([
    ["max_memory_mb", "maxMemoryMb", 1, 4096],
    ["max_execution_ms", "maxExecutionMs", 1, 600_000],
    ["max_fuel", "maxFuel", 1, Number.MAX_SAFE_INTEGER],
  ] as const)("%s is in its range", (...[key, property, least, most]) => {
    const problem = `9:${key.length + 4}: "security.${key}" must be from ${least} to ${most}`;
    expect(parseManifest(withSecurity(`${key} = ${least}`), "tool.toml").security[property]).toBe(least);
    expect(parseManifest(withSecurity(`${key} = ${most}`), "tool.toml").security[property]).toBe(most);
    for (const value of [least - 1, -1, BigInt(most) + 1n, 2n ** 63n, 10n ** 1000n]) {
      expect(ruleOf(withSecurity(`${key} = ${value}`))).toBe(problem);
    }
  });

  test.each(["none", "read-only", "sandbox"] as const)("fs_access %s is accepted", (access) => {
    expect(parseManifest(withSecurity(`fs_access = "${access}"`), "tool.toml").security.fsAccess).toBe(access);
  });

  test.each(["A", "_", "a_B9", "A".repeat(128)])("environment name %s is accepted", (name) => {
    expect(parseManifest(withSecurity(`env_allow_list = ["${name}"]`), "tool.toml").security.envAllowList).toEqual([
      name,
    ]);
  });
  test.each(["", "9A", "A-B", "A=B", "A*", "*", "A ", "Ä", "A\\u0000"])("environment name %j is refused", (name) => {
    expect(ruleOf(withSecurity(`env_allow_list = ["OK", "${name}"]`))).toBe(
      '9:25: "security.env_allow_list[1]" must be a letter or "_", then letters, digits and "_"',
    );
  });
  test("environment name: 128 characters at most", () => {
    expect(ruleOf(withSecurity(`env_allow_list = [${textOf(129)}]`))).toBe(
      '9:19: "security.env_allow_list[0]" must have at most 128 characters',
    );
  });

  test("allow lists: 256 entries at most", () => {
    for (const key of ["net_allow_list", "env_allow_list"]) {
      expect(outcomeOf(withSecurity(`${key} = ${listOf(256, () => '"a"')}`))).toBe("accepted");
      expect(ruleOf(withSecurity(`${key} = ${listOf(257, () => '"a"')}`))).toBe(
        `9:18: "security.${key}" must have at most 256 entries`,
      );
    }
  });

  test("a network entry's problem stands at the entry", () => {
    expect(ruleOf(withSecurity('net_allow_list = [\n  "ok.com", # "tcp://ok"\n  "tcp://ok",\n]'))).toBe(
      '11:3: "security.net_allow_list[1]" must name a port, as in tcp://host:port',
    );
  });
});
