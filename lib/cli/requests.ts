/**
 * What a tool asks for: what its manifest declares, beside what its component imports. The manifest is its author's word; the imports
 * are all that the component can reach for. Both are cleaned here.
 */
import { clean } from "../errors.ts";
import type { ManifestSecurity } from "../manifest/manifest.ts";

/** Said wherever requests are shown. */
export const NOTHING_GRANTED: string =
  "Nothing that it asks for is granted in this version of KAMI: the tool runs without it.";

const NOT_ASKED = "nothing asked for";
const NOT_GRANTED = "(not granted)";

/** Packages that a line lists. */
const LISTED = 8;

const FILE_WORDS: Readonly<Record<Exclude<ManifestSecurity["fsAccess"], "none">, string>> = {
  "read-only": "reads files",
  sandbox: "reads and writes files in a directory of its own",
};

/** Interfaces by what they give access to. The rest of `wasi:cli`, clocks, random numbers, streams and KAMI's own give access to nothing. */
const NETWORK = /^wasi:(?:http|sockets)\//;
const FILES = /^wasi:filesystem\//;
const ENVIRONMENT = /^wasi:cli\/environment$/;
const HARMLESS = /^(?:wasi:(?:cli|clocks|random|io)|kami:tool)\//;

/**
 * Says what a tool asks for, as rows of a name and a value.
 *
 * @param security - What its manifest declares.
 * @param imports - Interfaces that its component imports, without versions; undefined when they are not known.
 */
export function requestRows(
  { netAllowList, fsAccess, envAllowList }: ManifestSecurity,
  imports: readonly string[] = [],
): readonly (readonly [string, string])[] {
  const network = netAllowList.map((rule) => (rule.includes("://*") || rule.startsWith("*") ? riskOf(rule) : rule));
  const groups = [NETWORK, FILES, ENVIRONMENT, HARMLESS];
  const others = imports.filter((name) => !groups.some((group) => group.test(name)));
  const imported = (group: RegExp): string => undeclared(imports.filter((name) => group.test(name)));
  return [
    ["network", declared(network) ?? imported(NETWORK)],
    ["files", fsAccess === "none" ? imported(FILES) : `${FILE_WORDS[fsAccess]} ${NOT_GRANTED}`],
    ["environment", declared(envAllowList) ?? imported(ENVIRONMENT)],
    ...(others.length === 0 ? [] : [["other", undeclared(others)] as const]),
  ];
}

/** Whether a tool's manifest asks for anything. */
export function asksForSomething({ netAllowList, fsAccess, envAllowList }: ManifestSecurity): boolean {
  return netAllowList.length > 0 || fsAccess !== "none" || envAllowList.length > 0;
}

function declared(entries: readonly string[]): string | undefined {
  return entries.length === 0 ? undefined : `${clean(entries.join(", "), 1000)} ${NOT_GRANTED}`;
}

function undeclared(imports: readonly string[]): string {
  if (imports.length === 0) return NOT_ASKED;
  const packages = [...new Set(imports.map((name) => clean(name.split("/", 1)[0] ?? "", 100)))];
  const more = packages.length > LISTED ? ", …" : "";
  return `not declared, but the component can ask for it (${packages.slice(0, LISTED).join(", ")}${more}): denied`;
}

function riskOf(rule: string): string {
  const isEveryHost = /^(?:[a-z]+:\/\/)?\*(?:[:/]|$)/.test(rule);
  return isEveryHost ? `${rule} [any public host: high risk]` : rule;
}
