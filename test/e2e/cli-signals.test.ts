/**
 * Ending `kami` from outside: while a tool runs, while it waits for input, while it serves.
 */
import { describe, expect, test } from "bun:test";
import { guestPath } from "../../fixtures/paths.ts";
import { TemporaryDirectory } from "../cli/support/directory.ts";
import { startKami } from "../cli/support/kami.ts";

/** `/proc` tells what a process is doing. */
const isLinux = process.platform === "linux";

const FOREVER = ["--fuel", "9007199254740991", "--timeout-ms", "600000"];

/** Waits until a process has used processor time that only a spinning guest explains. */
async function spinning(pid: number): Promise<void> {
  const ticks = async (): Promise<number> => {
    const fields = (await Bun.file(`/proc/${pid}/stat`).text()).split(") ")[1]?.split(" ") ?? [];
    return Number(fields[11]) + Number(fields[12]);
  };
  while ((await ticks()) < 150) await Bun.sleep(10);
}

describe("a signal while a tool runs", () => {
  test.skipIf(!isLinux).each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s stops it and exits with %i", async (signal, exitCode) => {
    using temporary = new TemporaryDirectory();
    const child = startKami(["run", guestPath("spin"), ...FOREVER], { home: temporary.at("home") });
    await spinning(child.pid);
    const sentAt = Date.now();
    child.kill(signal);
    expect(await child.exited).toBe(exitCode);
    expect(Date.now() - sentAt).toBeLessThan(2500);
    const printed = [await new Response(child.stdout).text(), await new Response(child.stderr).text()];
    expect(printed).toEqual(["", ""]);
  });
});

describe("a signal while kami waits for its input", () => {
  test.skipIf(!isLinux)("ends it with 130", async () => {
    using temporary = new TemporaryDirectory();
    const words = ["bin/kami.ts", "run", guestPath("echo"), "--input-file", "-"];
    const child = Bun.spawn([process.execPath, ...words], {
      env: { HOME: temporary.path, KAMI_HOME: temporary.at("home") },
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    });
    await readsStdin(child.pid);
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
    expect(await new Response(child.stderr).text()).toBe("");
  });
});

/** Waits until a process has installed its handler of SIGINT: bit 1 of the signals it catches. */
async function readsStdin(pid: number): Promise<void> {
  const catches = async (): Promise<boolean> => {
    const status = await Bun.file(`/proc/${pid}/status`).text();
    return (Number.parseInt(/^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1]?.slice(-8) ?? "0", 16) & 0b10) !== 0;
  };
  while (!(await catches())) await Bun.sleep(5);
}

describe("kami serve", () => {
  const hello = `${JSON.stringify({
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "test", version: "1" } },
  })}\n`;

  test.each(["SIGINT", "SIGTERM"] as const)(
    "ends cleanly on %s, and writes nothing but the protocol",
    async (signal) => {
      using temporary = new TemporaryDirectory();
      const child = Bun.spawn([process.execPath, "bin/kami.ts", "serve"], {
        env: { HOME: temporary.path, KAMI_HOME: temporary.at("home") },
        stdin: "pipe",
        stdout: "pipe",
        stderr: "pipe",
      });
      await child.stdin.write(hello);
      await child.stdin.flush();
      const reader = child.stdout.getReader();
      const answer = JSON.parse(new TextDecoder().decode((await reader.read()).value));
      expect(answer).toMatchObject({ jsonrpc: "2.0", id: 1, result: { serverInfo: { name: "kami" } } });
      child.kill(signal);
      expect(await child.exited).toBe(0);
      expect((await reader.read()).done).toBe(true);
      expect(await new Response(child.stderr).text()).toBe("");
    },
  );

  test("ends when stdin ends", async () => {
    using temporary = new TemporaryDirectory();
    const child = startKami(["serve", "--concurrency", "2", "--db", temporary.at("other/registry.db")], {
      home: temporary.at("home"),
      stdin: new Blob([hello]),
    });
    expect(await child.exited).toBe(0);
    expect(JSON.parse(await new Response(child.stdout).text())).toMatchObject({ id: 1 });
    expect(await Bun.file(temporary.at("other/registry.db")).exists()).toBe(true);
  });

  test.each([
    [
      ["--concurrency", "0"],
      'Cannot use the setting "concurrency" from --concurrency: must be a whole number from 1 to 256',
    ],
    [
      ["--concurrency", "257"],
      'Cannot use the setting "concurrency" from --concurrency: must be a whole number from 1 to 256',
    ],
    [["--prot", "1"], 'Cannot run "kami serve": there is no flag "--prot"'],
  ])("refuses %j", async (words, message) => {
    using temporary = new TemporaryDirectory();
    const child = startKami(["serve", ...words], { home: temporary.at("home") });
    const [stdout, stderr] = [await new Response(child.stdout).text(), await new Response(child.stderr).text()];
    expect([await child.exited, stdout, stderr.includes(message)]).toEqual([2, "", true]);
  });
});
