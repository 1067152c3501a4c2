import { describe, expect, test } from "bun:test";
import { hostName, LOOPBACK_HOSTS, requireHost, requireOrigin } from "../../../lib/mcp/http/names.ts";

const NAMES = { hosts: new Set([...LOOPBACK_HOSTS, "kami.example"]), origins: new Set(["https://app.example"]) };

describe("requireHost()", () => {
  test.each(["localhost", "LOCALHOST:3000", "127.0.0.1:1", "[::1]:65535", "kami.example"])("takes %p", (host) => {
    expect(() => requireHost(NAMES, host)).not.toThrow();
  });

  test.each([
    { host: null, why: "no name" },
    { host: "", why: "an empty one" },
    { host: "evil.example", why: "a foreign name" },
    { host: "evil.example:3000", why: "with our port" },
    { host: "localhost.evil.example", why: "a name that begins like ours" },
    { host: "127.0.0.1.nip.io", why: "a name that resolves to us" },
    { host: "evil.localhost", why: "a name beneath localhost" },
    { host: "localhost.", why: "a trailing dot" },
    { host: "0.0.0.0", why: "the address that means any" },
    { host: "127.1", why: "a short spelling" },
    { host: "2130706433", why: "a number" },
    { host: "0x7f.0.0.1", why: "a hexadecimal spelling" },
    { host: "[::ffff:127.0.0.1]", why: "an IPv4 address in IPv6" },
    { host: "[::1", why: "half a bracket" },
    { host: "localhost@evil.example", why: "a user" },
    { host: "evil.example@localhost", why: "a user, the other way" },
    { host: "localhost, evil.example", why: "two headers in one" },
    { host: "localhost/evil", why: "a path" },
    { host: "localhost:3000:3000", why: "two ports" },
    { host: "localhost\tx", why: "a tab" },
    { host: "ⓛocalhost", why: "a letter that a URL parser would map" },
  ])("refuses $why", ({ host }) => {
    expect(() => requireHost(NAMES, host)).toThrow(expect.objectContaining({ code: "HTTP_HOST" }));
  });

  test("takes any on a socket that only this machine's programs reach", () => {
    expect(() => requireHost({ ...NAMES, hosts: undefined }, "x")).not.toThrow();
  });
});

describe("requireOrigin()", () => {
  test.each([
    { origin: null, why: "none: it is no web page" },
    { origin: "https://app.example", why: "one that is allowed" },
    { origin: "http://localhost:3000", why: "the address that it was sent to" },
  ])("takes $why", ({ origin }) => {
    expect(() => checkOrigin(origin)).not.toThrow();
  });

  test.each([
    { origin: "null", why: "the origin of sandboxed and local pages" },
    { origin: "", why: "an empty one" },
    { origin: "https://evil.example", why: "a foreign page" },
    { origin: "http://localhost:5173", why: "another server of this machine" },
    { origin: "http://app.example", why: "an allowed name by another scheme" },
    { origin: "https://app.example.evil.example", why: "a name that begins like an allowed one" },
    { origin: "https://app.example:8443", why: "another port" },
    { origin: "file://", why: "a file" },
    { origin: "chrome-extension://abc", why: "an extension" },
    { origin: "https://app.example, https://evil.example", why: "two" },
  ])("refuses $why", ({ origin }) => {
    expect(() => checkOrigin(origin)).toThrow(expect.objectContaining({ code: "HTTP_ORIGIN" }));
  });

  test("refuses every page on a Unix socket, which no browser reaches", () => {
    const headers = new Headers({ host: "localhost", origin: "http://localhost" });
    expect(() => requireOrigin({ ...NAMES, hosts: undefined }, headers)).toThrow("may not use this server");
  });
});

describe("hostName()", () => {
  test.each([
    ["Kami.Example", "kami.example"],
    ["::1", "[::1]"],
    ["[::1]", "[::1]"],
    ["kami.example:80", undefined],
    ["https://kami.example", undefined],
    ["", undefined],
  ])("reads %p as %p", (text, name) => {
    expect(hostName(text)).toBe(name);
  });
});

function checkOrigin(origin: string | null): void {
  requireOrigin(NAMES, new Headers({ host: "localhost:3000", ...(origin !== null && { origin }) }));
}
