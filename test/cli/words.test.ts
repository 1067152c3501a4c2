import { describe, expect, test } from "bun:test";
import {
  asksForSomething,
  exampleCall,
  formatBytes,
  formatNumber,
  limitLines,
  limitsJson,
  requestRows,
  shellQuote,
  usageWords,
} from "../../lib/cli/words.ts";
import { MANIFEST_DEFAULTS } from "../../lib/manifest/defaults.ts";
import type { Manifest, ManifestArgument, ManifestSecurity } from "../../lib/manifest/manifest.ts";

const nothing: ManifestSecurity = MANIFEST_DEFAULTS.security;

function manifestWith(...declared: readonly Partial<ManifestArgument>[]): Manifest {
  return {
    tool: { id: "dev.example.x", name: "x", version: "1.0.0", wasm: "x.wasm" },
    mcp: { description: "", arguments: declared.map(filledIn) },
    security: nothing,
  };
}

function filledIn(argument: Partial<ManifestArgument>): ManifestArgument {
  return { name: "a", type: "string", description: "", required: true, ...argument };
}

describe("requestRows()", () => {
  test("says that nothing is asked for", () => {
    expect(requestRows(nothing)).toEqual([
      ["network", "nothing asked for"],
      ["files", "nothing asked for"],
      ["environment", "nothing asked for"],
    ]);
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
});

describe("asksForSomething()", () => {
  test("sees each kind of request", () => {
    const requests: readonly ManifestSecurity[] = [
      nothing,
      { ...nothing, netAllowList: ["a.example"] },
      { ...nothing, fsAccess: "sandbox" },
      { ...nothing, envAllowList: ["A"] },
    ];
    expect(requests.map(asksForSomething)).toEqual([false, true, true, true]);
  });
});

describe("exampleCall()", () => {
  test("fills in the required arguments", () => {
    const declared: readonly Partial<ManifestArgument>[] = [
      { name: "text" },
      { name: "count", type: "integer" },
      { name: "optional", required: false },
      { name: "mode", enum: ["fast", "slow"] },
      { name: "rows", type: "array", default: [1] },
    ];
    expect(exampleCall(manifestWith(...declared))).toBe(
      `kami exec dev.example.x --input '{"text":"text","count":1,"mode":"fast","rows":[1]}'`,
    );
  });

  test("gives an empty object to a tool that needs nothing", () => {
    expect(exampleCall(manifestWith())).toBe("kami exec dev.example.x --input '{}'");
  });

  const hostile: readonly { text: string; why: string }[] = [
    { text: "'; touch /tmp/owned; '", why: "it closes the quotes" },
    { text: "$(touch x) `touch x` \\", why: "it substitutes" },
    { text: "\n touch x\n", why: "it starts a line" },
  ];
  test.each(hostile)("is safe to paste although $why", ({ text }) => {
    const call = exampleCall(manifestWith({ enum: [text] }));
    const shell = Bun.spawnSync(["sh", "-c", call.replace("kami exec dev.example.x --input", "printf %s")]);
    expect([shell.stdout.toString(), shell.stderr.toString()]).toEqual([JSON.stringify({ a: text }), ""]);
  });

  test("shows nothing but printable ASCII, and nothing long", () => {
    const placeholder = "kami exec dev.example.x --input '{ … }'";
    expect(exampleCall(manifestWith({ enum: ["\u202ex"] }))).toBe(placeholder);
    expect(exampleCall(manifestWith({ enum: ["x".repeat(200)] }))).toBe(placeholder);
  });
});

describe("shellQuote()", () => {
  test("quotes quotes", () => {
    expect(shellQuote("it's")).toBe("'it'\\''s'");
  });
});

describe("words for numbers", () => {
  test("group digits and choose units", () => {
    expect([formatNumber(1_234_567.891), formatNumber(5)]).toEqual(["1,234,567.89", "5"]);
    expect([0, 1023, 1024, 1_048_575, 1_048_576, 1_572_864].map(formatBytes)).toEqual([
      "0 B",
      "1023 B",
      "1 KiB",
      "1,024 KiB",
      "1 MiB",
      "1.5 MiB",
    ]);
  });

  test("say limits, and which of them are cut", () => {
    const asked = "1,000,000 fuel, 64 MiB of memory, 5,000 ms";
    expect(limitLines(nothing, undefined)).toEqual([asked]);
    expect(limitLines(nothing, { memoryBytes: 1_572_864, timeoutMs: 1000 })).toEqual([
      asked,
      "cut to 1.5 MiB of memory, 1,000 ms by your ceilings; see: kami config",
    ]);
    expect(limitsJson({ memoryBytes: 2_097_152 })).toEqual({ memoryMb: 2 });
    expect(limitsJson({ fuel: 1, memoryBytes: 0, timeoutMs: 2 })).toEqual({ fuel: 1, memoryMb: 0, timeoutMs: 2 });
  });

  test("say what a call used", () => {
    const usage = {
      fuel: 12_345,
      wallMs: 2.7149,
      peakMemoryBytes: 65_536,
      hostCalls: 2,
      inputBytes: 10,
      outputBytes: 2048,
    };
    expect(usageWords(usage)).toBe("12,345 fuel, 2.71 ms, 64 KiB of memory at most, 2 host calls, 10 B in, 2 KiB out");
  });
});
