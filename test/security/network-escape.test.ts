/**
 * Attempts to reach what no rule covers, through `wasi:http`. Each is checked from outside: the servers of this machine that stand for what must not
 * be reached saw no connection, or not the bytes that they must not see.
 *
 * Sources: OWASP SSRF Prevention Cheat Sheet; RFC 9112 §11; RFC 9110 §17.
 */
import { describe, expect, test } from "bun:test";
import { readdirSync, readlinkSync } from "node:fs";
import { HANDLE_LIMIT } from "../../lib/worker/wasi/host.ts";
import type { Fields } from "../../lib/worker/wasi/http/fields.ts";
import {
  type Ask,
  begin,
  failureOf,
  fetchWhole,
  makeRequest,
  RawServer,
  saying,
  types,
} from "../worker/net/http-guest.ts";
import { encode, errorOf, ready, TestCall, Trapped, until } from "../worker/net/support.ts";

const PUBLIC = "93.184.215.14";

/** A server that nobody may reach. */
function bait(): RawServer {
  return saying("HTTP/1.1 200 OK\r\n\r\nsecret");
}

/** What a request is refused with before anything is connected to; `invalid`: by a setter of the request. */
const REFUSALS: ReadonlySet<unknown> = new Set([
  "HTTP-request-denied",
  "HTTP-request-URI-invalid",
  "HTTP-request-method-invalid",
  "HTTP-protocol-error",
  "destination-IP-prohibited",
  "invalid",
]);

/** What an attempt got. */
async function attempt(call: TestCall, url: string, ask: Ask = {}): Promise<string> {
  try {
    const { status, body } = await fetchWhole(call, url, ask);
    return `${status} ${body}`;
  } catch (error) {
    const code = await failureOf(Promise.reject(error));
    const tag: unknown = code === undefined ? "invalid" : Reflect.get(Object(code), "tag");
    return REFUSALS.has(tag) ? `refused: ${String(tag)}` : `failed: ${String(tag)}`;
  }
}

describe("a tool that may reach one public host", () => {
  test.each([
    "http://127.0.0.1:PORT/",
    "http://localhost:PORT/",
    "http://LOCALHOST:PORT/",
    "http://localhost.:PORT/",
    "http://127.0.0.1.:PORT/",
    "http://127.1:PORT/",
    "http://127.0.1:PORT/",
    "http://127.255.255.254:PORT/",
    "http://0:PORT/",
    "http://0.0.0.0:PORT/",
    "http://2130706433:PORT/",
    "http://0x7f000001:PORT/",
    "http://0x7f.0.0.1:PORT/",
    "http://0177.0.0.1:PORT/",
    "http://00000177.0.0.1:PORT/",
    "http://[::1]:PORT/",
    "http://[0:0:0:0:0:0:0:1]:PORT/",
    "http://[::]:PORT/",
    "http://[::ffff:127.0.0.1]:PORT/",
    "http://[::ffff:7f00:1]:PORT/",
    "http://[::127.0.0.1]:PORT/",
    "http://[64:ff9b::127.0.0.1]:PORT/",
    "http://[2002:7f00:1::]:PORT/",
    "http://[fe80::1%25lo]:PORT/",
    "http://[fe80::1%lo]:PORT/",
    "http://[::1%25lo]:PORT/",
    "http://allowed.test@127.0.0.1:PORT/",
    "http://allowed.test:80@127.0.0.1:PORT/",
    "http://127.0.0.1:PORT@allowed.test/",
    "http://127.0.0.1:PORT\\@allowed.test/",
    "http://allowed.test\\@127.0.0.1:PORT/",
    "http://127.0.0.1:PORT#@allowed.test/",
    "http://127.0.0.1:PORT%23@allowed.test/",
    "http://127.0.0.1%2f:PORT/",
    "http://127.0.0.1:PORT%00.allowed.test/",
    "http://127.0.0.1%00allowed.test:PORT/",
    "http:// 127.0.0.1:PORT/",
    "http://127.0.0.1 :PORT/",
    "http://127.0.0.1:PORT /",
    "http://\t127.0.0.1:PORT/",
    "http://①②⑦.⓪.⓪.①:PORT/",
    "http://127。0。0。1:PORT/",
    "http://allowed.test:PORT/",
    "http://allowed.test.127.0.0.1.nip.test:PORT/",
    "http://evil-allowed.test:80/",
    "http://allowed.test.evil.test:80/",
    "http://xn--llowed-qta.test:80/",
    "http://аllowed.test:80/",
    "http://sub.allowed.test:80/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://metadata.test/computeMetadata/v1/",
    "https://allowed.test/",
    "ftp://127.0.0.1:PORT/",
    "file:///etc/passwd",
    "unix:///run/docker.sock",
  ])("does not reach %s", async (url) => {
    using server = bait();
    using six = Bun.listen({ hostname: "::1", port: 0, socket: { data: () => undefined } });
    using call = new TestCall(["http://allowed.test"], {
      names: {
        "allowed.test": [PUBLIC],
        localhost: ["127.0.0.1", "::1"],
        "metadata.test": ["169.254.169.254"],
        "sub.allowed.test": ["127.0.0.1"],
      },
      routes: { "169.254.169.254:80": server.port, [`${PUBLIC}:${server.port}`]: server.port },
    });
    void six;
    expect(await attempt(call, url.replaceAll("PORT", String(server.port)))).toStartWith("refused: ");
    expect(server.connections).toBe(0);
    expect(call.attempts).toEqual([]);
  });

  test("is not led elsewhere by its name: every kind of private address behind it is refused", async () => {
    const addresses = [
      "127.0.0.1",
      "10.0.0.1",
      "172.16.0.1",
      "192.168.1.1",
      "169.254.169.254",
      "100.64.0.1",
      "0.0.0.0",
      "224.0.0.1",
      "255.255.255.255",
      "::1",
      "::",
      "::ffff:127.0.0.1",
      "::ffff:10.0.0.1",
      "fe80::1",
      "fc00::1",
      "fd00:ec2::254",
      "ff02::1",
      "64:ff9b::7f00:1",
      "2002:7f00:1::",
    ];
    for (const address of addresses) {
      using call = new TestCall(["http://allowed.test"], { names: { "allowed.test": [address] } });
      expect({ address, code: await failureOf(fetchWhole(call, "http://allowed.test/")) }).toEqual({
        address,
        code: { tag: "destination-IP-prohibited" },
      });
      expect(call.attempts).toEqual([]);
      expect(call.context.denials).toHaveLength(1);
    }
  });

  test("reaches the public one alone of several addresses", async () => {
    using server = bait();
    using own = saying("HTTP/1.1 200 OK\r\n\r\nfine");
    using call = new TestCall(["http://allowed.test"], {
      names: { "allowed.test": ["127.0.0.1", "10.0.0.1", "::1", PUBLIC] },
      routes: { [`${PUBLIC}:80`]: own.port, "127.0.0.1:80": server.port },
    });
    expect(await attempt(call, "http://allowed.test/")).toBe("200 fine");
    expect(call.attempts).toEqual([`${PUBLIC}:80`]);
    expect(server.connections).toBe(0);
  });

  test("gains nothing when its name's answer changes between check and use", async () => {
    using server = bait();
    using own = saying("HTTP/1.1 200 OK\r\n\r\nfine");
    let asked = 0;
    using call = new TestCall(["http://allowed.test"], {
      names: { "allowed.test": () => ((asked += 1) === 1 ? [PUBLIC] : ["127.0.0.1"]) },
      routes: { [`${PUBLIC}:80`]: own.port, "127.0.0.1:80": server.port },
    });
    for (let round = 0; round < 20; round++) expect(await attempt(call, "http://allowed.test/")).toBe("200 fine");
    expect(asked).toBe(1);
    expect(server.connections).toBe(0);
  });

  test("gains nothing when its name's answer is private the first time and public afterwards", async () => {
    using server = bait();
    let asked = 0;
    using call = new TestCall(["http://allowed.test"], {
      names: { "allowed.test": () => ((asked += 1) % 2 === 1 ? ["127.0.0.1"] : [PUBLIC]) },
      routes: { "127.0.0.1:80": server.port },
    });
    for (let round = 0; round < 5; round++)
      expect(await attempt(call, "http://allowed.test/")).toBe("refused: destination-IP-prohibited");
    expect(server.connections).toBe(0);
  });

  test.each([
    "http://127.0.0.1:PORT/",
    "http://localhost:PORT/",
    "http://169.254.169.254/latest/meta-data/",
    "http://other.test/",
    "//127.0.0.1:PORT/",
    "https://allowed.test/",
    "file:///etc/passwd",
  ])("is shown a redirect to %s, and may not follow it", async (location) => {
    using server = bait();
    const to = location.replace("PORT", String(server.port));
    using own = saying(`HTTP/1.1 302 Found\r\nLocation: ${to}\r\nContent-Length: 0\r\n\r\n`);
    using call = new TestCall(["http://allowed.test"], {
      names: { "allowed.test": [PUBLIC], "other.test": ["93.184.215.15"], localhost: ["127.0.0.1"] },
      routes: { [`${PUBLIC}:80`]: own.port, "169.254.169.254:80": server.port, "93.184.215.15:80": server.port },
    });
    const told = await fetchWhole(call, "http://allowed.test/");
    expect([told.status, told.headers[0]]).toEqual([302, ["Location", to]]);
    expect(call.attempts).toEqual([`${PUBLIC}:80`]);
    const next = to.startsWith("//") ? `http:${to}` : to;
    expect(await attempt(call, next)).toStartWith("refused: ");
    expect(call.attempts).toEqual([`${PUBLIC}:80`]);
    expect(server.connections).toBe(0);
  });
});

describe("a tool that may reach one path", () => {
  test.each([
    "/admin",
    "/api/../admin",
    "/api/%2e%2e/admin",
    "/api/.%2E/admin",
    "/api/..;/admin",
    "/api/%252e%252e/admin",
    "/api/..%2fadmin",
    "/api/..%5cadmin",
    "/apiadmin",
    "/API/x",
    "//api/x",
    "/",
    "?/api/",
  ])("does not reach %s", async (path) => {
    using server = bait();
    using call = new TestCall([`http://127.0.0.1:${server.port}/api`]);
    expect(await attempt(call, `http://127.0.0.1:${server.port}${path}`)).toStartWith("refused: ");
    expect(server.connections).toBe(0);
  });

  test.each(["/api", "/api/", "/api/x?../admin", "/api/a%20b", "/api/./x"])("reaches %s", async (path) => {
    using server = saying("HTTP/1.1 200 OK\r\n\r\n");
    using call = new TestCall([`http://127.0.0.1:${server.port}/api`]);
    expect(await attempt(call, `http://127.0.0.1:${server.port}${path}`)).toBe("200 ");
    expect(server.received[0]).toStartWith("GET /api");
  });
});

describe("a tool cannot smuggle", () => {
  test.each([
    ["CR LF in a value", "X-A", "a\r\nX-B: b"],
    ["LF in a value", "X-A", "a\nX-B: b"],
    ["CR in a value", "X-A", "a\rX-B: b"],
    ["NUL in a value", "X-A", "a\0b"],
    ["DEL in a value", "X-A", "a\x7fb"],
    ["CR LF in a name", "X-A: a\r\nX-B", "b"],
    ["a space in a name", "X A", "b"],
    ["a colon in a name", "X:A", "b"],
    ["an empty name", "", "b"],
    ["a name that is not ASCII", "Ｈost", "b"],
    ["a Content-Length that is none", "Content-Length", "5, 5"],
    ["a Content-Length with a sign", "content-length", "+5"],
  ])("%s", async (_, name, value) => {
    using call = new TestCall([]);
    const fields = types<Fields>(call, "[constructor]fields");
    const bytes = encode(value);
    const invalid = { tag: "invalid-syntax" };
    expect(await errorOf(() => types(call, "[method]fields.append", fields, name, bytes))).toEqual(invalid);
    expect(await errorOf(() => types(call, "[method]fields.set", fields, name, [bytes]))).toEqual(invalid);
    expect(await errorOf(() => types(call, "[static]fields.from-list", [[name, bytes]]))).toEqual(invalid);
    expect(fields.entries).toEqual([]);
  });

  test.each([
    "Host",
    "host",
    "HOST",
    "Connection",
    "Keep-Alive",
    "Proxy-Connection",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Transfer-Encoding",
    "TE",
    "Upgrade",
    "HTTP2-Settings",
  ])("the field %s", async (name) => {
    using call = new TestCall([]);
    const fields = types<Fields>(call, "[constructor]fields");
    const bytes = encode("internal.test");
    const forbidden = { tag: "forbidden" };
    expect(await errorOf(() => types(call, "[method]fields.append", fields, name, bytes))).toEqual(forbidden);
    expect(await errorOf(() => types(call, "[method]fields.set", fields, name, [bytes]))).toEqual(forbidden);
    expect(await errorOf(() => types(call, "[static]fields.from-list", [[name, bytes]]))).toEqual(forbidden);
  });

  test.each(["G ET", "GET / HTTP/1.1\r\nX: y\r\n\r\n", "", "GET\n", "GÉT", "CONNECT", "connect"])(
    "the method %p",
    async (method) => {
      using server = bait();
      using call = new TestCall([`http://127.0.0.1:${server.port}`]);
      expect(await attempt(call, `http://127.0.0.1:${server.port}/`, { method })).toStartWith("refused: ");
      expect(server.connections).toBe(0);
    },
  );

  test.each([
    "/ HTTP/1.1\r\nX: y",
    "/a b",
    "/a\nb",
    "/a\0b",
    "/a\tb",
    "a",
    "@evil.test/",
    ":80/",
    "/#a",
    "/\u00e9",
    "\\\\evil.test/",
  ])("the path %p", async (path) => {
    using server = bait();
    using call = new TestCall([`http://127.0.0.1:${server.port}`]);
    const made = makeRequest(call, `http://127.0.0.1:${server.port}/`);
    expect(
      await errorOf(() => types(call, "[method]outgoing-request.set-path-with-query", made, path)),
    ).toBeUndefined();
    expect(server.connections).toBe(0);
  });
});

describe("a tool that tries to exhaust the host", () => {
  test("leaves nothing open after 10,000 attempts that were denied", async () => {
    const before = sockets();
    using call = new TestCall(["http://allowed.test"]);
    for (let at = 0; at < 10_000; at++) await attempt(call, `http://127.0.0.1:${(at % 65_535) + 1}/`);
    expect(call.attempts).toEqual([]);
    expect(call.host.handles).toBe(0);
    expect(sockets()).toBe(before);
  });

  test("closes a connection whose response it has no handle left for", async () => {
    using server = new RawServer((socket) => void socket.write("HTTP/1.1 200 OK\r\n\r\n"));
    const call = new TestCall([`http://127.0.0.1:${server.port}`]);
    const future = await begin(call, `http://127.0.0.1:${server.port}/`);
    await ready(future.event);
    while (call.host.handles < HANDLE_LIMIT) types(call, "[constructor]fields");
    expect(() => types(call, "[method]future-incoming-response.get", future)).toThrow(Trapped);
    call[Symbol.dispose]();
    await until(() => server.closed === 1);
  });

  test("has 64 connections at once, and none after its end, however many it asks for", async () => {
    using server = new RawServer(() => undefined);
    const before = sockets();
    const call = new TestCall([`http://127.0.0.1:${server.port}`]);
    const all = Array.from({ length: 1000 }, () => failureOf(fetchWhole(call, `http://127.0.0.1:${server.port}/`)));
    for (const each of all) each.catch(() => undefined);
    await until(() => server.connections === 64);
    await Bun.sleep(50);
    expect(server.connections).toBe(64);
    call[Symbol.dispose]();
    await until(() => server.closed === 64);
    await until(() => sockets() === before);
  });
});

/** Sockets that this process has open. */
function sockets(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:");
    } catch {
      return false;
    }
  }).length;
}
