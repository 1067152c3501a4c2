/**
 * Tools, their requests and their budgets in plain words and in JSON. What a manifest says is cleaned here.
 */
import { clean } from "../errors.ts";
import type { Manifest, ManifestArgument, ManifestSecurity } from "../manifest/manifest.ts";
import { limitCall } from "../policy/limits.ts";
import type { Limits, Usage } from "../protocol/limits.ts";
import type { InstalledTool } from "../registry/registry.ts";
import { MEBIBYTE } from "./limits.ts";

const NUMBERS = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });

/** Said wherever requests are shown. */
export const NOTHING_GRANTED: string =
  "Nothing that it asks for is granted in this version of KAMI: the tool runs without it.";

/** Writes a number with commas, and at most two digits behind the point. */
export function formatNumber(value: number): string {
  return NUMBERS.format(value);
}

/** Writes bytes as B, KiB or MiB. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < MEBIBYTE ? `${formatNumber(bytes / 1024)} KiB` : `${formatNumber(bytes / MEBIBYTE)} MiB`;
}

/** Says what a tool asks for, as rows of a name and a value. */
export function requestRows(security: ManifestSecurity): readonly (readonly [string, string])[] {
  const { netAllowList, fsAccess, envAllowList } = security;
  const network = netAllowList.map((rule) => (rule.includes("://*") || rule.startsWith("*") ? riskOf(rule) : rule));
  return [
    ["network", asked(network)],
    ["files", fsAccess === "none" ? NOT_ASKED : `${FILE_WORDS[fsAccess]} ${NOT_GRANTED}`],
    ["environment", asked(envAllowList)],
  ];
}

/** Whether a tool asks for anything. */
export function asksForSomething({ netAllowList, fsAccess, envAllowList }: ManifestSecurity): boolean {
  return netAllowList.length > 0 || fsAccess !== "none" || envAllowList.length > 0;
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

/** Says what a call used on one line. */
export function usageWords(usage: Usage): string {
  return [
    `${formatNumber(usage.fuel)} fuel`,
    `${formatNumber(usage.wallMs)} ms`,
    `${formatBytes(usage.peakMemoryBytes)} of memory at most`,
    `${formatNumber(usage.hostCalls)} host calls`,
    `${formatBytes(usage.inputBytes)} in`,
    `${formatBytes(usage.outputBytes)} out`,
  ].join(", ");
}

/**
 * Writes a command that calls a tool, with an input made up from its arguments. Whatever the manifest says, it is safe to paste into a shell.
 */
export function exampleCall({ tool, mcp }: Manifest): string {
  const required = mcp.arguments.filter((argument) => argument.required).slice(0, 4);
  const input = JSON.stringify(Object.fromEntries(required.map((argument) => [argument.name, sampleValue(argument)])));
  // Printable ASCII alone, so that what is pasted is what was read.
  const isPlain = /^[ -~]*$/.test(input) && input.length <= 200;
  return `kami exec ${tool.id} --input ${isPlain ? shellQuote(input) : "'{ … }'"}`;
}

/** Puts text in single quotes for a POSIX shell. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** What `--json` says of a tool. */
export function toolJson(tool: InstalledTool): Readonly<Record<string, unknown>> {
  const { security, mcp } = tool.manifest;
  return {
    id: tool.id,
    name: tool.name,
    version: tool.version,
    description: tool.description,
    enabled: tool.enabled,
    installedAt: new Date(tool.installedAt).toISOString(),
    packageDigest: tool.packageDigest,
    componentDigest: tool.componentDigest,
    componentBytes: tool.componentBytes,
    arguments: mcp.arguments,
    requests: { network: security.netAllowList, files: security.fsAccess, environment: security.envAllowList },
    granted: { network: [], files: "none", environment: [] },
    limits: limitsJson(limitCall(security)),
  };
}

const NOT_ASKED = "nothing asked for";
const NOT_GRANTED = "(not granted)";

const FILE_WORDS: Readonly<Record<Exclude<ManifestSecurity["fsAccess"], "none">, string>> = {
  "read-only": "reads files",
  sandbox: "reads and writes files in a directory of its own",
};

function asked(entries: readonly string[]): string {
  return entries.length === 0 ? NOT_ASKED : `${clean(entries.join(", "), 1000)} ${NOT_GRANTED}`;
}

function riskOf(rule: string): string {
  const isEveryHost = /^(?:[a-z]+:\/\/)?\*(?:[:/]|$)/.test(rule);
  return isEveryHost ? `${rule} [any public host: high risk]` : rule;
}

function sampleValue(argument: ManifestArgument): unknown {
  if (argument.default !== undefined) return argument.default;
  if (argument.enum?.[0] !== undefined) return argument.enum[0];
  return SAMPLES[argument.type];
}

const SAMPLES: Readonly<Record<ManifestArgument["type"], unknown>> = {
  string: "text",
  number: 1,
  integer: 1,
  boolean: true,
  object: {},
  array: [],
};
