/**
 * How a `kami serve` process begins, lives beside others, and ends.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Asker } from "../mcp/support/conversation.ts";
import { awaitLoad, canMeasureCpu } from "../mcp/support/cpu.ts";
import { Home, KAMI } from "../mcp/support/kami.ts";

let home: Home;

beforeAll(async () => {
  home = new Home();
  const endless = "max_fuel = 9007199254740991\nmax_execution_ms = 120000";
  await home.installAll([home.makePackage("echo"), home.makePackage("spin", endless, "spin-long")]);
});

afterAll(() => home[Symbol.dispose]());

describe("kami serve", () => {
  test("stdin that ends interrupts the calls in flight and ends the process", async () => {
    await using served = home.serve();
    await served.initialize();
    const call = served.request("tools/call", { name: "spin-long", arguments: {} });
    await served.ask("ping");
    const startedAt = performance.now();
    expect(await served.end()).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(20_000);
    expect((await served.inbox.answer(call)).result).toMatchObject({ _meta: { "dev.kami/failure": "CANCELLED" } });
  });

  test("requests piped in at once are answered before the end", async () => {
    await using served = home.serve();
    const initialize = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "pipe", version: "1" } };
    served.request("initialize", initialize);
    served.request("tools/list");
    expect(await served.end()).toBe(0);
    expect(served.inbox.messages.map(({ id }) => id)).toEqual([1, 2]);
  });

  test("a client that stops reading for good ends the process", async () => {
    const child = spawn(KAMI.command, [KAMI.script, "serve"], { env: home.environment() });
    const asker = new Asker((bytes) => child.stdin.write(bytes));
    child.stdout.on("data", (chunk: Uint8Array) => asker.inbox.push(chunk));
    let stderr = "";
    child.stderr.on("data", (chunk: Uint8Array) => (stderr += Buffer.from(chunk).toString()));
    const exited = once(child, "exit");
    await asker.initialize();
    asker.request("tools/call", { name: "spin-long", arguments: {} });
    await asker.ask("ping");
    child.stdout.destroy();
    asker.request("ping");
    expect(await exited).toEqual([0, null]);
    expect(stderr).toMatch(/^kami: MCP: .*EPIPE/);
    expect(stderr).not.toContain("    at ");
  });

  test.each(["SIGTERM", "SIGINT"] as const)("%s ends the process, with the calls interrupted", async (signal) => {
    await using served = home.serve();
    await served.initialize();
    const call = served.request("tools/call", { name: "spin-long", arguments: {} });
    await served.ask("ping");
    served.child.kill(signal);
    expect(await served.child.exited).toBeNumber();
    expect((await served.inbox.answer(call)).result).toMatchObject({ _meta: { "dev.kami/failure": "CANCELLED" } });
  });

  test.if(canMeasureCpu)("two servers of one home do not disturb each other", async () => {
    await using first = home.serve();
    await using second = home.serve();
    await Promise.all([first.initialize(), second.initialize()]);
    const call = first.request("tools/call", { name: "spin-long", arguments: {} });
    await awaitLoad(first.child.pid, (load) => load > 0.3);
    expect((await second.ask("tools/call", { name: "echo" })).result).toMatchObject({ structuredContent: {} });
    first.cancel(call);
    expect(await awaitLoad(first.child.pid, (load) => load < 0.1)).toBeLessThan(0.1);
  });

  test("an installation by another process is listed and announced while serving", async () => {
    await using served = home.serve();
    await served.initialize();
    await served.ask("tools/list");
    await home.install(home.makePackage("upper"));
    await served.inbox.find(({ method }) => method === "notifications/tools/list_changed");
    const { result } = await served.ask("tools/list");
    expect(JSON.stringify(result)).toContain('"name":"upper"');
  });
});
