/**
 * Servers that break the protocol, lie or never end. Each failure is the error code that the standard has for it, and the connection is closed.
 */
import { describe, expect, test } from "bun:test";
import type { Socket } from "bun";
import { TRAFFIC_LIMIT_BYTES } from "../../../../lib/worker/net/network.ts";
import type { IncomingBody } from "../../../../lib/worker/wasi/http/incoming.ts";
import { answer, begin, failureOf, fetchWhole, RawServer, saying, trailersOf, types } from "../http-guest.ts";
import { TestCall, until } from "../support.ts";

const OK = "HTTP/1.1 200 OK\r\n";
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

/** Sends the same again and again, as fast as it is taken, until somebody closes. */
function pour(socket: Socket<number>, piece: string): void {
  const bytes = Buffer.from(piece.repeat(Math.ceil(65_536 / piece.length)), "latin1");
  let rest = bytes;
  const more = (): void => {
    for (let sent = 1; sent > 0;) {
      sent = socket.write(rest);
      if (sent > 0) rest = sent < rest.length ? rest.subarray(sent) : bytes;
    }
    if (socket.readyState === 1) setTimeout(more, 1);
  };
  more();
}

async function fail(server: RawServer): Promise<unknown> {
  using call = new TestCall([`http://127.0.0.1:${server.port}`]);
  const code = await failureOf(fetchWhole(call, `http://127.0.0.1:${server.port}/`));
  await until(() => server.closed === server.connections);
  return code;
}

describe("a response that is none", () => {
  test.each([
    ["another protocol", "SSH-2.0-OpenSSH_9.6\r\n\r\n"],
    ["HTTP/2", "HTTP/2 200 OK\r\n\r\n"],
    ["HTTP/0.9", "hello\r\n\r\n"],
    ["no status", "HTTP/1.1 OK\r\n\r\n"],
    ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"],
    ["status 600", "HTTP/1.1 600 OK\r\n\r\n"],
    ["status 099", "HTTP/1.1 099 OK\r\n\r\n"],
    ["two spaces", "HTTP/1.1  200 OK\r\n\r\n"],
    ["a line that ends in LF", "HTTP/1.1 200 OK\nX: y\n\n"],
    ["a field that ends in LF", `${OK}X: y\n\r\n`],
    ["a lone CR in a field", `${OK}X: y\rZ: a\r\n\r\n`],
    ["NUL in a field", `${OK}X: y\0\r\n\r\n`],
    ["NUL in the reason", "HTTP/1.1 200 O\0K\r\n\r\n"],
    ["a field without a colon", `${OK}X\r\n\r\n`],
    ["a field without a name", `${OK}: y\r\n\r\n`],
    ["a space before the colon", `${OK}X : y\r\n\r\n`],
    ["a field that goes on", `${OK}X: y\r\n z\r\n\r\n`],
    ["a name that is no token", `${OK}X(y): z\r\n\r\n`],
    ["two lengths", `${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`],
    ["a negative length", `${OK}Content-Length: -1\r\n\r\n`],
    ["a hexadecimal length", `${OK}Content-Length: 0x5\r\n\r\nhello`],
    ["a list of lengths", `${OK}Content-Length: 5, 5\r\n\r\nhello`],
    ["a length of 20 digits", `${OK}Content-Length: 99999999999999999999\r\n\r\nhello`],
    ["a chunk without a size", `${CHUNKED}\r\nhello\r\n0\r\n\r\n`],
    ["a chunk's size with a sign", `${CHUNKED}+5\r\nhello\r\n0\r\n\r\n`],
    ["a chunk's size with 0x", `${CHUNKED}0x5\r\nhello\r\n0\r\n\r\n`],
    ["a chunk's size of 13 digits", `${CHUNKED}fffffffffffff\r\nhello`],
    ["a chunk longer than its size", `${CHUNKED}4\r\nhello\r\n0\r\n\r\n`],
    ["a trailer that is none", `${CHUNKED}0\r\nX y\r\n\r\n`],
  ])("%s is a protocol error", async (_, text) => {
    using server = saying(text);
    expect(await fail(server)).toEqual({ tag: "HTTP-protocol-error" });
  });

  test.each([
    ["nothing", ""],
    ["half a status line", "HTTP/1.1 2"],
    ["half a head", `${OK}X: y\r\n`],
    ["less than its Content-Length", `${OK}Content-Length: 6\r\n\r\nhello`],
    ["a chunk cut off", `${CHUNKED}5\r\nhel`],
    ["no last chunk", `${CHUNKED}5\r\nhello\r\n`],
    ["half its trailers", `${CHUNKED}0\r\nX: y\r\n`],
    ["only an interim response", "HTTP/1.1 100 Continue\r\n\r\n"],
  ])("%s is incomplete", async (_, text) => {
    using server = saying(text);
    expect(await fail(server)).toEqual({ tag: "HTTP-response-incomplete" });
  });

  test.each([
    ["gzip, chunked", "gzip, chunked"],
    ["identity", "identity"],
    ["chunked, chunked", "chunked, chunked"],
  ])("with the transfer coding %s fails", async (_, coding) => {
    using server = saying(`${OK}Transfer-Encoding: ${coding}\r\n\r\n`);
    expect(await fail(server)).toEqual({ tag: "HTTP-response-transfer-coding", value: coding });
  });

  test("that is an upgrade nobody asked for fails", async () => {
    using server = saying("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n");
    expect(await fail(server)).toEqual({ tag: "HTTP-upgrade-failed" });
  });

  test("with Content-Length and chunks is read by its chunks, and nothing behind it", async () => {
    using server = saying(
      `${OK}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n${OK}\r\nsmuggled`,
    );
    using call = new TestCall([`http://127.0.0.1:${server.port}`]);
    expect((await fetchWhole(call, `http://127.0.0.1:${server.port}/`)).body).toBe("hello");
  });

  test("that is longer than its Content-Length is cut there", async () => {
    using server = saying(`${OK}Content-Length: 3\r\n\r\nhello`);
    using call = new TestCall([`http://127.0.0.1:${server.port}`]);
    expect((await fetchWhole(call, `http://127.0.0.1:${server.port}/`)).body).toBe("hel");
  });

  test("that was reset in the middle is incomplete", async () => {
    using server = new RawServer((socket) => {
      socket.write(`${OK}Content-Length: 100\r\n\r\nhello`);
      setTimeout(() => socket.terminate(), 20);
    });
    expect(await fail(server)).toEqual({ tag: "HTTP-response-incomplete" });
  });

  test("that was reset before it began is a connection that ended", async () => {
    using server = new RawServer((socket) => socket.terminate());
    expect(await fail(server)).toEqual({ tag: "connection-terminated" });
  });
});

describe("a response without end", () => {
  test.each([
    ["in its status line", "H", { tag: "HTTP-protocol-error" }],
    ["in one field", "a", { tag: "HTTP-response-header-size", value: [undefined, 32_768] }],
    ["in many fields", "X-Header: y\r\n", { tag: "HTTP-response-header-section-size", value: 65_536 }],
    ["in interim responses", "HTTP/1.1 102 Processing\r\n\r\n", { tag: "HTTP-protocol-error" }],
  ])("%s is given up", async (where, piece, code) => {
    using server = new RawServer((socket) => {
      if (where.includes("field")) socket.write(OK);
      pour(socket, piece);
    });
    expect(await fail(server)).toEqual(code);
  });

  test.each([
    ["one below", 25_520, true],
    ["at", 25_521, true],
    ["one above", 25_522, false],
  ])("a header section %s the limit of 64 KiB", async (_, last, isTaken) => {
    // Each line has its name, a colon, a space, and two bytes at its end.
    const first = `A: ${"a".repeat(20_000)}\r\nB: ${"b".repeat(20_000)}`;
    const second = `C: ${"c".repeat(last)}`;
    using server = saying(`${OK}${first}\r\n${second}\r\n\r\n`);
    using call = new TestCall([`http://127.0.0.1:${server.port}`]);
    const told = await fetchWhole(call, `http://127.0.0.1:${server.port}/`).catch(() => undefined);
    expect(told?.status).toBe(isTaken ? 200 : undefined);
  });

  test.each([
    ["in its body", `${OK}\r\n`, "0123456789abcdef"],
    ["in its chunks", CHUNKED, `400\r\n${"a".repeat(1024)}\r\n`],
    ["in the extensions of its chunks", CHUNKED, `1;${"x".repeat(1000)}\r\na\r\n`],
  ])("%s ends with the bytes that a call may receive", async (_, head, piece) => {
    using server = new RawServer((socket) => {
      socket.write(head);
      pour(socket, piece);
    });
    using call = new TestCall([`http://127.0.0.1:${server.port}`]);
    const response = await answer(call, await begin(call, `http://127.0.0.1:${server.port}/`));
    const body = types<IncomingBody>(call, "[method]incoming-response.consume", response);
    // Passing over it is the fastest way to read it.
    expect(await trailersOf(call, body)).toEqual({
      tag: "error",
      value: { tag: "HTTP-response-body-size", value: undefined },
    });
    await until(() => server.closed === 1);
    expect(TRAFFIC_LIMIT_BYTES).toBe(67_108_864);
  });

  test("in its trailers is given up", async () => {
    using server = new RawServer((socket) => {
      socket.write(`${CHUNKED}0\r\n`);
      pour(socket, "X-Trailer: y\r\n");
    });
    expect(await fail(server)).toEqual({ tag: "HTTP-response-trailer-section-size", value: 65_536 });
  });
});

describe("a slow server", () => {
  test("that drips its head byte by byte is read as any other", async () => {
    const text = `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n`;
    using server = new RawServer((socket) => {
      let at = 0;
      const drip = (): void => {
        if (at < text.length) {
          socket.write(text.slice(at, at + 1));
          at += 1;
          setTimeout(drip, 0);
        } else socket.end();
      };
      drip();
    });
    using call = new TestCall([`http://127.0.0.1:${server.port}`]);
    expect((await fetchWhole(call, `http://127.0.0.1:${server.port}/`)).body).toBe("hello");
  });

  test("that drips for ever is left when the call ends", async () => {
    using server = new RawServer((socket) => {
      socket.write(`${OK}\r\n`);
      const timer = setInterval(() => {
        if (socket.readyState === 1) socket.write(".");
        else clearInterval(timer);
      }, 5);
    });
    const call = new TestCall([`http://127.0.0.1:${server.port}`]);
    const told = fetchWhole(call, `http://127.0.0.1:${server.port}/`).catch(() => "left");
    await until(() => server.received.length === 1);
    await Bun.sleep(50);
    call[Symbol.dispose]();
    await until(() => server.closed === 1);
    void told;
  });
});

test("a gzip bomb is as large as what was sent: nothing is decompressed", async () => {
  const bomb = Bun.gzipSync(new Uint8Array(50_000_000));
  using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => new Response(bomb, { headers: { "Content-Encoding": "gzip" } }),
  });
  using call = new TestCall([`http://127.0.0.1:${server.port}`]);
  const told = await fetchWhole(call, `http://127.0.0.1:${server.port}/`);
  expect(told.body).toHaveLength(bomb.length);
  expect(told.headers).toContainEqual(["Content-Encoding", "gzip"]);
});
