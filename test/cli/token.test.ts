import { describe, expect, test } from "bun:test";
import { runProgram } from "../../lib/cli/program.ts";
import { TemporaryDirectory } from "./support/directory.ts";
import { testHost } from "./support/host.ts";

async function run(home: string, words: readonly string[]): Promise<{ exit: number; stdout: string; stderr: string }> {
  const host = testHost({ environment: { KAMI_HOME: home } });
  const exit = await runProgram(["token", ...words], host);
  return { exit, ...host.printed };
}

describe("kami token", () => {
  test("makes, lists and revokes", async () => {
    using home = new TemporaryDirectory();
    const made = await run(home.path, [
      "create",
      "ci",
      "--tools",
      "dev.a.*,dev.b.c",
      "--calls-per-minute",
      "5",
      "--json",
    ]);
    expect(JSON.parse(made.stdout)).toEqual({
      name: "ci",
      tools: ["dev.a.*", "dev.b.c"],
      callsPerMinute: 5,
      token: expect.stringMatching(/^kami_[\w-]{43}$/),
    });
    const list = await run(home.path, ["list", "--json"]);
    expect(JSON.parse(list.stdout)).toEqual({
      tokens: [{ name: "ci", tools: ["dev.a.*", "dev.b.c"], callsPerMinute: 5, createdAt: expect.any(Number) }],
    });
    expect((await run(home.path, ["list"])).stdout).toMatch(
      /^NAME +TOOLS +CALLS\/MIN +CREATED +ENDS\nci +dev\.a\.\*,dev\.b\.c +5 /,
    );
    expect(await run(home.path, ["revoke", "ci"])).toMatchObject({ exit: 0, stdout: "Revoked ci\n" });
    expect((await run(home.path, ["list"])).stderr).toContain("there are no named tokens");
  });

  test.each([
    { words: ["destroy"], problem: 'there is no "destroy"' },
    { words: ["create"], problem: "<name> is missing" },
    { words: ["create", "../x"], problem: '"../x" is no name' },
    { words: ["create", "x", "--tools", "dev.*.a"], problem: '"dev.*.a" stands for no tool' },
    { words: ["create", "x", "--calls-per-minute", "0"], problem: "must be a whole number from 1 to 1,000,000" },
    { words: ["create", "x", "--expires-days", "3651"], problem: "must be a whole number from 1 to 3,650" },
    { words: ["revoke", "x"], problem: "there is none of that name" },
  ])("refuses $words", async ({ words, problem }) => {
    using home = new TemporaryDirectory();
    const { exit, stderr } = await run(home.path, words);
    expect([exit, stderr]).toEqual([2, expect.stringContaining(problem)]);
    expect(stderr).toContain("hint:");
  });
});
