/**
 * A real guest, in a Worker, that asks for addresses which it may not reach: `fixtures/guests/http-get`. Checked from outside: the servers of this
 * machine saw no connection, and nothing is open when a call has ended.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { compileComponent } from "../../lib/component/compile.ts";
import { compileArtifact } from "../../lib/component/loadable.ts";
import { Executor } from "../../lib/executor/executor.ts";
import type { Settled } from "../../lib/executor/settled.ts";
import { DENY_ALL } from "../../lib/policy/policy.ts";
import { RawServer, saying } from "../worker/net/http-guest.ts";
import { rules, until } from "../worker/net/support.ts";

const COMPONENT = join(import.meta.dir, "../../fixtures/guests/http-get/http-get.wasm");
const LIMITS = { fuel: 100_000_000, memoryBytes: 16_777_216, timeoutMs: 5000 };

/** Cases of `error-code`, as the guest prints them: by number. */
const DENIED = 15;
const INVALID = 18;

let artifact: Awaited<ReturnType<typeof compileArtifact>>;
let executor: Executor;
beforeAll(async () => {
  artifact = await compileArtifact(await compileComponent(await Bun.file(COMPONENT).bytes()));
  executor = new Executor({ concurrency: 2, queueLimit: 1000 });
});
afterAll(() => executor[Symbol.dispose]());

interface Options {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

function get(authority: string, entries: readonly string[], options: Options = {}): Promise<Settled> {
  return executor.call({
    artifact,
    input: JSON.stringify({ authority }),
    limits: { ...LIMITS, timeoutMs: options.timeoutMs ?? LIMITS.timeoutMs },
    policy: { ...DENY_ALL, network: rules(entries) },
    client: "",
    signal: options.signal,
  });
}

function outputOf(settled: Settled): unknown {
  return settled.ok ? JSON.parse(settled.output) : settled.failure.code;
}

test("the guest reaches what it may", async () => {
  using server = saying("HTTP/1.1 204 No Content\r\n\r\n");
  const authority = `127.0.0.1:${server.port}`;
  expect(outputOf(await get(authority, [`http://${authority}`]))).toEqual({ status: 204 });
  expect(server.connections).toBe(1);
});

describe.each([
  ["one other host", ["http://allowed.invalid"]],
  ["one other port", ["http://127.0.0.1:1"]],
  ["this port of this machine over TLS", ["https://127.0.0.1:PORT"]],
  ["this port of this machine over TCP", ["tcp://127.0.0.1:PORT"]],
  ["one path of it", ["http://127.0.0.1:PORT/api"]],
  ["any public host", ["http://*:PORT"]],
])("a guest that may reach %s", (_, entries) => {
  test.each([
    "127.0.0.1:PORT",
    "127.1:PORT",
    "127.0.0.1.:PORT",
    "0.0.0.0:PORT",
    "0:PORT",
    "2130706433:PORT",
    "0x7f000001:PORT",
    "0177.0.0.1:PORT",
    "localhost:PORT",
    "LOCALHOST.:PORT",
    "a.localhost:PORT",
    "[::1]:PORT",
    "[::]:PORT",
    "[::ffff:127.0.0.1]:PORT",
    "[::ffff:7f00:1]:PORT",
    "[64:ff9b::7f00:1]:PORT",
    "[2002:7f00:1::]:PORT",
    "10.0.0.1:PORT",
    "192.168.0.1:PORT",
    "169.254.169.254:PORT",
    "[fd00:ec2::254]:PORT",
    "allowed.invalid@127.0.0.1:PORT",
    "127.0.0.1:PORT@allowed.invalid",
    "127.0.0.1:PORT#.allowed.invalid",
    "127.0.0.1:PORT/api",
    "127.0.0.1%00.allowed.invalid:PORT",
    "[fe80::1%25lo]:PORT",
  ])("does not reach %s", async (authority) => {
    using server = saying("HTTP/1.1 200 OK\r\n\r\n");
    const port = String(server.port);
    const fill = (text: string): string => text.replaceAll("PORT", port);
    const told = outputOf(await get(fill(authority), entries.map(fill)));
    const refusals: readonly unknown[] = [
      { refused: "request" },
      { refused: "handle", code: DENIED },
      { refused: "handle", code: INVALID },
    ];
    expect(refusals).toContainEqual(told);
    expect(server.connections).toBe(0);
  });
});

describe("a guest that waits for a server that never answers", () => {
  test.each(["deadline", "cancel"])("is ended by its %s, and nothing of it is left open", async (how) => {
    using server = new RawServer(() => undefined);
    const authority = `127.0.0.1:${server.port}`;
    const before = sockets();
    const cancel = new AbortController();
    const call = get(authority, [`http://${authority}`], {
      timeoutMs: how === "deadline" ? 200 : 5000,
      signal: cancel.signal,
    });
    await until(() => server.received[0]?.endsWith("\r\n\r\n") === true);
    if (how === "cancel") cancel.abort();
    expect(outputOf(await call)).toBe(how === "deadline" ? "DEADLINE_EXCEEDED" : "CANCELLED");
    await until(() => server.closed === 1 && sockets() === before);
  });
});

/** Sockets that this process, and so its Workers, have open. */
function sockets(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:");
    } catch {
      return false;
    }
  }).length;
}
