/**
 * The user's ceilings: no tool gets more on its own word, the user sees what was cut, and a directory cannot raise them.
 */
import { describe, expect, test } from "bun:test";
import { TemporaryDirectory } from "../cli/support/directory.ts";
import { kami, type Surroundings, writePackage } from "../cli/support/kami.ts";

const GREEDY = "max_fuel = 200_000_000_000\nmax_memory_mb = 2048\nmax_execution_ms = 600_000\n";
const ID = "dev.example.greedy";
const ASKED = "200,000,000,000 fuel, 2,048 MiB of memory, 600,000 ms";

function greedy(temporary: TemporaryDirectory): string {
  return writePackage(temporary, "package", { guest: "echo", id: ID, rest: GREEDY });
}

describe("a tool that asks for more than the ceilings", () => {
  test("is installed, and gets the ceilings: install and inspect say so", async () => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home") };
    const cut = "cut to 100,000,000,000 fuel, 1,024 MiB of memory, 60,000 ms by your ceilings; see: kami config";
    const { exitCode, stdout, stderr } = await kami(["install", greedy(temporary)], at);
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout).toContain(`  limits       ${ASKED}\n               ${cut}\n`);
    expect((await kami(["inspect", ID], at)).stdout).toContain(`Limits\n  ${ASKED}\n  ${cut}\n`);
  });

  test("is cut in JSON by name", async () => {
    using temporary = new TemporaryDirectory();
    const at = {
      home: temporary.at("home"),
      environment: { KAMI_MAX_FUEL: "200000000000", KAMI_MAX_EXECUTION_MS: "50" },
    };
    const cut = { memoryMb: 1024, timeoutMs: 50 };
    expect(JSON.parse((await kami(["install", greedy(temporary), "--json"], at)).stdout)).toMatchObject({ cut });
    expect(JSON.parse((await kami(["inspect", ID, "--json"], at)).stdout)).toMatchObject({ cut });
  });

  test("gets all it asks for from a user who raises them, and nothing more from a directory that does", async () => {
    using temporary = new TemporaryDirectory();
    const source = greedy(temporary);
    const cutIn = async (at: Surroundings): Promise<unknown> => {
      const report: unknown = JSON.parse((await kami(["install", source, "--json"], at)).stdout);
      return typeof report === "object" && report !== null && "cut" in report ? report.cut : "no report";
    };
    temporary.write("theirs/kami.toml", GREEDY);
    const home = temporary.at("home");
    expect(await cutIn({ home, directory: temporary.at("theirs") })).toEqual({
      fuel: 100_000_000_000,
      memoryMb: 1024,
      timeoutMs: 60_000,
    });
    // HOME is the temporary directory.
    temporary.write(".config/kami/config.toml", GREEDY);
    expect(await cutIn({ home })).toBeNull();
  });
});
