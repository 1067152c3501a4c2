/**
 * Tools and their budgets in plain words and in JSON.
 */
import type { ManifestSecurity } from "../manifest/manifest.ts";
import { formatNetworkRule } from "../network-rule.ts";
import type { Weighed } from "../policy/effective.ts";
import { limitCall } from "../policy/limits.ts";
import type { Limits, Usage } from "../protocol/limits.ts";
import type { InstalledTool } from "../registry/registry.ts";
import { MEBIBYTE } from "./limits.ts";
import { layOutPairs } from "./table.ts";

const NUMBERS = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });

/** Writes a number with commas, and at most two digits behind the point. */
export function formatNumber(value: number): string {
  return NUMBERS.format(value);
}

/** Writes bytes as B, KiB or MiB. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < MEBIBYTE ? `${formatNumber(bytes / 1024)} KiB` : `${formatNumber(bytes / MEBIBYTE)} MiB`;
}

/** Says limits on one line; those that are not given are left out. */
function limitWords({ fuel, memoryBytes, timeoutMs }: Partial<Limits>): string {
  return [
    ...(fuel === undefined ? [] : [`${formatNumber(fuel)} fuel`]),
    ...(memoryBytes === undefined ? [] : [`${formatNumber(memoryBytes / MEBIBYTE)} MiB of memory`]),
    ...(timeoutMs === undefined ? [] : [`${formatNumber(timeoutMs)} ms`]),
  ].join(", ");
}

/**
 * Says a tool's limits: a line for what its manifest asks for, and one more when it gets less.
 *
 * @param cut - The limits that the user's ceilings make lower, as they are in force.
 */
export function limitLines(security: ManifestSecurity, cut: Partial<Limits> | undefined): readonly string[] {
  const own = limitWords(limitCall(security));
  return cut === undefined ? [own] : [own, `cut to ${limitWords(cut)} by your ceilings; see: kami config`];
}

/** Says limits in JSON, by the names that {@link toolJson} gives them. */
export function limitsJson({ fuel, memoryBytes, timeoutMs }: Partial<Limits>): Readonly<Record<string, number>> {
  return {
    ...(fuel === undefined ? {} : { fuel }),
    ...(memoryBytes === undefined ? {} : { memoryMb: memoryBytes / MEBIBYTE }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

/** Says what a call used, a heading and a line for each figure. */
export function usageBlock(usage: Usage): string {
  const heading = usage.isPartial ? "usage, at least: the call was given up before it could say" : "usage";
  const figures = [
    ["fuel", formatNumber(usage.fuel)],
    ["CPU time", `${formatNumber(usage.cpuMs)} ms`],
    ["wall time", `${formatNumber(usage.wallMs)} ms`],
    ["peak memory", formatBytes(usage.peakMemoryBytes)],
    ["host calls", formatNumber(usage.hostCalls)],
    ["input", formatBytes(usage.inputBytes)],
    ["output", formatBytes(usage.outputBytes)],
  ] as const;
  return `${heading}\n${layOutPairs(figures, "  ")}`;
}

/**
 * What `--json` says of a tool.
 *
 * @param mcpName - What an agent that connects now calls it.
 * @param weighed - What it was granted.
 */
export function toolJson(
  tool: InstalledTool,
  mcpName: string | undefined,
  weighed: Weighed,
): Readonly<Record<string, unknown>> {
  const { security, mcp } = tool.manifest;
  return {
    id: tool.id,
    name: tool.name,
    mcpName: mcpName ?? null,
    version: tool.version,
    description: tool.description,
    enabled: tool.enabled,
    installedAt: new Date(tool.installedAt).toISOString(),
    packageDigest: tool.packageDigest,
    componentDigest: tool.componentDigest,
    componentBytes: tool.componentBytes,
    arguments: mcp.arguments,
    requests: {
      network: security.netAllowList,
      files: security.fsAccess,
      environment: security.envAllowList,
      elicitation: security.elicitation,
    },
    granted: {
      network: weighed.network.map(formatNetworkRule),
      files: weighed.hasSandbox ? "sandbox" : weighed.mounts.length > 0 ? "mounts" : "none",
      environment: weighed.environment,
      elicitation: weighed.hasElicitation ? "form" : "none",
    },
    limits: limitsJson(limitCall(security)),
  };
}
