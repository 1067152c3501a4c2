import { describe, expect, test } from "bun:test";
import { isLoopback, namesOf, type Place, requireSafePlace } from "../../../lib/mcp/http/listen.ts";

const at = (host: string): Place => ({ kind: "tcp", host, port: 0 });
const unix: Place = { kind: "unix", path: "/run/kami.sock" };
const SAFE = { isEncrypted: false, isPlainAllowed: false, isOpen: false };

describe("isLoopback()", () => {
  test.each(["localhost", "LOCALHOST", "127.0.0.1", "127.255.0.9", "::1", "[::1]"])("%p is", (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  test.each([
    "0.0.0.0",
    "::",
    "127.evil.example",
    "127.1",
    "localhost.evil.example",
    "192.168.0.1",
    "::ffff:127.0.0.1",
  ])("%p is not", (host) => {
    expect(isLoopback(host)).toBe(false);
  });
});

describe("requireSafePlace()", () => {
  test.each([
    { place: at("127.0.0.1"), facts: SAFE, why: "loopback" },
    { place: at("::1"), facts: { ...SAFE, isOpen: true }, why: "loopback without a token" },
    { place: unix, facts: { ...SAFE, isOpen: true }, why: "a Unix socket" },
    { place: at("0.0.0.0"), facts: { ...SAFE, isEncrypted: true }, why: "everywhere, with TLS" },
    { place: at("10.0.0.1"), facts: { ...SAFE, isPlainAllowed: true }, why: "without, knowingly" },
  ])("takes $why", ({ place, facts }) => {
    expect(() => requireSafePlace(place, facts)).not.toThrow();
  });

  test.each([
    { facts: SAFE, code: "LISTEN_EXPOSED", why: "without TLS" },
    { facts: { ...SAFE, isEncrypted: true, isOpen: true }, code: "USAGE", why: "without a token, TLS or not" },
    { facts: { ...SAFE, isPlainAllowed: true, isOpen: true }, code: "USAGE", why: "without both" },
  ])("refuses other machines $why", ({ facts, code }) => {
    expect(() => requireSafePlace(at("0.0.0.0"), facts)).toThrow(expect.objectContaining({ code }));
  });
});

describe("namesOf()", () => {
  test("has loopback, the address and what was allowed", () => {
    const names = namesOf(at("192.0.2.7"), { hosts: ["Kami.Example"], origins: ["http://localhost:6274"] });
    expect([...(names.hosts ?? [])]).toEqual(["localhost", "127.0.0.1", "[::1]", "192.0.2.7", "kami.example"]);
    expect([...names.origins]).toEqual(["http://localhost:6274"]);
  });

  test("the address that means any is no name", () => {
    expect(namesOf(at("0.0.0.0"), { hosts: [], origins: [] }).hosts?.has("0.0.0.0")).toBe(false);
  });

  test("a Unix socket has any, unless some are named", () => {
    expect(namesOf(unix, { hosts: [], origins: [] }).hosts).toBeUndefined();
    expect(namesOf(unix, { hosts: ["a"], origins: [] }).hosts?.has("a")).toBe(true);
  });

  test.each([
    { hosts: ["a b"], origins: [] },
    { hosts: ["a:80"], origins: [] },
    { hosts: [""], origins: [] },
    { hosts: [], origins: ["*"] },
    { hosts: [], origins: ["null"] },
    { hosts: [], origins: ["https://a/"] },
    { hosts: [], origins: ["a.example"] },
  ])("refuses %p", (allowed) => {
    expect(() => namesOf(unix, allowed)).toThrow(expect.objectContaining({ code: "USAGE" }));
  });
});
