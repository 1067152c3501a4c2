import { describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { readSettings, userConfigPath } from "../../lib/cli/config.ts";
import type { SettingKey } from "../../lib/cli/settings.ts";
import { TemporaryDirectory } from "./support/directory.ts";
import { told } from "./support/failure.ts";
import { testHost, type TestHost } from "./support/host.ts";

function hostIn(temporary: TemporaryDirectory, environment: Readonly<Record<string, string>> = {}): TestHost {
  return testHost({ environment, directory: temporary.at("work"), userHome: temporary.at("user") });
}

function value(host: TestHost, key: SettingKey): unknown {
  return readSettings(host, new Map()).get(key)?.value;
}

describe("readSettings()", () => {
  test("reads both files, the variables and the flags", () => {
    using temporary = new TemporaryDirectory();
    const user = temporary.write(
      "user/.config/kami/config.toml",
      "max_fuel = 1_000\nconcurrency = 1\nqueue_limit = 7\n",
    );
    const project = temporary.write("work/kami.toml", "max_fuel = 900\nmax_memory_mb = 32\nconcurrency = 2\n");
    const host = hostIn(temporary, { KAMI_CONCURRENCY: "3", KAMI_DB: "" });
    expect([...readSettings(host, new Map([["db", "a.db"]])).values()]).toEqual([
      { key: "home", value: temporary.at("user/.local/share/kami"), origin: "default", source: "" },
      { key: "db", value: temporary.at("work/a.db"), origin: "flag", source: "--db" },
      { key: "concurrency", value: 3, origin: "environment", source: "KAMI_CONCURRENCY" },
      { key: "queue_limit", value: 7, origin: "user", source: user },
      { key: "max_fuel", value: 900, origin: "project", source: project },
      { key: "max_memory_mb", value: 32, origin: "project", source: project },
      { key: "max_execution_ms", value: 60_000, origin: "default", source: "" },
    ]);
  });

  test("follows XDG variables, when they are absolute", () => {
    using temporary = new TemporaryDirectory();
    const named = hostIn(temporary, { XDG_DATA_HOME: "/data", XDG_CONFIG_HOME: "/etc/user" });
    const relative = hostIn(temporary, { XDG_DATA_HOME: "data", XDG_CONFIG_HOME: "config" });
    expect([value(named, "home"), userConfigPath(named)]).toEqual(["/data/kami", "/etc/user/kami/config.toml"]);
    expect([value(relative, "home"), userConfigPath(relative)]).toEqual([
      temporary.at("user/.local/share/kami"),
      temporary.at("user/.config/kami/config.toml"),
    ]);
  });

  test("keeps nothing in the current directory for a user without a home", async () => {
    using temporary = new TemporaryDirectory();
    temporary.write("work/kami/config.toml", "max_fuel = 1\n");
    temporary.write("work/.config/kami/config.toml", "max_fuel = 1\n");
    const nobody = (environment: Readonly<Record<string, string>>): TestHost =>
      testHost({ environment, directory: temporary.at("work"), userHome: "" });
    expect(await told(() => value(nobody({}), "home"))).toEqual([
      "CONFIG_INVALID",
      'Cannot use the setting "home" from the environment: there is no home directory to keep tools in: set KAMI_HOME to a directory',
      "see every setting with: kami config --help",
    ]);
    const named = nobody({ KAMI_HOME: "/data" });
    expect([value(named, "home"), value(named, "db"), userConfigPath(named)]).toEqual([
      "/data",
      "/data/registry.db",
      undefined,
    ]);
    expect([value(named, "max_fuel"), value(nobody({ XDG_DATA_HOME: "/x" }), "home")]).toEqual([
      100_000_000_000,
      "/x/kami",
    ]);
  });

  test("uses an existing ~/.kami only while the standard place does not exist", () => {
    using temporary = new TemporaryDirectory();
    const host = hostIn(temporary);
    mkdirSync(temporary.at("user/.kami"), { recursive: true });
    expect(value(host, "home")).toBe(temporary.at("user/.kami"));
    mkdirSync(temporary.at("user/.local/share/kami"), { recursive: true });
    expect(value(host, "home")).toBe(temporary.at("user/.local/share/kami"));
  });

  test("refuses a variable that is nearly a setting, and ignores others", async () => {
    using temporary = new TemporaryDirectory();
    const others = hostIn(temporary, { KAMI_DEBUG: "1", KAMI_VERSION: "3", KAMI_IMAGE_TAG: "x" });
    expect(value(others, "max_fuel")).toBe(100_000_000_000);
    expect(await told(() => readSettings(hostIn(temporary, { KAMI_MAX_FEUL: "5" }), new Map()))).toEqual([
      "CONFIG_INVALID",
      'Cannot use the setting "KAMI_MAX_FEUL" from the environment: there is no such setting; did you mean "KAMI_MAX_FUEL"?',
      "see every setting with: kami config --help",
    ]);
  });

  test("says where a file is no TOML", async () => {
    using temporary = new TemporaryDirectory();
    const path = temporary.write("work/kami.toml", "max_fuel = 5\nconcurrency = = 2\n");
    expect(await told(() => readSettings(hostIn(temporary), new Map()))).toEqual([
      "CONFIG_SYNTAX",
      `Cannot parse ${path}:2:15: Invalid TOML document: invalid value`,
      "mend the TOML at that place",
    ]);
  });

  test("names the file of a wrong value", async () => {
    using temporary = new TemporaryDirectory();
    const path = temporary.write("user/.config/kami/config.toml", "max_execution_ms = 600001\n");
    expect(await told(() => readSettings(hostIn(temporary), new Map()))).toEqual([
      "CONFIG_INVALID",
      `Cannot use the setting "max_execution_ms" from ${path}: must be a whole number from 1 to 600,000`,
      "see every setting with: kami config --help",
    ]);
  });

  test("takes a file at its size limit, and refuses one above it", async () => {
    using temporary = new TemporaryDirectory();
    const line = "max_fuel = 5\n#";
    const path = temporary.write("work/kami.toml", line.padEnd(65_536, "x"));
    expect(value(hostIn(temporary), "max_fuel")).toBe(5);
    temporary.write("work/kami.toml", line.padEnd(65_537, "x"));
    expect(await told(() => readSettings(hostIn(temporary), new Map()))).toEqual([
      "FILE_UNREADABLE",
      `Cannot read "${path}": it has 65537 bytes, the limit is 65536`,
      "check the path and its permissions",
    ]);
  });

  const notFiles: readonly { make: (path: string) => void; reason: string }[] = [
    { make: (path) => mkdirSync(path), reason: "it is a directory, not a regular file" },
    { make: (path) => Bun.spawnSync(["mkfifo", path]), reason: "it is a named pipe, not a regular file" },
    { make: (path) => Bun.spawnSync(["ln", "-s", "/dev/zero", path]), reason: "it is a device, not a regular file" },
    { make: (path) => Bun.spawnSync(["ln", "-s", path, path]), reason: "too many symbolic links" },
  ];
  test.each(notFiles)("refuses a kami.toml that is no file, without waiting: $reason", async ({ make, reason }) => {
    using temporary = new TemporaryDirectory();
    mkdirSync(temporary.at("work"));
    make(temporary.at("work/kami.toml"));
    const message = `Cannot read "${temporary.at("work/kami.toml")}": ${reason}`;
    expect((await told(() => readSettings(hostIn(temporary), new Map())))[1]).toBe(message);
  });

  test("refuses a file that is no UTF-8", async () => {
    using temporary = new TemporaryDirectory();
    const path = temporary.write("work/kami.toml", new Uint8Array([0x61, 0xff]));
    expect((await told(() => readSettings(hostIn(temporary), new Map())))[1]).toBe(
      `Cannot read "${path}": it is not UTF-8 text`,
    );
  });
});
