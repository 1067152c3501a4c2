import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { checkMachine } from "../../lib/cli/doctor/machine.ts";
import { checkPort } from "../../lib/cli/doctor/port.ts";
import { runProgram } from "../../lib/cli/program.ts";
import { Registry } from "../../lib/registry/registry.ts";
import { readPackage } from "../../lib/registry/package.ts";
import { TemporaryDirectory } from "./support/directory.ts";
import { testHost } from "./support/host.ts";
import { writePackage } from "./support/kami.ts";

interface Report {
  readonly ok: boolean;
  readonly findings: readonly { id: string; state: string; text: string; mend: string | null }[];
}

async function examine(
  temporary: TemporaryDirectory,
): Promise<{ code: number; report: Report; by: Map<string, string> }> {
  const environment = { KAMI_HOME: temporary.at("home") };
  const host = testHost({ environment, userHome: temporary.path, directory: temporary.path });
  const code = await runProgram(["doctor", "--json"], host);
  const report: Report = JSON.parse(host.printed.stdout);
  return { code, report, by: new Map(report.findings.map(({ id, state }) => [id, state])) };
}

describe("kami doctor", () => {
  test("finds nothing wrong where nothing is, and makes nothing", async () => {
    using temporary = new TemporaryDirectory();
    const { code, report, by } = await examine(temporary);
    expect([code, report.ok, by.get("home"), by.get("clients")]).toEqual([0, true, "none", "none"]);
    expect(await Bun.file(temporary.at("home")).exists()).toBe(false);
  });

  test("looks at a home with a tool, and says what to do about each thing that is wrong", async () => {
    using temporary = new TemporaryDirectory();
    const directory = writePackage(temporary, "package", { guest: "echo", id: "dev.x.echo" });
    let componentPath = "";
    {
      using registry = Registry.open(temporary.at("home"));
      componentPath = registry.install(await readPackage(directory)).tool.componentPath;
    }
    const well = await examine(temporary);
    expect([well.code, well.by.get("home"), well.by.get("registry"), well.by.get("packages")]).toEqual([
      0,
      "good",
      "good",
      "good",
    ]);
    chmodSync(temporary.at("home"), 0o755);
    chmodSync(componentPath, 0o644);
    writeFileSync(componentPath, "something else");
    temporary.write("home/http-token", "secret");
    chmodSync(temporary.at("home/http-token"), 0o644);
    temporary.write(".cursor/mcp.json", "{{{");
    temporary.write(
      ".gemini/settings.json",
      '{"mcpServers":{"kami":{"command":"/nonexistent/bun","args":["--cwd=/nonexistent"]}}}',
    );
    temporary.write(".codex/config.toml", "model = 'x'\n");
    const { code, report, by } = await examine(temporary);
    expect([code, report.ok]).toEqual([8, false]);
    expect(Object.fromEntries(by)).toMatchObject({
      home: "odd",
      packages: "bad",
      token: "bad",
      "client.cursor": "bad",
      "client.gemini": "bad",
      "client.codex": "none",
    });
    for (const { state, mend } of report.findings) if (state !== "good") expect(mend).toBeTruthy();
  });

  test("says what keeps the registry from being opened", async () => {
    using temporary = new TemporaryDirectory();
    mkdirSync(temporary.at("home"), { mode: 0o700 });
    temporary.write("home/registry.db", "this is no database, and longer than a header of one would be".repeat(40));
    const { code, by } = await examine(temporary);
    expect([code, by.get("registry")]).toEqual([8, "bad"]);
  });

  test("reports settings that cannot be read as a finding", async () => {
    using temporary = new TemporaryDirectory();
    temporary.write("kami.toml", "max_fuel = ");
    const { code, by } = await examine(temporary);
    expect([code, by.get("settings")]).toEqual([8, "bad"]);
  });

  test("prints nothing that steers a terminal, whatever a configuration holds", async () => {
    using temporary = new TemporaryDirectory();
    temporary.write(
      ".gemini/settings.json",
      '{"mcpServers":{"kami":{"command":"/\\u001b[2Jx\\u202e","args":["\\n/\\u0007"]}}}',
    );
    const environment = { KAMI_HOME: temporary.at("home") };
    const host = testHost({ environment, userHome: temporary.path, directory: temporary.path });
    await runProgram(["doctor"], host);
    expect(host.printed.stdout).toContain("Gemini CLI would start KAMI from");
    expect(host.printed.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  });
});

describe("checkMachine()", () => {
  test.each([
    ["1.4.5", "6.1.0", "linux", ["good", "good", "good"]],
    ["1.5.0", "5.6.0-x", "linux", ["odd", "good", "good"]],
    ["1.3.9", "5.5.19", "linux", ["bad", "good", "odd"]],
    ["1.4.5", "25.0.0", "darwin", ["good", "good", "good"]],
    ["1.4.5", "10.0.0", "win32", ["good", "good", "bad"]],
    ["nonsense", "nonsense", "linux", ["bad", "good", "odd"]],
  ] as const)("judges Bun %s on %s of %s", (...[bun, kernel, platform, states]) => {
    expect(checkMachine({ versions: { bun, kernel }, platform }).map(({ state }) => state)).toEqual([...states]);
  });
});

describe("checkPort()", () => {
  test("says whether somebody listens", async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
    expect((await checkPort(port)).state).toBe("odd");
    await new Promise((resolve) => server.close(resolve));
    expect((await checkPort(port)).state).toBe("good");
  });
});
