import { describe, expect, test } from "bun:test";
import { requestRows } from "../../lib/cli/requests.ts";
import { MANIFEST_DEFAULTS } from "../../lib/manifest/defaults.ts";
import { parseCapability } from "../../lib/policy/capability.ts";
import { weigh } from "../../lib/policy/effective.ts";
import type { ManifestSecurity } from "../../lib/manifest/manifest.ts";

const nothing: ManifestSecurity = MANIFEST_DEFAULTS.security;
const can = (packages: string): string => `not declared, but the component can ask for it (${packages}): denied`;

describe("requestRows()", () => {
  test("says that nothing is asked for", () => {
    const imports = [
      "kami:tool/host",
      "wasi:cli/stdout",
      "wasi:clocks/wall-clock",
      "wasi:io/streams",
      "wasi:random/random",
    ];
    const rows = ["network", "files", "environment"].map((name) => [name, "nothing asked for"] as const);
    expect([requestRows(nothing), requestRows(nothing, { imports })]).toEqual([rows, rows]);
  });

  test("names what is asked for, and the risk of every host", () => {
    const netAllowList = ["api.example.com", "*.example.org", "*", "http://*:8080/x", "https://*.example.net"];
    expect(requestRows({ ...nothing, netAllowList, fsAccess: "read-only", envAllowList: ["A", "B"] })).toEqual([
      [
        "network",
        "api.example.com, *.example.org, * [any public host: high risk], http://*:8080/x [any public host: high risk], https://*.example.net (not granted)",
      ],
      ["files", "reads files (not granted)"],
      ["environment", "A, B (not granted)"],
    ]);
  });

  test("names what the component imports and the manifest does not declare", () => {
    const imports = [
      "acme:database/query",
      "wasi:cli/environment",
      "wasi:filesystem/preopens",
      "wasi:filesystem/types",
      "wasi:http/types",
      "wasi:sockets/tcp",
    ];
    expect(requestRows(nothing, { imports })).toEqual([
      ["network", can("wasi:http, wasi:sockets")],
      ["files", can("wasi:filesystem")],
      ["environment", can("wasi:cli")],
      ["other", can("acme:database")],
    ]);
    const declared: ManifestSecurity = {
      ...nothing,
      netAllowList: ["a.example"],
      fsAccess: "sandbox",
      envAllowList: ["A"],
    };
    expect(requestRows(declared, { imports }).map(([, value]) => value)).toEqual([
      "a.example (not granted)",
      "reads and writes files in a directory of its own (not granted)",
      "A (not granted)",
      can("acme:database"),
    ]);
  });

  test("shows hosts as they are read: a letter of another script gives itself away", () => {
    expect(requestRows({ ...nothing, netAllowList: ["\u0430pi.github.com", "API.GitHub.com."] })[0]).toEqual([
      "network",
      "xn--pi-6kc.github.com, api.github.com (not granted)",
    ]);
  });

  test("says what of it was granted", () => {
    const security: ManifestSecurity = {
      ...nothing,
      netAllowList: ["A.example", "b.example", "*"],
      fsAccess: "sandbox",
      envAllowList: ["A", "B"],
    };
    const names = ["net:a.example", "fs:sandbox", "env:B"].map(parseCapability);
    const weighed = weigh(
      security,
      names.flatMap((parsed) => (parsed.ok ? [parsed.capability] : [])),
    );
    expect(requestRows(security, { weighed })).toEqual([
      ["network", "a.example (granted); b.example, * [any public host: high risk] (not granted)"],
      ["files", "reads and writes files in a directory of its own (granted)"],
      ["environment", "B (granted); A (not granted)"],
    ]);
  });

  test("keeps names that a component makes up clean, and few", () => {
    const imports = ["\u001b[2Ja\nb/c", ...Array.from({ length: 8 }, (_, index) => `p:${index}/x`)];
    expect(requestRows(nothing, { imports })[3]).toEqual(["other", can("a b, p:0, p:1, p:2, p:3, p:4, p:5, p:6, …")]);
  });
});
