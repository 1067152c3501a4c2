import { describe, expect, test } from "bun:test";
import { BUFFER_LIMIT_BYTES } from "../../../lib/worker/wasi/host.ts";
import type { Fields } from "../../../lib/worker/wasi/http/fields.ts";
import type { IncomingBody, IncomingResponse } from "../../../lib/worker/wasi/http/incoming.ts";
import type { OutgoingBody } from "../../../lib/worker/wasi/http/outgoing-body.ts";
import type { RequestOptions } from "../../../lib/worker/wasi/http/outgoing-request.ts";
import { STREAMS } from "../../../lib/worker/wasi/io.ts";
import { type InputStream, type OutputStream } from "../../../lib/worker/wasi/streams.ts";
import {
  answer,
  begin,
  failureOf,
  fetchWhole,
  makeRequest,
  RawServer,
  readAll,
  saying,
  send,
  trailersOf,
  types,
  writeAll,
} from "../net/http-guest.ts";
import { decode, encode, errorOf, pour, ready, TestCall, Trapped, until } from "../net/support.ts";

function to(server: RawServer, path = "/"): string {
  return `http://127.0.0.1:${server.port}${path}`;
}

function callTo(server: RawServer): TestCall {
  return new TestCall([to(server, "")]);
}

async function consume(call: TestCall, response: IncomingResponse): Promise<IncomingBody> {
  const body = types<IncomingBody>(call, "[method]incoming-response.consume", response);
  response[Symbol.dispose]();
  return await Promise.resolve(body);
}

function options(call: TestCall, name: string, ms: bigint): RequestOptions {
  const made = types<RequestOptions>(call, "[constructor]request-options");
  types(call, `[method]request-options.set-${name}-timeout`, made, ms * 1_000_000n);
  expect(types<bigint>(call, `[method]request-options.${name}-timeout`, made)).toBe(ms * 1_000_000n);
  return made;
}

describe("a request", () => {
  test("is sent as the guest made it, with no field of our own but Host and Connection", async () => {
    using server = saying("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nx-a: 2\r\n\r\nhello");
    using call = callTo(server);
    const told = await fetchWhole(call, to(server, "/a/b?c=%41&d"), { headers: [["X-Mine", "yes"]], method: "Report" });
    expect(told).toEqual({
      status: 200,
      headers: [
        ["Content-Length", "5"],
        ["X-A", "1"],
        ["x-a", "2"],
      ],
      body: "hello",
    });
    expect(server.received).toEqual([
      `Report /a/b?c=%41&d HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nX-Mine: yes\r\nConnection: close\r\n\r\n`,
    ]);
  });

  test("says how long its body is when the guest wrote it before the connection was there", async () => {
    using server = saying("HTTP/1.1 200 OK\r\n\r\n");
    using call = callTo(server);
    await fetchWhole(call, to(server), { method: "POST", body: "hello" });
    expect(server.received).toEqual([
      `POST / HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello`,
    ]);
  });

  test.each([
    ["GET", false, ""],
    ["GET", true, ""],
    ["POST", false, "Content-Length: 0\r\n"],
    ["POST", true, "Content-Length: 0\r\n"],
    ["DELETE", false, ""],
  ])("%s without a byte of body, body taken: %p, says so where a body is expected", async (method, isTaken, line) => {
    using server = saying("HTTP/1.1 200 OK\r\n\r\n");
    using call = callTo(server);
    await fetchWhole(call, to(server), isTaken ? { method, body: "" } : { method });
    expect(server.received).toEqual([
      `${method} / HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n${line}Connection: close\r\n\r\n`,
    ]);
  });

  test("streams a body in chunks while the response comes, with trailers", async () => {
    using server = new RawServer(
      (socket) => void socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    );
    using call = callTo(server);
    const asked = makeRequest(call, to(server), { method: "PUT", headers: [["Trailer", "X-Sum"]] });
    const out = types<OutgoingBody>(call, "[method]outgoing-request.body", asked);
    const response = await answer(call, send(call, asked));
    const stream = types<OutputStream>(call, "[method]outgoing-body.write", out);
    await call.wait(STREAMS, "[method]output-stream.blocking-write-and-flush", stream, encode("one"));
    await until(() => server.received[0]?.endsWith("3\r\none\r\n") === true);
    await call.wait(STREAMS, "[method]output-stream.blocking-write-and-flush", stream, encode("second"));
    await until(() => server.received[0]?.endsWith("6\r\nsecond\r\n") === true);
    stream[Symbol.dispose]();
    const trailers = types<Fields>(call, "[static]fields.from-list", [
      ["X-Sum", encode("9")],
      ["Content-Length", encode("9")],
    ]);
    types(call, "[static]outgoing-body.finish", out, trailers);
    await until(() => server.received[0]?.endsWith("0\r\nX-Sum: 9\r\n\r\n") === true);
    expect(server.received[0]).toContain("\r\nTransfer-Encoding: chunked\r\n");
    response[Symbol.dispose]();
    expect(call.host.handles).toBe(0);
  });

  test("of 1 MiB arrives whole, whatever the server's pace", async () => {
    const bodies: number[] = [];
    using server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: async (incoming) => {
        const bytes = await incoming.bytes();
        bodies.push(bytes.length);
        return new Response(bytes);
      },
    });
    using call = new TestCall([`http://127.0.0.1:${server.port}`]);
    const text = "0123456789abcdef".repeat(65_536);
    const told = await fetchWhole(call, `http://127.0.0.1:${server.port}/`, { method: "POST", body: text });
    expect(bodies).toEqual([text.length]);
    expect(told.body === text).toBe(true);
  });

  test("waits for its turn when 64 are under way", async () => {
    const replies: (() => void)[] = [];
    using server = new RawServer((socket) => {
      replies.push(() => {
        socket.write("HTTP/1.1 204 No Content\r\n\r\n");
        socket.end();
      });
    });
    using call = callTo(server);
    const all = Array.from({ length: 70 }, () => fetchWhole(call, to(server)));
    await until(() => replies.length === 64);
    await Bun.sleep(20);
    expect(server.connections).toBe(64);
    for (const reply of replies) reply();
    await until(() => replies.length === 70);
    for (const reply of replies.slice(64)) reply();
    expect((await Promise.all(all)).every(({ status }) => status === 204)).toBe(true);
  });

  test("passes over interim responses, and keeps trailers", async () => {
    using server = saying(
      "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
        "5;name=value\r\nhello\r\n0\r\nX-Sum: 5\r\nConnection: x\r\n\r\n",
    );
    using call = callTo(server);
    const body = await consume(call, await answer(call, await begin(call, to(server))));
    expect(await readAll(call, body)).toBe("hello");
    const told = await trailersOf(call, body);
    expect(Reflect.get(Object(told), "tag")).toBe("ok");
    const fields: Fields = Reflect.get(Object(told), "value");
    expect(fields.entries.map(([name, value]) => [name, decode(value)])).toEqual([["X-Sum", "5"]]);
    expect(fields.isImmutable).toBe(true);
  });

  test("that is not allowed is denied at once, and noted", async () => {
    using server = saying("HTTP/1.1 200 OK\r\n\r\n");
    using call = new TestCall(["https://example.com/api"]);
    expect(await failureOf(begin(call, to(server, "/path?secret=1")))).toEqual({ tag: "HTTP-request-denied" });
    expect(call.context.denials).toEqual([
      [`net:http://127.0.0.1:${server.port}`, `http://127.0.0.1:${server.port}/path`],
    ]);
    expect(server.connections).toBe(0);
    expect(call.host.handles).toBe(0);
  });

  test.each([
    ["no authority", { authority: undefined }, "HTTP-request-URI-invalid"],
    ["another scheme", { scheme: { tag: "other", value: "ftp" } }, "HTTP-protocol-error"],
    ["a tunnel", { method: { tag: "connect" } }, "HTTP-request-method-invalid"],
    ["a tunnel in other words", { method: { tag: "other", value: "connect" } }, "HTTP-request-method-invalid"],
    ["a path that is too long", { path: `/${"a".repeat(16_384)}` }, "HTTP-request-URI-too-long"],
    ["port 65536", { authority: "127.0.0.1:65536" }, "HTTP-request-URI-invalid"],
  ])("with %s is refused", async (_, changes, tag) => {
    using call = new TestCall(["http://127.0.0.1:1"]);
    const made = Object.assign(makeRequest(call, "http://127.0.0.1:1/"), changes);
    expect(await errorOf(() => send(call, made))).toEqual({ tag });
    expect(call.attempts).toEqual([]);
  });

  test("to a name that does not exist fails with DNS-error", async () => {
    using call = new TestCall(["http://nowhere.test"]);
    expect(await failureOf(fetchWhole(call, "http://nowhere.test/"))).toEqual({
      tag: "DNS-error",
      value: ["NXDOMAIN", undefined],
    });
    expect(call.lookups).toEqual(["nowhere.test"]);
  });

  test("to a closed port fails with connection-refused", async () => {
    using call = new TestCall(["http://127.0.0.1:1"]);
    expect(await failureOf(fetchWhole(call, "http://127.0.0.1:1/"))).toEqual({ tag: "connection-refused" });
  });

  test("tries the next address of a name when one refuses", async () => {
    using server = saying("HTTP/1.1 200 OK\r\n\r\nok");
    using call = new TestCall(["http://two.test"], {
      names: { "two.test": ["93.184.215.1", "93.184.215.2"] },
      routes: { "93.184.215.2:80": server.port },
    });
    expect((await fetchWhole(call, "http://two.test/")).body).toBe("ok");
    expect(call.attempts).toEqual(["93.184.215.1:80", "93.184.215.2:80"]);
    expect(server.received[0]).toStartWith("GET / HTTP/1.1\r\nHost: two.test\r\n");
  });
});

describe("timeouts", () => {
  test("end a request whose response does not begin", async () => {
    using server = new RawServer(() => undefined);
    using call = callTo(server);
    const asked = fetchWhole(call, to(server), { options: options(call, "first-byte", 30n) });
    expect(await failureOf(asked)).toEqual({ tag: "HTTP-response-timeout" });
    await until(() => server.closed === 1);
  });

  test("end a body that does not go on", async () => {
    using server = new RawServer((socket) => void socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"));
    using call = callTo(server);
    const asked = fetchWhole(call, to(server), { options: options(call, "between-bytes", 30n) });
    const failed = await asked.catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: { tag: "connection-read-timeout" }, before: "half" });
    await until(() => server.closed === 1);
  });
});

describe("Content-Length of a request", () => {
  test("stands, and the body has to have it", async () => {
    using server = saying("HTTP/1.1 200 OK\r\n\r\n");
    using call = callTo(server);
    await fetchWhole(call, to(server), { method: "POST", headers: [["content-length", "5"]], body: "hello" });
    expect(server.received[0]).toEndWith("\r\ncontent-length: 5\r\nConnection: close\r\n\r\nhello");
  });

  test("that the body exceeds fails the write", async () => {
    using server = new RawServer(() => undefined);
    using call = callTo(server);
    const asked = begin(call, to(server), { method: "POST", headers: [["Content-Length", "4"]], body: "hello" });
    const error = await errorOf(() => asked);
    expect(types<unknown>(call, "http-error-code", Reflect.get(Object(error), "value"))).toEqual({
      tag: "HTTP-request-body-size",
      value: 5n,
    });
  });

  test("that the body does not reach fails finish, and the server sees no whole request", async () => {
    using server = new RawServer(() => undefined);
    using call = callTo(server);
    const asked = makeRequest(call, to(server), { method: "POST", headers: [["Content-Length", "6"]] });
    const body = types<OutgoingBody>(call, "[method]outgoing-request.body", asked);
    const future = send(call, asked);
    expect(await errorOf(() => writeAll(call, body, "hello"))).toEqual({ tag: "HTTP-request-body-size", value: 5n });
    expect(await failureOf(answer(call, future))).toMatchObject({ tag: "HTTP-request-body-size" });
  });

  test("without a body is refused", async () => {
    using call = new TestCall(["http://127.0.0.1:1"]);
    const made = makeRequest(call, "http://127.0.0.1:1/", { headers: [["Content-Length", "4"]] });
    expect(await errorOf(() => send(call, made))).toEqual({ tag: "HTTP-request-body-size", value: 0n });
  });

  test("that says two things gives no body", async () => {
    using call = new TestCall(["http://127.0.0.1:1"]);
    const headers = [
      ["Content-Length", "4"],
      ["content-length", "5"],
    ] as const;
    const made = makeRequest(call, "http://127.0.0.1:1/", { headers });
    expect(await errorOf(() => types(call, "[method]outgoing-request.body", made))).toBeUndefined();
    expect(await errorOf(() => send(call, made))).toEqual({ tag: "HTTP-protocol-error" });
  });
});

describe("an outgoing-body", () => {
  test("that is dropped before its end makes no whole request", async () => {
    using server = new RawServer(() => undefined);
    using call = callTo(server);
    const asked = makeRequest(call, to(server), { method: "POST" });
    const body = types<OutgoingBody>(call, "[method]outgoing-request.body", asked);
    const future = send(call, asked);
    const stream = types<OutputStream>(call, "[method]outgoing-body.write", body);
    await until(() => server.connections === 1);
    await call.wait(STREAMS, "[method]output-stream.blocking-write-and-flush", stream, encode("half"));
    stream[Symbol.dispose]();
    body[Symbol.dispose]();
    expect(await failureOf(answer(call, future))).toMatchObject({ tag: "HTTP-request-body-size" });
    await until(() => server.closed === 1);
    expect(server.received[0]).not.toContain("0\r\n\r\n");
  });

  test("gives its stream and itself once, and traps when it is finished before its stream is dropped", async () => {
    using call = new TestCall([]);
    const asked = makeRequest(call, "http://127.0.0.1:1/");
    const body = types<OutgoingBody>(call, "[method]outgoing-request.body", asked);
    expect(await errorOf(() => types(call, "[method]outgoing-request.body", asked))).toBeUndefined();
    types<OutputStream>(call, "[method]outgoing-body.write", body);
    expect(await errorOf(() => types(call, "[method]outgoing-body.write", body))).toBeUndefined();
    expect(() => types(call, "[static]outgoing-body.finish", body, undefined)).toThrow(Trapped);
    expect(() => body[Symbol.dispose]()).toThrow(Trapped);
  });

  test("holds 64 KiB before the request is sent, and then makes the guest wait", async () => {
    using call = new TestCall([]);
    const asked = makeRequest(call, "http://127.0.0.1:1/", { method: "POST" });
    const body = types<OutgoingBody>(call, "[method]outgoing-request.body", asked);
    const stream = types<OutputStream>(call, "[method]outgoing-body.write", body);
    expect(call.call(STREAMS, "[method]output-stream.check-write", stream)).toBe(65_536n);
    call.call(STREAMS, "[method]output-stream.write", stream, new Uint8Array(65_536));
    expect(call.call(STREAMS, "[method]output-stream.check-write", stream)).toBe(0n);
    asked[Symbol.dispose]();
    expect(await errorOf(() => call.call(STREAMS, "[method]output-stream.check-write", stream))).toEqual({
      tag: "closed",
    });
  });
});

describe("a response", () => {
  test("is gotten once, and its parts once", async () => {
    using server = saying("HTTP/1.1 200 OK\r\n\r\nhello");
    using call = callTo(server);
    const future = await begin(call, to(server));
    expect(types<unknown>(call, "[method]future-incoming-response.get", future)).toBeUndefined();
    await ready(future.event);
    const got = types<{ value: { value: IncomingResponse } }>(call, "[method]future-incoming-response.get", future);
    expect(types<unknown>(call, "[method]future-incoming-response.get", future)).toEqual({ tag: "error" });
    const response = got.value.value;
    const body = types<IncomingBody>(call, "[method]incoming-response.consume", response);
    expect(await errorOf(() => types(call, "[method]incoming-response.consume", response))).toBeUndefined();
    const headers = types<Fields>(call, "[method]incoming-response.headers", response);
    expect(() => response[Symbol.dispose]()).toThrow(Trapped);
    headers[Symbol.dispose]();
    response[Symbol.dispose]();
    const stream = types<InputStream>(call, "[method]incoming-body.stream", body);
    expect(await errorOf(() => types(call, "[method]incoming-body.stream", body))).toBeUndefined();
    expect(() => types(call, "[static]incoming-body.finish", body)).toThrow(Trapped);
    stream[Symbol.dispose]();
  });

  test("shows no field of the connection", async () => {
    using server = saying(
      "HTTP/1.1 200 OK\r\nConnection: close\r\nKeep-Alive: 5\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a\r\n\r\n0\r\n\r\n",
    );
    using call = callTo(server);
    expect((await fetchWhole(call, to(server))).headers).toEqual([["Set-Cookie", "a"]]);
  });

  test.each([
    ["HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"],
    ["GET", "HTTP/1.1 204 No Content\r\nContent-Length: 500\r\n\r\n"],
    ["GET", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ])("to %s that has no body has none: %p", async (method, text) => {
    using server = saying(text);
    using call = callTo(server);
    expect((await fetchWhole(call, to(server), { method })).body).toBe("");
  });

  test("that is dropped unread closes its connection", async () => {
    using server = new RawServer((socket) => void socket.write("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"));
    using call = callTo(server);
    const response = await answer(call, await begin(call, to(server)));
    response[Symbol.dispose]();
    await until(() => server.closed === 1);
  });

  test("that was not read to its end is passed over for its trailers", async () => {
    using server = saying("HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + "a".repeat(200_000));
    using call = callTo(server);
    const body = await consume(call, await answer(call, await begin(call, to(server))));
    expect(await trailersOf(call, body)).toEqual({ tag: "ok", value: undefined });
  });

  test("that nobody reads is not received beyond the buffers", async () => {
    let sent = 0;
    using server = new RawServer((socket) => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      sent += pour(socket);
      const timer = setInterval(() => {
        if (socket.readyState === 1) sent += pour(socket);
        else clearInterval(timer);
      }, 1);
    });
    using call = callTo(server);
    const response = await answer(call, await begin(call, to(server)));
    await Bun.sleep(100);
    // What the system's own buffers hold, and no more.
    expect(sent).toBeGreaterThan(65_536);
    expect(sent).toBeLessThan(16_777_216);
    response[Symbol.dispose]();
  });
});

test("a request gives back all of the call's buffers, however it ends", async () => {
  using server = saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n");
  using broken = saying("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello");
  using call = new TestCall([to(server, ""), to(broken, "")]);
  await fetchWhole(call, to(server), { method: "POST", body: "a".repeat(100_000) });
  const response = await answer(call, await begin(call, to(server)));
  response[Symbol.dispose]();
  const unread = await begin(call, to(server));
  await ready(unread.event);
  unread[Symbol.dispose]();
  (await begin(call, to(server)))[Symbol.dispose]();
  expect(await failureOf(fetchWhole(call, to(broken)))).toEqual({ tag: "HTTP-response-incomplete" });
  await until(() => server.closed === server.connections);
  expect(call.host.takeBuffer(BUFFER_LIMIT_BYTES)).toBe(true);
});

describe("the end of a call", () => {
  test("closes what its requests have open, and the server sees it", async () => {
    using server = new RawServer(() => undefined);
    const call = callTo(server);
    await begin(call, to(server));
    await begin(call, to(server));
    await until(() => server.received.filter((text) => text !== "").length === 2);
    call[Symbol.dispose]();
    await until(() => server.closed === 2);
  });
});
