import { describe, expect, test } from "bun:test";
import { cp } from "node:fs/promises";
import { guestDirectory, guestPath } from "../fixtures/paths.ts";
import type { CallResult } from "../lib/runtime.ts";
import { AMPLE, summarize, TestRuntime } from "./support/runtime.ts";
import { TemporaryDirectory } from "./support/temporary.ts";

const ENDLESS = { fuel: Number.MAX_SAFE_INTEGER, timeoutMs: 60_000, memoryBytes: AMPLE.memoryBytes };

describe("Runtime.call()", () => {
  test("runs an installed tool, and records the call", async () => {
    await using kami = new TestRuntime();
    const { tool, replaced } = await kami.runtime.install(guestDirectory("echo"));
    expect([tool.id, replaced]).toEqual(["dev.kami.fixture.echo", undefined]);
    expect(summarize(await kami.runtime.call(tool.id, '{"a":1}'))).toEqual({ output: { a: 1 } });
    expect(kami.runtime.registry.calls().map(({ toolId, outcome }) => [toolId, outcome])).toEqual([[tool.id, "OK"]]);
  });

  test("gives a failed result for a tool that is unknown or disabled, or input that is not JSON", async () => {
    await using kami = new TestRuntime();
    const { tool } = await kami.runtime.install(guestDirectory("echo"));
    expect(summarize(await kami.runtime.call("dev.kami.fixture.ecko", "{}"))).toEqual({
      code: "TOOL_UNKNOWN",
      message: 'Cannot find the tool "dev.kami.fixture.ecko": it is not installed',
    });
    expect(summarize(await kami.runtime.call(tool.id, "{"))).toMatchObject({ code: "INPUT_NOT_JSON" });
    kami.runtime.registry.setEnabled(tool.id, false);
    expect(summarize(await kami.runtime.call(tool.id, "{}"))).toEqual({
      code: "TOOL_DISABLED",
      message: 'Cannot run the tool "dev.kami.fixture.echo": it is disabled',
    });
  });

  test("takes an input of 4 MiB, and refuses one byte more", async () => {
    await using kami = new TestRuntime();
    const most = 4 * 1_048_576;
    const passed = await kami.runtime.runFile(guestPath("fail"), inputOf(most), { limits: ENDLESS });
    expect(passed.ok || passed.failure.code).toBe("TOOL_ERROR");
    expect(summarize(await kami.runtime.runFile(guestPath("fail"), inputOf(most + 1)))).toEqual({
      code: "INPUT_TOO_LARGE",
      message: "Cannot use the input: it has 4194305 bytes, the limit is 4194304",
    });
  });

  test("refuses a tool whose installed component was changed", async () => {
    await using kami = new TestRuntime();
    const { tool } = await kami.runtime.install(guestDirectory("echo"));
    await kami.runtime[Symbol.asyncDispose]();
    await using again = new TestRuntime({ home: kami.home.path });
    await Bun.$`rm -rf ${kami.home.join("artifacts")} && chmod u+w ${tool.componentPath} && cp ${guestPath("spin")} ${tool.componentPath}`.quiet();
    expect(summarize(await again.runtime.call(tool.id, "{}"))).toMatchObject({ code: "PACKAGE_CHANGED" });
  });

  test("does not compile a second time, in the same process or the next", async () => {
    await using kami = new TestRuntime();
    const { tool } = await kami.runtime.install(guestDirectory("echo"));
    const artifacts = await Bun.$`ls ${kami.home.join("artifacts")}`.text();
    await using next = new TestRuntime({ home: kami.home.path });
    const before = await Bun.$`find ${kami.home.join("artifacts")} -type f -printf "%p %T@\n"`.text();
    expect((await next.runtime.call(tool.id, "{}")).ok).toBe(true);
    expect(await Bun.$`find ${kami.home.join("artifacts")} -type f -printf "%p %T@\n"`.text()).toBe(before);
    expect(artifacts.trim().split("\n").length).toBe(1);
  });
});

describe("Runtime.install()", () => {
  test("refuses a component whose memory does not fit what the manifest asks for, and installs nothing", async () => {
    await using kami = new TestRuntime();
    using directory = new TemporaryDirectory();
    await cp(guestDirectory("initial-memory"), directory.path, { recursive: true });
    await Bun.write(
      directory.join("tool.toml"),
      '[tool]\nid = "dev.test.big"\nname = "big"\nversion = "1.0.0"\nwasm = "initial-memory.wasm"\n[mcp]\ndescription = "Big"\n',
    );
    await expect(kami.runtime.install(directory.path)).rejects.toMatchObject({ code: "COMPONENT_INITIAL_MEMORY" });
    expect(kami.runtime.registry.list()).toEqual([]);
    expect(await leftovers(kami)).toBe("");
  });

  test("and uninstall leave neither package nor artifact", async () => {
    await using kami = new TestRuntime();
    const { tool } = await kami.runtime.install(guestDirectory("echo"));
    await kami.runtime.uninstall(tool.id);
    expect(await leftovers(kami)).toBe("");
  });
});

describe("Runtime concurrency", () => {
  test("lets others finish while one spins until its deadline", async () => {
    await using kami = new TestRuntime({ concurrency: 2 });
    await kami.run("echo");
    const order: string[] = [];
    const note = (name: string, call: Promise<CallResult>): Promise<unknown> =>
      call.then((result) => order.push(`${name} ${result.ok ? "ok" : result.failure.code}`));
    const spinning = note("spin", kami.run("spin", {}, { limits: { ...ENDLESS, timeoutMs: 3000 } }));
    const others = Array.from({ length: 10 }, (_, index) => note(`echo${index}`, kami.run("echo")));
    await Promise.all([spinning, ...others]);
    expect(order.at(-1)).toBe("spin DEADLINE_EXCEEDED");
    expect(order.filter((line) => line.endsWith("ok")).length).toBe(10);
  });

  test("cancels a call that runs, one that waits, and one that was cancelled before it began", async () => {
    await using kami = new TestRuntime({ concurrency: 1 });
    const running = new AbortController();
    const waiting = new AbortController();
    const first = kami.run("spin", {}, { limits: ENDLESS, signal: running.signal });
    const second = kami.run("spin", {}, { limits: ENDLESS, signal: waiting.signal });
    const third = kami.run("spin", {}, { limits: ENDLESS, signal: AbortSignal.abort() });
    expect(summarize(await third)).toMatchObject({ code: "CANCELLED" });
    waiting.abort();
    expect(summarize(await second)).toMatchObject({ code: "CANCELLED" });
    running.abort();
    expect(summarize(await first)).toEqual({ code: "CANCELLED", message: "The call was cancelled" });
    expect(summarize(await kami.run("echo"))).toEqual({ output: {} });
  });

  test("refuses a call beyond the queue's bound and says when to come back", async () => {
    await using kami = new TestRuntime({ concurrency: 1, queueLimit: 1 });
    await kami.run("spin", {}, { limits: { ...ENDLESS, fuel: 1 } });
    const stop = new AbortController();
    const options = { limits: ENDLESS, signal: stop.signal };
    const calls = [kami.run("spin", {}, options), kami.run("spin", {}, options), kami.run("spin", {}, options)];
    const refused = await Promise.race(calls);
    expect(refused.ok || refused.failure.message).toMatch(
      /^Cannot start the call: the queue is full, retry in \d+ ms$/,
    );
    stop.abort();
    expect(
      (await Promise.all(calls)).filter((result) => !result.ok && result.failure.code === "CANCELLED").length,
    ).toBe(2);
  });

  test("burns no CPU after a call was cancelled", async () => {
    await using kami = new TestRuntime({ concurrency: 1 });
    await kami.run("spin", {}, { limits: { ...ENDLESS, fuel: 1 } });
    const stop = new AbortController();
    const call = kami.run("spin", {}, { limits: ENDLESS, signal: stop.signal });
    const before = process.cpuUsage();
    while (cpuMsSince(before) < 150) await Bun.sleep(10);
    stop.abort();
    await call;
    const after = process.cpuUsage();
    await Bun.sleep(300);
    expect(cpuMsSince(after)).toBeLessThan(60);
  });

  test("ends calls in flight when it is disposed", async () => {
    const kami = new TestRuntime({ concurrency: 1 });
    const call = kami.run("spin", {}, { limits: ENDLESS });
    const waiting = kami.run("echo");
    await Bun.sleep(50);
    await kami[Symbol.asyncDispose]();
    expect([summarize(await call), summarize(await waiting)]).toMatchObject([
      { code: "CANCELLED" },
      { code: "CANCELLED" },
    ]);
  });
});

/** What is left in a home of packages, compiled components and temporary files. */
function leftovers({ home }: TestRuntime): Promise<string> {
  return Bun.$`find ${home.join("tools")} ${home.join("artifacts")} ${home.join("tmp")} -mindepth 1`
    .nothrow()
    .quiet()
    .text();
}

/** JSON text of exactly so many bytes. */
function inputOf(bytes: number): string {
  return JSON.stringify("x".repeat(bytes - 2));
}

/** CPU time of this process since a measurement, in milliseconds. */
function cpuMsSince(before: NodeJS.CpuUsage): number {
  const used = process.cpuUsage(before);
  return (used.user + used.system) / 1000;
}
