import { describe, expect, test } from "bun:test";
import { Writable } from "node:stream";
import { MESSAGE_LIMIT_BYTES } from "../../lib/mcp/message.ts";
import { BACKLOG_LIMIT_BYTES } from "../../lib/mcp/wire.ts";
import { Conversation } from "./support/conversation.ts";
import { succeed, TestHost, untilCancelled } from "./support/host.ts";

const PING = '{"jsonrpc":"2.0","id":"p","method":"ping"}';

describe("serveOverStdio()", () => {
  test("answers what it cannot read, and goes on", async () => {
    await using client = new Conversation(new TestHost());
    await client.initialize();
    client.raw("{broken\n");
    client.raw(Uint8Array.from([0xc3, 0x28, 0x0a]));
    client.raw(`[${PING}]\n`);
    client.raw("\n\r\n");
    expect((await client.ask("ping")).result).toEqual({});
    expect(client.inbox.messages.filter(({ id }) => id === undefined).map(({ error }) => error)).toEqual([
      { code: -32_700, message: "Parse error: the message is not JSON" },
      { code: -32_700, message: "Parse error: the message is not UTF-8" },
      { code: -32_600, message: "Invalid request: batches are not supported" },
    ]);
    expect(client.log).toEqual([
      "MCP: Parse error: the message is not JSON",
      "MCP: Parse error: the message is not UTF-8",
      "MCP: Invalid request: batches are not supported",
    ]);
  });

  test.each([
    { length: MESSAGE_LIMIT_BYTES - 1, fits: true },
    { length: MESSAGE_LIMIT_BYTES, fits: true },
    { length: MESSAGE_LIMIT_BYTES + 1, fits: false },
  ])("survives a line of $length bytes", async ({ length, fits }) => {
    await using client = new Conversation(new TestHost());
    await client.initialize();
    const line = PING.padEnd(length, " ");
    for (let start = 0; start < length; start += 65_536) client.raw(line.slice(start, start + 65_536));
    client.raw("\n");
    const answer = await client.inbox.find(({ id, error }) => id === "p" || error !== undefined);
    expect(answer).toEqual(
      fits
        ? { jsonrpc: "2.0", id: "p", result: {} }
        : {
            jsonrpc: "2.0",
            error: { code: -32_600, message: "Invalid request: the message has more than 10485760 bytes" },
          },
    );
    expect((await client.ask("ping")).result).toEqual({});
  });

  test("answers what came just before the end of stdin, and interrupts the calls", async () => {
    const host = new TestHost().install({ id: "dev.x.slow" }, untilCancelled);
    const client = new Conversation(host);
    const clientInfo = { name: "test", version: "1" };
    client.request("initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo });
    client.request("tools/list");
    client.request("tools/call", { name: "slow" });
    client.stdin.end(PING);
    await client.ended;
    expect(new Set(client.inbox.messages.map(({ id }) => id))).toEqual(new Set([1, 2, 3, "p"]));
    expect(client.inbox.messages).toHaveLength(4);
    expect((await client.inbox.answer(3)).result).toMatchObject({ _meta: { "dev.kami/failure": "CANCELLED" } });
  });

  test("ends when its signal aborts, with the calls interrupted", async () => {
    const stop = new AbortController();
    const host = new TestHost().install({ id: "dev.x.slow" }, untilCancelled);
    const client = new Conversation(host, { signal: stop.signal });
    await client.initialize();
    const call = client.request("tools/call", { name: "slow" });
    await client.ask("ping");
    stop.abort();
    await client.ended;
    expect((await client.inbox.answer(call)).result).toMatchObject({ _meta: { "dev.kami/failure": "CANCELLED" } });
  });

  test("ends at once when its signal has aborted before", async () => {
    await new Conversation(new TestHost(), { signal: AbortSignal.abort() }).ended;
  });

  test("waits for a call that takes its time to settle after the interrupt", async () => {
    const { promise: mayEnd, resolve: letEnd } = Promise.withResolvers<void>();
    const host = new TestHost().install({ id: "dev.x.slow" }, async (arrival) => {
      const result = await untilCancelled(arrival);
      await mayEnd;
      return result;
    });
    const client = new Conversation(host);
    await client.initialize();
    client.request("tools/call", { name: "slow" });
    await client.ask("ping");
    client.stdin.end();
    let hasEnded = false;
    const ended = client.ended.then(() => (hasEnded = true));
    while (host.arrivals[0]?.signal.aborted !== true) await Bun.sleep(1);
    expect(hasEnded).toBe(false);
    letEnd();
    await ended;
  });

  test("ends when stdout breaks, with the calls interrupted", async () => {
    const host = new TestHost().install({ id: "dev.x.slow" }, untilCancelled);
    const stdout = new Writable({ write: (_chunk, _encoding, done) => done(new Error("EPIPE")) });
    const client = new Conversation(host, { stdout });
    client.request("tools/call", { name: "slow" });
    client.request("ping");
    await client.ended;
    expect(host.arrivals.map(({ signal }) => signal.aborted)).toEqual([true]);
    expect(client.log).toContain("MCP: EPIPE");
  });

  test("stops reading while the client does not, and catches up", async () => {
    const host = new TestHost().install({ id: "dev.x.big", described: { outputSchema: { type: "object" } } }, () =>
      Promise.resolve(succeed("x".repeat(1_000_000))),
    );
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const written: number[] = [];
    const stdout = new Writable({
      write: async (chunk: Uint8Array, _encoding, done) => {
        written.push(chunk.length);
        await held;
        done();
      },
    });
    const client = new Conversation(host, { stdout });
    for (let index = 0; index < 40; index += 1) {
      client.request("tools/call", { name: "big" });
      await Bun.sleep(0);
    }
    while (!client.stdin.isPaused()) await Bun.sleep(1);
    const enough = Math.ceil(BACKLOG_LIMIT_BYTES / 1_000_000);
    expect(host.arrivals.length).toBeGreaterThanOrEqual(enough);
    expect(host.arrivals.length).toBeLessThan(40);
    release();
    while (written.length < 40) await Bun.sleep(1);
    expect(client.stdin.isPaused()).toBe(false);
    await client[Symbol.asyncDispose]();
  });

  test("waits at its end until the client has read the last answer, but not for ever", async () => {
    for (const reads of [true, false]) {
      const { promise: written, resolve: letWrite } = Promise.withResolvers<void>();
      let taken = 0;
      const stdout = new Writable({
        write: async (_chunk, _encoding, done) => {
          await written;
          taken += 1;
          done();
        },
      });
      const client = new Conversation(new TestHost(), { stdout });
      client.request("ping");
      client.stdin.end();
      if (reads) setTimeout(letWrite, 50);
      await client.ended;
      expect(taken).toBe(reads ? 1 : 0);
    }
  });
});
