import { describe, expect, test } from "bun:test";
import { parseNetworkEntry, type NetworkRule } from "../lib/network-rule.ts";

const ANY_PORT = { scheme: undefined, port: undefined, pathPrefix: undefined } as const;

describe("parseNetworkEntry()", () => {
  const accepted: { entry: string; rule: Partial<NetworkRule> & { host: string }; why: string }[] = [
    { entry: "api.github.com", rule: { host: "api.github.com" }, why: "a host" },
    { entry: "localhost", rule: { host: "localhost" }, why: "a host of one label" },
    { entry: "API.GitHub.COM.", rule: { host: "api.github.com" }, why: "lower case, no trailing dot" },
    { entry: "bücher.example", rule: { host: "xn--bcher-kva.example" }, why: "punycode" },
    { entry: "xn--bcher-kva.example", rule: { host: "xn--bcher-kva.example" }, why: "punycode stays" },
    { entry: "ｅxample。com", rule: { host: "example.com" }, why: "full-width letters and dots are mapped" },
    { entry: "_dmarc.example.com", rule: { host: "_dmarc.example.com" }, why: "an underscore in a service label" },
    { entry: "*", rule: { host: "*", covers: "any" }, why: "any public host" },
    { entry: "*.example.com", rule: { host: "example.com", covers: "subdomains" }, why: "every subdomain" },
    { entry: "*:8443", rule: { host: "*", covers: "any", port: 8443 }, why: "any host on one port" },
    { entry: "https://*", rule: { scheme: "https", host: "*", covers: "any" }, why: "any host over https" },
    { entry: "HTTPS://a.b", rule: { scheme: "https", host: "a.b" }, why: "a scheme in capitals" },
    { entry: "http://a.b:80", rule: { scheme: "http", host: "a.b", port: 80 }, why: "a default port written out" },
    { entry: "a.b:1", rule: { host: "a.b", port: 1 }, why: "the lowest port" },
    { entry: "a.b:65535", rule: { host: "a.b", port: 65_535 }, why: "the highest port" },
    { entry: "a.b/", rule: { host: "a.b" }, why: "the root path is every path" },
    { entry: "a.b/v1/", rule: { host: "a.b", pathPrefix: "/v1/" }, why: "a path prefix" },
    { entry: "a.b:8080/%C3%A9", rule: { host: "a.b", port: 8080, pathPrefix: "/%C3%A9" }, why: "an encoded path" },
    { entry: "a.b/x:y@z//*", rule: { host: "a.b", pathPrefix: "/x:y@z//*" }, why: "what a path may hold as it is" },
    { entry: "tcp://db.example:5432", rule: { scheme: "tcp", host: "db.example", port: 5432 }, why: "tcp" },
    {
      entry: "udp://*.example:53",
      rule: { scheme: "udp", host: "example", covers: "subdomains", port: 53 },
      why: "udp",
    },
    { entry: "127.0.0.1", rule: { host: "127.0.0.1" }, why: "an IPv4 address" },
    { entry: "[::1]:8080", rule: { host: "[::1]", port: 8080 }, why: "an IPv6 address with a port" },
    { entry: "[2001:DB8:0:0::1]", rule: { host: "[2001:db8::1]" }, why: "an IPv6 address is compressed" },
    { entry: "tcp://[::1]:1", rule: { scheme: "tcp", host: "[::1]", port: 1 }, why: "tcp to an address" },
    { entry: `${"a".repeat(63)}.b`, rule: { host: `${"a".repeat(63)}.b` }, why: "a label of 63" },
    { entry: "a.".repeat(126) + "a", rule: { host: "a.".repeat(126) + "a" }, why: "a name of 253" },
  ];
  for (const { entry, rule, why } of accepted) {
    test(`${why}: ${entry.slice(0, 40)}`, () => {
      expect(parseNetworkEntry(entry)).toEqual({ ok: true, rule: { ...ANY_PORT, covers: "host", ...rule } });
    });
  }

  const SHAPE = "must be [scheme://]host[:port][/path-prefix], with an IPv6 address in brackets";
  const SCHEME = "must use one of the schemes https, http, tcp, udp, or none";
  const PORT = "must have a port from 1 to 65535 after the colon";
  const VALID = "must name a valid host or address";
  const LABELS = "must name a valid host: labels of 1 to 63 letters, digits and hyphens, at most 253 in all";
  const WILDCARD = 'may have a wildcard only as "*" alone or as "*." at the start';
  const PATH = 'must have a canonical path: percent-encoded, without "." and ".." segments';
  const refused = [
    { entry: "", problem: "must name a host", why: "nothing" },
    { entry: ":80", problem: "must name a host", why: "a port alone" },
    { entry: "/x", problem: "must name a host", why: "a path alone" },
    { entry: "https://", problem: "must name a host", why: "a scheme alone" },
    { entry: "*.", problem: "must name a host", why: "a wildcard of nothing" },
    { entry: "ftp://a.b", problem: SCHEME, why: "another scheme" },
    { entry: "://a.b", problem: SCHEME, why: "an empty scheme" },
    { entry: "*://a.b", problem: SCHEME, why: "a wildcard scheme" },
    { entry: "a.b:", problem: PORT, why: "a colon without a port" },
    { entry: "a.b:0", problem: PORT, why: "one below the lowest port" },
    { entry: "a.b:65536", problem: PORT, why: "one above the highest port" },
    { entry: "a.b:080", problem: PORT, why: "a leading zero" },
    { entry: "a.b:*", problem: PORT, why: "a wildcard port" },
    { entry: "a.b:8o", problem: PORT, why: "a letter in a port" },
    { entry: "::1", problem: SHAPE, why: "an IPv6 address without brackets" },
    { entry: "[::1", problem: SHAPE, why: "a bracket that does not close" },
    { entry: "[::1]x", problem: SHAPE, why: "text after the bracket" },
    { entry: "a.b:80:80", problem: SHAPE, why: "two ports" },
    { entry: "[]", problem: VALID, why: "empty brackets" },
    { entry: "[::g]", problem: VALID, why: "no hexadecimal" },
    { entry: "[fe80::1%25eth0]", problem: VALID, why: "a zone" },
    { entry: "[a.b]", problem: VALID, why: "a name in brackets" },
    { entry: "user@a.b", problem: VALID, why: "user information" },
    { entry: "a.b?x", problem: VALID, why: "a query after a host" },
    { entry: "a.b#x", problem: VALID, why: "a fragment after a host" },
    { entry: "a b", problem: VALID, why: "a space" },
    { entry: " a.b", problem: VALID, why: "a leading space" },
    { entry: "a.b\n", problem: VALID, why: "a newline" },
    { entry: "a\u0000.b", problem: VALID, why: "a control character" },
    { entry: "%61.b", problem: VALID, why: "percent-encoding" },
    { entry: "a\\b", problem: VALID, why: "a backslash" },
    { entry: "a\u00adb.c", problem: VALID, why: "a soft hyphen that a URL parser drops" },
    { entry: "a\u200db.c", problem: VALID, why: "a joiner" },
    { entry: "xn--a", problem: VALID, why: "broken punycode" },
    { entry: "1.2.3.256", problem: VALID, why: "an octet too large" },
    { entry: "a.1", problem: VALID, why: "a name that ends in a number" },
    { entry: "0x7f.1", problem: "must write this address as 127.0.0.1", why: "a disguised loopback" },
    { entry: "2130706433", problem: "must write this address as 127.0.0.1", why: "a decimal loopback" },
    { entry: "0177.0.0.1", problem: "must write this address as 127.0.0.1", why: "an octal loopback" },
    { entry: "127.0.0.1.", problem: "must write this address as 127.0.0.1", why: "an address with a dot after it" },
    { entry: "１２７.0.0.1", problem: "must write this address as 127.0.0.1", why: "full-width digits" },
    { entry: "a..b", problem: LABELS, why: "an empty label" },
    { entry: "a.b..", problem: LABELS, why: "two trailing dots" },
    { entry: ".", problem: LABELS, why: "the root" },
    { entry: ".a.b", problem: LABELS, why: "a leading dot" },
    { entry: "-a.b", problem: LABELS, why: "a leading hyphen" },
    { entry: "a-.b", problem: LABELS, why: "a trailing hyphen" },
    { entry: "a!b.c", problem: LABELS, why: "punctuation" },
    { entry: `${"a".repeat(64)}.b`, problem: LABELS, why: "a label of 64" },
    { entry: "a.".repeat(126) + "aa", problem: LABELS, why: "a name of 254" },
    { entry: "*a.b", problem: WILDCARD, why: "a wildcard within a label" },
    { entry: "a.*", problem: WILDCARD, why: "a wildcard at the end" },
    { entry: "*.*.b", problem: WILDCARD, why: "two wildcards" },
    { entry: "**", problem: WILDCARD, why: "a glob" },
    { entry: "*.127.0.0.1", problem: "must not put a wildcard before an address", why: "subdomains of an address" },
    { entry: "*.[::1]", problem: SHAPE, why: "subdomains of an IPv6 address" },
    { entry: "a.b/..", problem: PATH, why: "a path that climbs" },
    { entry: "a.b/x/../y", problem: PATH, why: "a path that climbs inside" },
    { entry: "a.b/%2e%2E/y", problem: PATH, why: "an encoded climb" },
    { entry: "a.b/./y", problem: PATH, why: "a dot segment" },
    { entry: "a.b/é", problem: PATH, why: "a path that is not encoded" },
    { entry: "a.b/x y", problem: PATH, why: "a space in a path" },
    { entry: "a.b/x\\y", problem: PATH, why: "a backslash in a path" },
    { entry: "a.b/x\ty", problem: PATH, why: "a tab that a URL parser would drop" },
    { entry: "a.b/x ", problem: PATH, why: "a trailing space that a URL parser would drop" },
    { entry: "a.b/x%2Fy", problem: "must not have an encoded slash or backslash in its path", why: "an encoded slash" },
    {
      entry: "a.b/x%5cy",
      problem: "must not have an encoded slash or backslash in its path",
      why: "an encoded backslash",
    },
    { entry: "a.b/x?y", problem: "must not have a query or a fragment", why: "a query" },
    { entry: "a.b/x#y", problem: "must not have a query or a fragment", why: "a fragment" },
    { entry: "tcp://a.b", problem: "must name a port, as in tcp://host:port", why: "tcp without a port" },
    { entry: "udp://*", problem: "must name a port, as in udp://host:port", why: "udp without a port" },
    { entry: "tcp://a.b:1/", problem: "must not have a path after tcp://host:port", why: "tcp with a path" },
    { entry: "udp://a.b:1/x", problem: "must not have a path after udp://host:port", why: "udp with a path" },
  ];
  for (const { entry, problem, why } of refused) {
    test(`refuses ${why}: ${JSON.stringify(entry.slice(0, 40))}`, () => {
      expect(parseNetworkEntry(entry)).toEqual({ ok: false, problem });
    });
  }

  test("1024 characters at most", () => {
    expect(parseNetworkEntry(`a.b/${"x".repeat(1020)}`)).toEqual({
      ok: true,
      rule: { ...ANY_PORT, covers: "host", host: "a.b", pathPrefix: `/${"x".repeat(1020)}` },
    });
    expect(parseNetworkEntry(`a.b/${"x".repeat(1021)}`)).toEqual({
      ok: false,
      problem: "must have at most 1024 characters",
    });
  });

  test("what comes out canonical stays as it is when it goes in again", () => {
    for (const { rule } of accepted) {
      const host = rule.covers === "subdomains" ? `*.${rule.host}` : rule.host;
      const again = parseNetworkEntry(host);
      expect(again).toEqual({ ok: true, rule: { ...ANY_PORT, covers: rule.covers ?? "host", host: rule.host } });
    }
  });
});
