/**
 * What a tool asks for: what its manifest declares, beside what its component imports. The manifest is its author's word; the imports
 * are all that the component can reach for. Both are cleaned here.
 */
import { clean } from "../errors.ts";
import type { ManifestSecurity } from "../manifest/manifest.ts";
import { ELICITATION_NAME, nameOf, parseCapability } from "../policy/capability.ts";
import type { Weighed } from "../policy/effective.ts";

const NOT_ASKED = "nothing asked for";
const MARKS = { granted: "(granted)", missing: "(not granted)" } as const;

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
 * @param known - Interfaces that its component imports, without versions; what it was granted. Both may not be known.
 */
export function requestRows(
  { netAllowList, fsAccess, envAllowList, elicitation }: ManifestSecurity,
  known: { readonly imports?: readonly string[] | undefined; readonly weighed?: Weighed | undefined } = {},
): readonly (readonly [string, string])[] {
  const { imports = [], weighed } = known;
  const missing = new Set(weighed?.missing);
  const isMissing = (name: string): boolean => weighed === undefined || missing.has(name);
  const groups = [NETWORK, FILES, ENVIRONMENT, HARMLESS];
  const others = imports.filter((name) => !groups.some((group) => group.test(name)));
  const imported = (group: RegExp): string => undeclared(imports.filter((name) => group.test(name)));
  const network = netAllowList
    .map(canonicalName)
    .map((name) => [riskOf(name.slice("net:".length)), isMissing(name)] as const);
  const environment = envAllowList.map((name) => [name, isMissing(`env:${name}`)] as const);
  const files = fsAccess === "none" ? [] : [[FILE_WORDS[fsAccess], isMissing(`fs:${fsAccess}`)] as const];
  const questions = elicitation === "none" ? [] : [["in forms", isMissing(ELICITATION_NAME)] as const];
  return [
    ["network", declared(network) ?? imported(NETWORK)],
    ["files", declared(files) ?? imported(FILES)],
    ["environment", declared(environment) ?? imported(ENVIRONMENT)],
    ...(questions.length === 0 ? [] : [["questions", declared(questions) ?? NOT_ASKED] as const]),
    ...(others.length === 0 ? [] : [["other", undeclared(others)] as const]),
  ];
}

/** Says what is asked for: what was granted of it, and what was not. */
function declared(entries: readonly (readonly [text: string, isMissing: boolean])[]): string | undefined {
  const parts = [false, true].flatMap((missing) => {
    const texts = entries.filter((entry) => entry[1] === missing).map(([text]) => text);
    return texts.length === 0 ? [] : [`${clean(texts.join(", "), 1000)} ${missing ? MARKS.missing : MARKS.granted}`];
  });
  return parts.length === 0 ? undefined : parts.join("; ");
}

/** A rule as it is read, not as it is written: a letter of another script must not pass for one of ours. */
function canonicalName(entry: string): string {
  const parsed = parseCapability(`net:${entry}`);
  if (!parsed.ok) throw new Error("BUG: an entry of a manifest was not checked");
  return nameOf(parsed.capability);
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
