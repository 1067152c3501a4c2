import { describe, expect, test } from "bun:test";
import { type Layer, resolveSettings, type SettingKey, settingKeys, settingRule } from "../../lib/cli/settings.ts";
import { told } from "./support/failure.ts";

const FILES = { user: "/user/config.toml", project: "./kami.toml", environment: "KAMI_X", flag: "--x" } as const;

function layer(origin: Layer["origin"], values: Readonly<Record<string, unknown>>): Layer {
  const entries = Object.entries(values).map(([key, value]) => ({ key, value, source: FILES[origin] }));
  return { origin, entries, directory: origin === "flag" ? "/here" : undefined };
}

function resolved(layers: readonly Layer[], key: SettingKey): readonly unknown[] {
  const setting = resolveSettings("/home/kami", 4, layers).get(key);
  return [setting?.value, setting?.origin, setting?.source];
}

describe("resolveSettings()", () => {
  test("has defaults", () => {
    expect([...resolveSettings("/home/kami", 4, []).values()]).toEqual([
      { key: "home", value: "/home/kami", origin: "default", source: "" },
      { key: "db", value: "/home/kami/registry.db", origin: "default", source: "" },
      { key: "concurrency", value: 4, origin: "default", source: "" },
      { key: "queue_limit", value: 256, origin: "default", source: "" },
      { key: "max_fuel", value: 100_000_000_000, origin: "default", source: "" },
      { key: "max_memory_mb", value: 1024, origin: "default", source: "" },
      { key: "max_execution_ms", value: 60_000, origin: "default", source: "" },
    ]);
  });

  test("keeps the default concurrency in its range", () => {
    expect(resolveSettings("/h", 1000, []).get("concurrency")?.value).toBe(256);
  });

  test("lets each layer win over the ones below", () => {
    const layers = [
      layer("user", { concurrency: 4 }),
      layer("project", { concurrency: 2 }),
      layer("environment", { concurrency: "3" }),
      layer("flag", { concurrency: "5" }),
    ];
    const winners = layers.map((_, index) => resolved(layers.slice(0, index + 1), "concurrency"));
    expect(winners).toEqual([
      [4, "user", "/user/config.toml"],
      [2, "project", "./kami.toml"],
      [3, "environment", "KAMI_X"],
      [5, "flag", "--x"],
    ]);
  });

  const ceilings: readonly {
    below: number | undefined;
    project: number;
    value: number;
    origin: string;
    why: string;
  }[] = [
    { below: undefined, project: 500, value: 500, origin: "project", why: "it is lower than the default" },
    { below: undefined, project: 60_001, value: 60_000, origin: "default", why: "it would loosen the default" },
    { below: 600_000, project: 90_000, value: 90_000, origin: "project", why: "it is lower than the user's own" },
    { below: 1000, project: 999, value: 999, origin: "project", why: "it is lower" },
    { below: 1000, project: 1000, value: 1000, origin: "project", why: "it is the same" },
    { below: 1000, project: 1001, value: 1000, origin: "user", why: "it would loosen" },
  ];
  test.each(ceilings)(
    "takes $value from kami.toml's $project over $below: $why",
    ({ below, project, value, origin }) => {
      const user = below === undefined ? {} : { max_execution_ms: below };
      const [found, from] = resolved(
        [layer("user", user), layer("project", { max_execution_ms: project })],
        "max_execution_ms",
      );
      expect([found, from]).toEqual([value, origin]);
    },
  );

  const numbers: readonly { key: SettingKey; lowest: number }[] = [
    { key: "concurrency", lowest: 4 },
    { key: "queue_limit", lowest: 256 },
  ];
  test.each(numbers)("lets a kami.toml lower $key below its default, and not raise it", ({ key, lowest }) => {
    const under = (value: number): readonly unknown[] => resolved([layer("project", { [key]: value })], key);
    expect([under(lowest - 1), under(lowest), under(lowest + 1)]).toEqual([
      [lowest - 1, "project", "./kami.toml"],
      [lowest, "project", "./kami.toml"],
      [lowest, "default", ""],
    ]);
  });

  test("lets the user's own variable raise a ceiling again", () => {
    const layers = [layer("project", { max_fuel: 10 }), layer("environment", { max_fuel: "20" })];
    expect(resolved(layers, "max_fuel")).toEqual([20, "environment", "KAMI_X"]);
  });

  test("puts the database into the home that a variable names", () => {
    expect(resolved([layer("environment", { home: "/elsewhere" })], "db")).toEqual([
      "/elsewhere/registry.db",
      "default",
      "",
    ]);
  });

  test("takes a relative path from the command line, and an absolute one from a file", () => {
    expect(resolved([layer("flag", { db: "a.db" })], "db")).toEqual(["/here/a.db", "flag", "--x"]);
    expect(resolved([layer("user", { db: "/data/../b.db" })], "db")).toEqual(["/b.db", "user", "/user/config.toml"]);
  });

  const only = "a kami.toml may only tighten settings, because it may come with a directory that somebody else wrote";
  const refused: readonly { at: Layer; key: string; from: string; rule: string }[] = [
    { at: layer("project", { db: "/x.db" }), key: "db", from: "./kami.toml", rule: only },
    {
      at: layer("user", { home: "/x" }),
      key: "home",
      from: "/user/config.toml",
      rule: "it is set by the variable KAMI_HOME only",
    },
    { at: layer("user", { db: "x.db" }), key: "db", from: "/user/config.toml", rule: "must be an absolute path" },
    { at: layer("environment", { home: "x" }), key: "home", from: "KAMI_X", rule: "must be an absolute path" },
    { at: layer("user", { db: 5 }), key: "db", from: "/user/config.toml", rule: "must be a path" },
    { at: layer("flag", { db: "a\0b" }), key: "db", from: "--x", rule: "must be a path" },
    {
      at: layer("user", { max_feul: 5 }),
      key: "max_feul",
      from: "/user/config.toml",
      rule: 'there is no such setting; did you mean "max_fuel"?',
    },
    { at: layer("user", { colour: 5 }), key: "colour", from: "/user/config.toml", rule: "there is no such setting" },
    {
      at: layer("user", { __proto__: null, constructor: 5 }),
      key: "constructor",
      from: "/user/config.toml",
      rule: "there is no such setting",
    },
    {
      at: layer("user", { concurrency: 0 }),
      key: "concurrency",
      from: "/user/config.toml",
      rule: "must be a whole number from 1 to 256",
    },
    {
      at: layer("environment", { concurrency: "257" }),
      key: "concurrency",
      from: "KAMI_X",
      rule: "must be a whole number from 1 to 256",
    },
    {
      at: layer("user", { concurrency: "4" }),
      key: "concurrency",
      from: "/user/config.toml",
      rule: "must be a whole number from 1 to 256",
    },
    {
      at: layer("project", { queue_limit: 65_537 }),
      key: "queue_limit",
      from: "./kami.toml",
      rule: "must be a whole number from 0 to 65,536",
    },
  ];
  test.each(refused)("refuses $key from $from: $rule", async ({ at, key, from, rule }) => {
    const message = `Cannot use the setting "${key}" from ${from}: ${rule}`;
    const hint = "see every setting with: kami config --help";
    expect(await told(() => resolveSettings("/h", 4, [at]))).toEqual(["CONFIG_INVALID", message, hint]);
  });
});

describe("settingRule()", () => {
  test("says what each setting may be", () => {
    expect(settingKeys().map((key) => `${key} ${settingRule(key)}`)).toEqual([
      "home must be a path",
      "db must be a path",
      "concurrency must be a whole number from 1 to 256",
      "queue_limit must be a whole number from 0 to 65,536",
      "max_fuel must be a whole number from 1 to 9,007,199,254,740,991",
      "max_memory_mb must be a whole number from 1 to 4,096",
      "max_execution_ms must be a whole number from 1 to 600,000",
    ]);
  });
});
