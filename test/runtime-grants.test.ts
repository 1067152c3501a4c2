import { describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { guestPath } from "../fixtures/paths.ts";
import { type Capability, parseCapability } from "../lib/policy/capability.ts";
import { summarize, TestRuntime } from "./support/runtime.ts";

const ID = "dev.x.env";

function capabilities(...names: string[]): readonly Capability[] {
  return names.flatMap((name) => {
    const parsed = parseCapability(name);
    return parsed.ok ? [parsed.capability] : [];
  });
}

describe("what is granted for one call", () => {
  test("holds for that call, and never goes beyond what the tool asks for", async () => {
    await using kami = new TestRuntime({
      environment: new Map([
        ["GREETING", "hello"],
        ["SECRET", "hunter2"],
      ]),
    });
    const { runtime, home } = kami;
    const directory = join(home.path, "package");
    mkdirSync(directory);
    copyFileSync(guestPath("read-env"), join(directory, "tool.wasm"));
    writeFileSync(
      join(directory, "tool.toml"),
      `[tool]\nid = "${ID}"\nname = "env"\nversion = "1.0.0"\nwasm = "tool.wasm"\n[mcp]\ndescription = "x"\n[security]\nenv_allow_list = ["GREETING"]\n`,
    );
    await runtime.install(directory);
    const seen = async (...names: string[]): Promise<string> =>
      JSON.stringify(summarize(await runtime.call(ID, "{}", { grants: capabilities(...names) })));
    expect(await seen()).not.toContain("GREETING");
    expect(await seen("env:GREETING", "env:SECRET")).toContain("GREETING");
    expect(await seen("env:GREETING", "env:SECRET")).not.toContain("SECRET");
    expect(await seen()).not.toContain("GREETING");
    expect(runtime.registry.grants.of(ID)).toEqual([]);
  });

  test("when the user is asked is kept through updates, and told to other processes", async () => {
    await using kami = new TestRuntime();
    const { runtime, home } = kami;
    const directory = join(home.path, "package");
    mkdirSync(directory);
    copyFileSync(guestPath("echo"), join(directory, "tool.wasm"));
    const toml = (version: string): string =>
      `[tool]\nid = "${ID}"\nname = "env"\nversion = "${version}"\nwasm = "tool.wasm"\n[mcp]\ndescription = "x"\n`;
    writeFileSync(join(directory, "tool.toml"), toml("1.0.0"));
    expect((await runtime.install(directory)).tool.asks).toBe("missing");
    const before = runtime.registry.revision();
    runtime.registry.setAsks(ID, "always");
    expect(runtime.registry.revision()).toBeGreaterThan(before);
    writeFileSync(join(directory, "tool.toml"), toml("1.0.1"));
    expect((await runtime.install(directory)).tool.asks).toBe("always");
    expect(() => runtime.registry.setAsks("dev.x.none", "always")).toThrow('Cannot find the tool "dev.x.none"');
  });
});
