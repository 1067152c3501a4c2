/**
 * Requests whose replies were given beforehand, and requests whose replies are recorded.
 */
import { describe, expect, test } from "bun:test";
import { DENY_ALL } from "../../../../lib/policy/policy.ts";
import { type GivenReply, type Rehearsal, REHEARSAL_LIMITS } from "../../../../lib/policy/rehearsal.ts";
import { NetFailure } from "../../../../lib/worker/net/failure.ts";
import { networkOf } from "../../../../lib/worker/net/network.ts";
import { Host } from "../../../../lib/worker/wasi/host.ts";
import { begin, fetchWhole, saying } from "../http-guest.ts";
import { errorOf, FakeContext, TestCall } from "../support.ts";

const URL_A = "https://example.com/a";
const text = (body: string, reply: Partial<GivenReply> = {}): GivenReply => ({
  method: "GET",
  url: URL_A,
  status: 200,
  headers: [],
  body: Buffer.from(body),
  ...reply,
});

function rehearsing(rehearsal: Rehearsal, rules: readonly string[] = ["example.com"]): TestCall {
  return new TestCall(rules, {}, { rehearsal });
}

describe("requests with given replies", () => {
  test("get those of their method and URL, in order, the last one again and again, and look up nothing", async () => {
    const other = text("posted", { method: "POST", status: 201, headers: [["x-a", "ü"]] });
    using call = rehearsing({ kind: "replay", replies: [text("1"), other, text("2")] });
    const bodies = [];
    for (let turn = 0; turn < 3; turn += 1) bodies.push((await fetchWhole(call, URL_A)).body);
    expect(bodies).toEqual(["1", "2", "2"]);
    const large = "x".repeat(200_000);
    expect(await fetchWhole(call, URL_A, { method: "POST", body: large })).toMatchObject({
      status: 201,
      body: "posted",
    });
    expect([call.lookups, call.attempts]).toEqual([[], []]);
    expect(call.host.rehearsed?.made.map(({ method, outcome, reply }) => [method, outcome, reply])).toEqual([
      ["GET", "answered", undefined],
      ["GET", "answered", undefined],
      ["GET", "answered", undefined],
      ["POST", "answered", undefined],
    ]);
  });

  test("are denied without a reply, and without a rule even with one", async () => {
    const secret = text("secret", { url: "http://127.0.0.1/" });
    using call = rehearsing({ kind: "replay", replies: [text("1"), secret] });
    for (const url of ["https://example.com/b", "https://example.com/a?b", "http://127.0.0.1/", "http://example.com/c"])
      expect(await errorOf(() => begin(call, url))).toEqual({ tag: "HTTP-request-denied" });
    expect(await errorOf(() => begin(call, URL_A, { method: "PUT" }))).toEqual({ tag: "HTTP-request-denied" });
    expect(call.host.rehearsed?.made.map(({ outcome }) => outcome)).toEqual([
      "unknown",
      "unknown",
      "denied",
      "unknown",
      "unknown",
    ]);
    expect(call.context.denials[0]).toEqual(["net:https://example.com", "https://example.com/b"]);
  });

  test("are listed up to a limit, and denied beyond it", async () => {
    using call = rehearsing({ kind: "replay", replies: [text("1")] });
    for (let turn = 0; turn < REHEARSAL_LIMITS.requests; turn += 1) await fetchWhole(call, URL_A);
    expect(await errorOf(() => begin(call, URL_A))).toEqual({ tag: "HTTP-request-denied" });
    expect(call.host.rehearsed?.made.length).toBe(REHEARSAL_LIMITS.requests);
  });

  test("leave no other way to the network", async () => {
    using host = new Host(new FakeContext(), { ...DENY_ALL, rehearsal: { kind: "replay", replies: [] } });
    const network = networkOf(host);
    expect(await network.resolve("localhost").catch((error: unknown) => error)).toEqual(new NetFailure("name-unknown"));
    const to = { address: "127.0.0.1", port: 9 };
    expect(() => network.ambient.connect({ to, from: undefined, secureName: undefined })).toThrow("no network");
    expect(() => network.ambient.listen(to, 1)).toThrow("no network");
  });
});

describe("requests that are recorded", () => {
  test("keep what the guest was given", async () => {
    using server = saying(
      "HTTP/1.1 200 OK\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    );
    const url = `http://127.0.0.1:${server.port}/`;
    using call = rehearsing({ kind: "record" }, [`http://127.0.0.1:${server.port}`]);
    await fetchWhole(call, url);
    const reply = { status: 200, headers: [["X-A", "b"]], body: new TextEncoder().encode("abcde") };
    expect(call.host.rehearsed?.made).toMatchObject([{ method: "GET", url, outcome: "answered", reply }]);
  });

  test("keep no body beyond the limit, and nothing of a request that failed", async () => {
    const length = REHEARSAL_LIMITS.bodyBytes + 1;
    await using server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("x".repeat(length)) });
    using cut = saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab");
    const rules = [server.port, 1, cut.port].map((port) => `http://127.0.0.1:${port}`);
    using call = rehearsing({ kind: "record" }, rules);
    expect((await fetchWhole(call, `http://127.0.0.1:${server.port}/`)).body.length).toBe(length);
    await fetchWhole(call, "http://127.0.0.1:1/").catch(() => undefined);
    await fetchWhole(call, `http://127.0.0.1:${cut.port}/`).catch(() => undefined);
    expect(call.host.rehearsed?.made.map(({ outcome, reply }) => [outcome, reply])).toEqual([
      ["failed", undefined],
      ["failed", undefined],
      ["failed", undefined],
    ]);
  });
});
