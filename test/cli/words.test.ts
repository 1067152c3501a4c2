import { describe, expect, test } from "bun:test";
import { formatBytes, formatNumber, limitLines, limitsJson, usageBlock } from "../../lib/cli/words.ts";
import { usageJson } from "../../lib/protocol/limits.ts";
import { MANIFEST_DEFAULTS } from "../../lib/manifest/defaults.ts";
import type { ManifestSecurity } from "../../lib/manifest/manifest.ts";

const nothing: ManifestSecurity = MANIFEST_DEFAULTS.security;

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
      cpuMs: 1.499_96,
      wallMs: 2.7149,
      peakMemoryBytes: 65_536,
      hostCalls: 2,
      inputBytes: 10,
      outputBytes: 2048,
      isPartial: false,
    };
    const figures = [
      "  fuel         12,345",
      "  CPU time     1.5 ms",
      "  wall time    2.71 ms",
      "  peak memory  64 KiB",
      "  host calls   2",
      "  input        10 B",
      "  output       2 KiB",
    ];
    expect(usageBlock(usage).split("\n")).toEqual(["usage", ...figures]);
    expect(usageBlock({ ...usage, isPartial: true }).split("\n")).toEqual([
      "usage, at least: the call was given up before it could say",
      ...figures,
    ]);
    expect(usageJson({ ...usage, wallMs: 2.714_949_9 })).toEqual({ ...usage, cpuMs: 1.5, wallMs: 2.715 });
  });
});
