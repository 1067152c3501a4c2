import { describe, expect, test } from "bun:test";
import { Exchanges } from "../../../lib/mcp/http/exchanges.ts";
import { addressKey, Rates } from "../../../lib/mcp/http/rates.ts";

const LIMITS = { total: 3, perClient: 2, waitingBytes: 1000, bodyBytes: 100_000 };
const person = (id: string) => ({ id, tools: ["*"], callsPerMinute: undefined });
const alive = (): AbortSignal => new AbortController().signal;

describe("Exchanges", () => {
  test("takes two of one client and three in all", () => {
    const exchanges = new Exchanges(LIMITS);
    const first = exchanges.begin(person("a"));
    exchanges.begin(person("a"));
    expect(() => exchanges.begin(person("a"))).toThrow(expect.objectContaining({ code: "HTTP_RATE_LIMITED" }));
    exchanges.begin(person("b"));
    expect(() => exchanges.begin(person("c"))).toThrow(expect.objectContaining({ code: "HTTP_OVERLOADED" }));
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    exchanges.begin(person("c"));
    expect(exchanges.pending).toBe(3);
  });

  test("counts an answer until it is read", async () => {
    const exchanges = new Exchanges(LIMITS);
    const response = exchanges.deliver(new Response("x".repeat(500)), exchanges.begin(person("a")), alive());
    await Bun.sleep(1);
    expect([exchanges.waitingBytes, exchanges.pending]).toEqual([500, 1]);
    expect(await response.text()).toBe("x".repeat(500));
    expect([exchanges.waitingBytes, exchanges.pending]).toEqual([0, 0]);
  });

  test("counts all of an answer until its last part is read: what is left keeps the whole in memory", async () => {
    const exchanges = new Exchanges({ ...LIMITS, waitingBytes: 1_000_000 });
    const whole = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(new Uint8Array(200_000));
        controller.close();
      },
    });
    const answer = new Response(whole);
    const response = exchanges.deliver(answer, exchanges.begin(person("a")), alive());
    const reader = response.body?.getReader();
    const counted: number[] = [];
    for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
      counted.push(exchanges.waitingBytes);
    }
    expect(counted).toEqual([200_000, 200_000, 200_000, 0]);
    expect(exchanges.pending).toBe(0);
  });

  test("takes no request while too much is unread, and gives up what is beyond twice as much", async () => {
    const exchanges = new Exchanges(LIMITS);
    exchanges.deliver(new Response("x".repeat(1001)), exchanges.begin(person("a")), alive());
    const other = exchanges.begin(person("b"));
    await Bun.sleep(1);
    expect(() => exchanges.begin(person("c"))).toThrow(expect.objectContaining({ code: "HTTP_OVERLOADED" }));
    const cut = exchanges.deliver(new Response("x".repeat(1000)), other, alive());
    expect(await cut.text()).toBe("");
    expect(exchanges.waitingBytes).toBe(1001);
  });

  test("forgets an answer whose client has gone, before it is there or while it comes", async () => {
    const exchanges = new Exchanges(LIMITS);
    let cancelled = 0;
    const endless = (): Response =>
      new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(new Uint8Array(100)),
          cancel: () => void (cancelled += 1),
        }),
      );
    exchanges.deliver(endless(), exchanges.begin(person("a")), AbortSignal.abort());
    const client = new AbortController();
    exchanges.deliver(endless(), exchanges.begin(person("a")), client.signal);
    await Bun.sleep(1);
    client.abort();
    await Bun.sleep(1);
    expect([cancelled, exchanges.waitingBytes, exchanges.pending]).toEqual([2, 0, 0]);
  });

  test("counts large bodies until their exchange ends, and small ones never", () => {
    const exchanges = new Exchanges(LIMITS);
    const large = exchanges.begin(person("a"));
    large.hold(65_536);
    large.hold(100_000);
    const small = exchanges.begin(person("b"));
    small.hold(65_536);
    expect(() => small.hold(1)).toThrow(expect.objectContaining({ code: "HTTP_OVERLOADED" }));
    large[Symbol.dispose]();
    small.hold(99_999);
  });

  test("waits for requests, and not for streams", async () => {
    const exchanges = new Exchanges(LIMITS);
    exchanges.begin(person("a")).markStream();
    const request = exchanges.begin(person("a"));
    const idle = exchanges.idle().then(() => "idle");
    expect(await Promise.race([idle, Bun.sleep(5)])).toBeUndefined();
    request[Symbol.dispose]();
    expect(await idle).toBe("idle");
  });
});

describe("Rates", () => {
  test("gives what a bucket holds, then what flows in", () => {
    let now = 0;
    const rates = new Rates(() => now);
    expect([rates.take("a", 2), rates.take("a", 2), rates.take("a", 2)]).toEqual([0, 0, 30_000]);
    expect(rates.take("b", 2)).toBe(0);
    now = 29_999;
    expect(rates.take("a", 2)).toBeGreaterThan(0);
    now = 30_001;
    expect([rates.take("a", 2), rates.take("a", 2) > 0]).toEqual([0, true]);
  });

  test("remembers ten thousand keys", () => {
    const rates = new Rates(() => 0);
    rates.take("first", 1);
    for (let at = 0; at < 9999; at++) rates.take(`k${at}`, 1);
    expect(rates.take("first", 1)).toBeGreaterThan(0);
    for (let at = 0; at < 10_001; at++) rates.take(`l${at}`, 1);
    expect(rates.take("first", 1)).toBe(0);
  });
});

describe("addressKey()", () => {
  test.each([
    [undefined, "local"],
    ["10.0.0.1", "10.0.0.1"],
    ["::ffff:10.0.0.1", "10.0.0.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:db8::1", "2001:db8:0:0"],
    ["2001:db8::9", "2001:db8:0:0"],
    ["::1", "0:0:0:0"],
  ])("of %p is %p", (address, key) => {
    expect(addressKey(address)).toBe(key);
  });
});
