import { describe, expect, test } from "bun:test";
import { type NetworkRule, parseNetworkEntry } from "../../lib/network-rule.ts";
import { type Address, parseAddress } from "../../lib/policy/address.ts";
import {
  type HttpTarget,
  mayResolve,
  permitAddress,
  permitConnection,
  permitListen,
  permitTarget,
  readRedirect,
  readTarget,
  type SocketTarget,
  type Verdict,
} from "../../lib/policy/network.ts";

/** The rules of a policy, as a manifest writes them. */
function rulesOf(...entries: readonly string[]): readonly NetworkRule[] {
  return entries.map((entry) => {
    const parsed = parseNetworkEntry(entry);
    if (!parsed.ok) throw new Error(`${entry} ${parsed.problem}`);
    return parsed.rule;
  });
}

function ruleOf(entry: string): NetworkRule {
  const [rule] = rulesOf(entry);
  if (rule === undefined) throw new Error("no rule");
  return rule;
}

function addressOf(text: string): Address {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return address;
}

/** Splits a URL as a guest of `wasi:http` does: nothing is made canonical on the way. */
function requestOf(url: string): HttpTarget | undefined {
  const [, scheme = "", authority = "", path] = /^([^:]*):\/\/([^/?]*)(.*)$/su.exec(url) ?? [];
  if (scheme !== "https" && scheme !== "http") throw new Error("a scheme that wasi:http does not have");
  return readTarget({ scheme, authority, path: path === "" ? undefined : path });
}

function mayFetch(entry: string, url: string): boolean {
  const target = requestOf(url);
  return target !== undefined && permitTarget(rulesOf(entry), target).ok;
}

describe("readTarget()", () => {
  test.each([
    { url: "https://Example.COM", is: "https://example.com/", why: "case" },
    { url: "https://example.com.", is: "https://example.com/", why: "a trailing dot" },
    { url: "https://example.com:443/a?b", is: "https://example.com/a?b", why: "a default port" },
    { url: "https://example.com:/", is: "https://example.com/", why: "an empty port" },
    { url: "http://example.com:443/", is: "http://example.com:443/", why: "another scheme's port" },
    { url: "https://bücher.example", is: "https://xn--bcher-kva.example/", why: "punycode" },
    { url: "https://ＥＸＡＭＰＬＥ．com", is: "https://example.com/", why: "full-width letters" },
    { url: "http://0x7f.1/", is: "http://127.0.0.1/", why: "hexadecimal" },
    { url: "http://0177.0.0.01/", is: "http://127.0.0.1/", why: "octal" },
    { url: "http://2130706433/", is: "http://127.0.0.1/", why: "one number" },
    { url: "http://127.0.0.1./", is: "http://127.0.0.1/", why: "an address with a trailing dot" },
    { url: "http://１２７。0。0。1/", is: "http://127.0.0.1/", why: "full-width digits and dots" },
    { url: "http://[0:0::1]/", is: "http://[::1]/", why: "IPv6" },
    { url: "http://[::FFFF:127.0.0.1]/", is: "http://[::ffff:7f00:1]/", why: "a mapped address" },
    { url: "https://x.com?q=1", is: "https://x.com/?q=1", why: "a query without a path" },
    { url: "https://x.com/a/../b/./c", is: "https://x.com/b/c", why: "dot segments" },
    { url: "https://x.com/a/%2e%2E/b", is: "https://x.com/b", why: "encoded dot segments" },
    { url: "https://x.com//evil.com/", is: "https://x.com//evil.com/", why: "a path that looks like a host" },
  ])("makes $why canonical: $url", ({ url, is }) => {
    expect(requestOf(url)?.url).toBe(is);
  });

  test.each([
    { url: "https://", why: "no host" },
    { url: "https://user@x.com/", why: "a user" },
    { url: "https://good.com:443@evil.com/", why: "a user that looks like a host" },
    { url: "https://good.com%40evil.com/", why: "an encoded @" },
    { url: "https://good.com\\@evil.com/", why: "a backslash" },
    { url: "https://good.com#.evil.com/", why: "a fragment in the host" },
    { url: "https://x.com /", why: "a space" },
    { url: "https://x.com\t/", why: "a tab that a URL parser drops" },
    { url: "https://x\u00adx.com/", why: "a soft hyphen" },
    { url: "https://x.com:0/", why: "port 0" },
    { url: "https://x.com:65536/", why: "a port over the limit" },
    { url: "https://x.com:0443/", why: "a port with a zero in front" },
    { url: "https://x.com:4 43/", why: "a port with a space" },
    { url: "https://x.com:443:80/", why: "two ports" },
    { url: "http://[fe80::1%25eth0]/", why: "a zone" },
    { url: "http://[::1/", why: "half a bracket" },
    { url: "http://::1/", why: "IPv6 without brackets" },
    { url: "http://1.2.3.4.5/", why: "five parts" },
    { url: "http://256.1.1.1/", why: "a part over a byte" },
    { url: "https://*.x.com/", why: "a wildcard" },
    { url: "https://x..com/", why: "an empty label" },
    { url: `https://${"a.".repeat(127)}com/`, why: "a name over the limit" },
    { url: "https://x.com/a\r\nHost: evil.com", why: "a second header" },
    { url: "https://x.com/a\\..\\b", why: "backslashes in the path" },
    { url: "https://x.com/#a", why: "a fragment" },
    { url: "https://x.com/a b", why: "a space in the path" },
  ])("refuses $why: $url", ({ url }) => {
    expect(requestOf(url)).toBeUndefined();
  });

  test("refuses a path that does not begin with a slash: it would become part of the host", () => {
    expect(readTarget({ scheme: "https", authority: "x.com", path: ".evil.com/" })).toBeUndefined();
    expect(readTarget({ scheme: "https", authority: "x.com", path: "@evil.com/" })).toBeUndefined();
    expect(readTarget({ scheme: "https", authority: "x.com", path: ":80/" })).toBeUndefined();
  });
});

describe("permitTarget()", () => {
  for (const { rule, yes, no } of [
    {
      rule: "api.github.com",
      yes: ["https://api.github.com/", "http://api.github.com/", "https://API.GITHUB.COM./x?y"],
      no: [
        "https://github.com/",
        "https://x.api.github.com/",
        "https://api.github.com.evil.com/",
        "https://api-github.com/",
        "https://xapi.github.com/",
        "https://api.github.com:8443/",
        "http://api.github.com:443/",
        "https://api.github.com:80/",
        "https://api.github.com@evil.com/",
        "https://api.githüb.com/",
        "https://аpi.github.com/",
      ],
    },
    {
      rule: "*.example.com",
      yes: ["https://a.example.com/", "https://a.b.example.com/"],
      no: ["https://example.com/", "https://aexample.com/", "https://a.example.com.evil.com/", "https://.example.com/"],
    },
    {
      rule: "*",
      yes: ["https://a.com/", "http://8.8.8.8/", "https://[2606:4700::1]/"],
      no: [
        "http://localhost/",
        "http://LOCALHOST./",
        "http://a.localhost/",
        "http://127.0.0.1/",
        "http://0x7f000001/",
        "http://[::1]/",
        "http://[::ffff:8.8.8.8]/",
        "http://169.254.169.254/",
        "http://10.0.0.1/",
        "https://a.com:8443/",
      ],
    },
    { rule: "https://a.com", yes: ["https://a.com/"], no: ["http://a.com/", "http://a.com:443/"] },
    { rule: "a.com:8080", yes: ["http://a.com:8080/", "https://a.com:8080/"], no: ["http://a.com/", "https://a.com/"] },
    {
      rule: "http://127.0.0.1:3000",
      yes: ["http://127.0.0.1:3000/", "http://0x7f.1:3000/"],
      no: ["http://localhost:3000/"],
    },
    {
      rule: "localhost:3000",
      yes: ["http://localhost:3000/"],
      no: ["http://127.0.0.1:3000/", "http://a.localhost:3000/"],
    },
    { rule: "tcp://a.com:443", yes: [], no: ["https://a.com/"] },
    {
      rule: "a.com/v1",
      yes: [
        "https://a.com/v1",
        "https://a.com/v1/",
        "https://a.com/v1/x",
        "https://a.com/v1?x",
        "https://a.com/v0/../v1",
      ],
      no: [
        "https://a.com/",
        "https://a.com/v1x",
        "https://a.com/V1",
        "https://a.com//v1",
        "https://a.com/v1/../x",
        "https://a.com/v1/%2e%2e/x",
        "https://a.com/v1/%2E./x",
        "https://a.com/v1%2fx",
        "https://a.com/v1/..%2f..%2fx",
        "https://a.com/v1/%2e%2e%2fx",
        "https://a.com/v1/%252e%252e%252fx",
        "https://a.com/v1/%25252e%25252e/x",
        "https://a.com/v1/x%5c..%5c..%5cy",
        "https://a.com/v1/..;/x",
        "https://a.com/v1/..;a=b/x",
        "https://a.com/v1/%2e%2e;/x",
        "https://a.com/v1/..%20/x",
        "https://a.com/v1/..%00/x",
        "https://a.com/v1/x%00",
        "https://a.com/%76%31",
        `https://a.com/v1/${"%25".repeat(1)}${"25".repeat(8)}2e`,
      ],
    },
    {
      rule: "a.com/v1/",
      yes: ["https://a.com/v1/", "https://a.com/v1/x"],
      no: ["https://a.com/v1", "https://a.com/v1x"],
    },
    {
      rule: "a.com/v1/x.y",
      yes: [
        "https://a.com/v1/x.y/...",
        "https://a.com/v1/x.y/a%20b",
        "https://a.com/v1/x.y/100%25",
        "https://a.com/v1/x.y/.git",
      ],
      no: ["https://a.com/v1/xzy"],
    },
  ]) {
    test.each(yes)(`${rule} lets out %s`, (url) => {
      expect(mayFetch(rule, url)).toBe(true);
    });
    test.each(no)(`${rule} does not let out %s`, (url) => {
      expect(mayFetch(rule, url)).toBe(false);
    });
  }

  test("gives the rule that names the host before wildcards, so that what it names literally counts", () => {
    const rules = rulesOf("*", "*.example.com", "https://a.example.com/x", "a.example.com");
    const target = requestOf("https://a.example.com/");
    expect(target && permitTarget(rules, target)).toEqual({ ok: true, rule: ruleOf("a.example.com") });
  });

  test("says why it denies, by the least that would allow it, and without the query", () => {
    const target = requestOf("https://A.com/x?token=secret");
    expect(target && permitTarget([], target)).toEqual({
      ok: false,
      capability: "net:https://a.com",
      target: "https://a.com/x",
      reason: "no rule that was granted covers it",
    });
    const socket: SocketTarget = { scheme: "tcp", host: "a.com", port: 5432 };
    expect(permitTarget(rulesOf("a.com"), socket)).toMatchObject({
      capability: "net:tcp://a.com:5432",
      target: "tcp://a.com:5432",
    });
  });

  test.each([
    { rule: "tcp://a.com:5432", socket: "tcp a.com 5432", ok: true },
    { rule: "tcp://a.com:5432", socket: "udp a.com 5432", ok: false },
    { rule: "tcp://a.com:5432", socket: "tcp a.com 5433", ok: false },
    { rule: "udp://*:53", socket: "udp a.com 53", ok: true },
    { rule: "udp://*:53", socket: "udp 127.0.0.1 53", ok: false },
    { rule: "tcp://*.a.com:1", socket: "tcp x.a.com 1", ok: true },
    { rule: "a.com:443", socket: "tcp a.com 443", ok: false },
  ] as const)("$rule and a socket to $socket: $ok", ({ rule, socket, ok }) => {
    const [scheme, host = "", port] = socket.split(" ");
    const target: SocketTarget = { scheme: scheme === "udp" ? "udp" : "tcp", host, port: Number(port) };
    expect(permitTarget(rulesOf(rule), target).ok).toBe(ok);
  });
});

describe("permitAddress()", () => {
  const target: SocketTarget = { scheme: "tcp", host: "a.com", port: 1 };
  const ask = (rule: string, address: string): Verdict => permitAddress(ruleOf(rule), addressOf(address), target);

  test.each([
    { rule: "a.com", address: "8.8.8.8", ok: true, why: "a name that leads to the public network" },
    { rule: "a.com", address: "127.0.0.1", ok: false, why: "a name that leads to this machine" },
    { rule: "a.com", address: "169.254.169.254", ok: false, why: "a name that leads to a metadata service" },
    { rule: "a.com", address: "::ffff:8.8.8.8", ok: false, why: "a mapped address, even of a public one" },
    { rule: "*.a.com", address: "10.1.2.3", ok: false, why: "rebinding of a subdomain" },
    { rule: "*", address: "192.168.1.1", ok: false, why: "the router" },
    { rule: "*", address: "2606:4700::1", ok: true, why: "any public host" },
    { rule: "10.1.2.3", address: "10.1.2.3", ok: true, why: "an address that the rule names" },
    { rule: "10.1.2.3", address: "10.1.2.4", ok: false, why: "its neighbour" },
    { rule: "8.8.8.8", address: "1.1.1.1", ok: false, why: "another address than the one named, public as it is" },
    { rule: "127.0.0.1", address: "::ffff:127.0.0.1", ok: false, why: "its mapped form" },
    { rule: "[::1]", address: "::1", ok: true, why: "an IPv6 address that the rule names" },
    { rule: "[fd00:ec2::254]", address: "fd00:ec2::254", ok: true, why: "a metadata service that is named" },
    { rule: "localhost", address: "127.0.0.1", ok: true, why: "this machine by its name" },
    { rule: "localhost", address: "::1", ok: true, why: "this machine by its name, in IPv6" },
    { rule: "localhost", address: "10.0.0.1", ok: false, why: "a hosts file that says otherwise" },
    { rule: "localhost", address: "8.8.8.8", ok: false, why: "a resolver that says otherwise" },
    { rule: "*.localhost", address: "127.0.0.1", ok: false, why: "a subdomain of localhost" },
  ])("$why: $rule, $address: $ok", ({ rule, address, ok }) => {
    expect(ask(rule, address).ok).toBe(ok);
  });

  test("says which address it is that was denied", () => {
    expect(ask("*", "169.254.169.254")).toEqual({
      ok: false,
      capability: "net:tcp://169.254.169.254:1",
      target: "tcp://169.254.169.254:1",
      reason: "its address is not public (metadata service), and no rule names that address",
    });
  });
});

describe("permitConnection()", () => {
  test.each([
    { rules: ["tcp://db.com:5432"], address: "8.8.8.8", names: ["db.com"], ok: true, why: "a name that was looked up" },
    { rules: ["tcp://db.com:5432"], address: "8.8.8.8", names: [], ok: false, why: "its address without the look-up" },
    { rules: ["tcp://db.com:5432"], address: "8.8.8.8", names: ["a.com"], ok: false, why: "another name" },
    {
      rules: ["tcp://db.com:5432"],
      address: "10.0.0.1",
      names: ["db.com"],
      ok: false,
      why: "a name that leads inside",
    },
    {
      rules: ["tcp://a.com:1", "tcp://db.com:5432"],
      address: "8.8.8.8",
      names: ["a.com", "db.com"],
      ok: true,
      why: "one of two names",
    },
    { rules: ["tcp://10.0.0.1:5432"], address: "10.0.0.1", names: [], ok: true, why: "an address that is named" },
    { rules: ["tcp://*:5432"], address: "8.8.8.8", names: [], ok: true, why: "any public host" },
    { rules: ["tcp://*:5432"], address: "0.0.0.0", names: [], ok: false, why: "an address that means this machine" },
    { rules: [], address: "8.8.8.8", names: [], ok: false, why: "nothing" },
  ])("$why: $ok", ({ rules, address, names, ok }) => {
    const connection = { scheme: "tcp", port: 5432, address: addressOf(address), names } as const;
    expect(permitConnection(rulesOf(...rules), connection).ok).toBe(ok);
  });
});

describe("permitListen()", () => {
  test.each([
    { rule: "tcp://127.0.0.1:80", place: "tcp 127.0.0.1 80", ok: true },
    { rule: "tcp://127.0.0.1:80", place: "udp 127.0.0.1 80", ok: false },
    { rule: "tcp://127.0.0.1:80", place: "tcp 127.0.0.1 81", ok: false },
    { rule: "tcp://127.0.0.1:80", place: "tcp 127.0.0.2 80", ok: false },
    { rule: "tcp://127.0.0.1:80", place: "tcp 0.0.0.0 80", ok: false },
    { rule: "tcp://127.0.0.1:80", place: "tcp ::ffff:127.0.0.1 80", ok: false },
    { rule: "tcp://0.0.0.0:80", place: "tcp 0.0.0.0 80", ok: true },
    { rule: "udp://[::1]:53", place: "udp ::1 53", ok: true },
    { rule: "tcp://localhost:80", place: "tcp ::1 80", ok: true },
    { rule: "tcp://localhost:80", place: "tcp 0.0.0.0 80", ok: false },
    { rule: "tcp://*:80", place: "tcp 8.8.8.8 80", ok: false },
  ])("$rule and $place: $ok", ({ rule, place, ok }) => {
    const [scheme, address = "", port] = place.split(" ");
    const wanted = {
      scheme: scheme === "udp" ? "udp" : "tcp",
      address: addressOf(address),
      port: Number(port),
    } as const;
    expect(permitListen(rulesOf(rule), wanted).ok).toBe(ok);
  });

  test("says what would have to be granted", () => {
    expect(permitListen([], { scheme: "tcp", address: addressOf("::"), port: 80 })).toEqual({
      ok: false,
      capability: "listen:tcp://[::]:80",
      target: "tcp://[::]:80",
      reason: "it was not granted to listen there",
    });
  });
});

describe("readRedirect()", () => {
  const from = requestOf("https://a.com/x/y?q");
  test.each([
    ["z", "https://a.com/x/z"],
    ["/z?p#f", "https://a.com/z?p"],
    ["//b.com/z", "https://b.com/z"],
    ["http://0x7f.1/", "http://127.0.0.1/"],
    ["https://user@b.com/", undefined],
    ["https://:p@b.com/", undefined],
    ["ftp://b.com/", undefined],
    ["file:///etc/passwd", undefined],
    ["data:,x", undefined],
    ["javascript:1", undefined],
    ["\\\\b.com/", undefined],
    ["https://b.com/\r\nX: y", undefined],
    ["https://", undefined],
  ])("%p leads to %p", (location, url) => {
    expect(from && readRedirect(from, location)?.url).toBe(url);
  });
});

describe("mayResolve()", () => {
  test.each([
    { rule: "a.com", name: "A.com.", ok: true },
    { rule: "a.com", name: "x.a.com", ok: false },
    { rule: "*.a.com", name: "x.a.com", ok: true },
    { rule: "*.a.com", name: "a.com", ok: false },
    { rule: "*", name: "a.com", ok: true },
    { rule: "*", name: "localhost", ok: false },
    { rule: "*", name: "127.0.0.1", ok: false },
    { rule: "*", name: "", ok: false },
    { rule: "*", name: "a.com\u0000.b", ok: false },
    { rule: "*", name: "a.com:80", ok: false },
    { rule: "*", name: "a.com/x", ok: false },
    { rule: "localhost", name: "localhost", ok: true },
  ])("$rule and $name: $ok", ({ rule, name, ok }) => {
    expect(mayResolve(rulesOf(rule), name)).toBe(ok);
  });

  test("answers nothing without rules", () => {
    expect(mayResolve([], "a.com")).toBe(false);
  });
});
