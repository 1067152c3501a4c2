/**
 * What is worth saying about a tool before others meet it: a pure look at its manifest and at what its component imports.
 */
import type { ComponentKind } from "../component/artifact.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { PLACEHOLDER } from "../manifest/prompts.ts";

/** Something found, and what to do about it. */
export interface Finding {
  /** An error keeps the tool from working, a warning from working well; a note is to be known. */
  readonly level: "error" | "warning" | "note";
  readonly text: string;
  readonly hint: string;
}

/** What is known of a component. */
export interface ComponentFacts {
  readonly kind: ComponentKind;
  /** Interfaces, without versions. */
  readonly imports: readonly string[];
  readonly bytes: number;
}

const LARGE_BYTES = 8 * 1_048_576;
const SHORT_DESCRIPTION = 20;
const LONG_DESCRIPTION = 1000;
/** Fuel in which an engine of JavaScript hardly starts. */
const LITTLE_FUEL = 5_000_000;
const ENGINE_BYTES = 900_000;

/** Looks at a tool. @returns Findings, the worst first. */
export function checkTool(manifest: Manifest, component: ComponentFacts): readonly Finding[] {
  const levels = ["error", "warning", "note"];
  return [
    ...checkDescriptions(manifest),
    ...checkPrompts(manifest),
    ...checkSchemas(manifest),
    ...checkCapabilities(manifest, component),
    ...checkBudget(manifest, component),
  ].toSorted((left, right) => levels.indexOf(left.level) - levels.indexOf(right.level));
}

function checkDescriptions({ mcp }: Manifest): Finding[] {
  const findings: Finding[] = [];
  const { length } = mcp.description;
  if (length < SHORT_DESCRIPTION)
    findings.push({
      level: "warning",
      text: `the description has ${length} characters: an agent cannot tell when to use the tool`,
      hint: "say in mcp.description what it does, what it gives back, and when to use it",
    });
  if (length > LONG_DESCRIPTION)
    findings.push({
      level: "warning",
      text: `the description has ${length} characters, which every agent reads each time`,
      hint: `keep mcp.description under ${LONG_DESCRIPTION} characters`,
    });
  for (const { name, description, required, default: fallback } of mcp.arguments) {
    if (description.trim() === "")
      findings.push({
        level: "warning",
        text: `the argument "${name}" has no description`,
        hint: "say what it is, with an example",
      });
    if (required && fallback !== undefined)
      findings.push({
        level: "note",
        text: `the argument "${name}" is required and has a default`,
        hint: "leave out one of the two",
      });
  }
  if (mcp.arguments.length === 0 && mcp.inputSchema === undefined)
    findings.push({
      level: "note",
      text: "the tool takes no arguments",
      hint: "list them as [[mcp.arguments]], if it does",
    });
  return findings;
}

/** Clients hand schemas on to models, whose interfaces take less than JSON Schema has. */
function checkSchemas({ mcp: { inputSchema = {} } }: Manifest): Finding[] {
  const roots = ["oneOf", "anyOf", "allOf"].filter((key) => Object.hasOwn(inputSchema, key));
  const found = roots.map((key) => `${key} at its root`);
  if (JSON.stringify(inputSchema).includes('"prefixItems":')) found.push("prefixItems");
  return found.map((what) => ({
    level: "warning",
    text: `the input schema has ${what}, and some agents refuse a tool that has it`,
    hint: "say it in the description, and have the tool check it",
  }));
}

function checkPrompts({ mcp: { prompts = [] } }: Manifest): Finding[] {
  return prompts.flatMap(({ name, messages, arguments: declared }) => {
    const used = new Set([...JSON.stringify(messages).matchAll(PLACEHOLDER)].map(([, argument]) => argument));
    const unused = declared.filter((argument) => !used.has(argument.name));
    return unused.map((argument) => ({
      level: "warning" as const,
      text: `the prompt "${name}" does not use its argument "${argument.name}"`,
      hint: `write {{${argument.name}}} where its value goes, or leave it out`,
    }));
  });
}

interface Access {
  readonly name: string;
  readonly pattern: RegExp;
  readonly isAsked: boolean;
  readonly key: string;
  readonly example: string;
}

/** Tools on an engine that imports all of WASI import more than they use: what is not asked for is then no more than a note. */
function checkCapabilities({ security }: Manifest, { imports, bytes }: ComponentFacts): Finding[] {
  const accesses: readonly Access[] = [
    {
      name: "the network",
      pattern: /^wasi:(?:http\/outgoing|sockets)/,
      isAsked: security.netAllowList.length > 0,
      key: "net_allow_list",
      example: '["api.example.com"]',
    },
    {
      name: "files",
      pattern: /^wasi:filesystem\/preopens/,
      isAsked: security.fsAccess !== "none",
      key: "fs_access",
      example: '"read-only"',
    },
    {
      name: "variables",
      pattern: /^wasi:cli\/environment/,
      isAsked: security.envAllowList.length > 0,
      key: "env_allow_list",
      example: '["API_KEY"]',
    },
  ];
  const findings = accesses.flatMap((access): Finding[] => {
    const isImported = imports.some((name) => access.pattern.test(name));
    if (isImported && !access.isAsked)
      return [
        {
          level: bytes > ENGINE_BYTES || access.key === "env_allow_list" ? "note" : "warning",
          text: `the component can ask for ${access.name}, and the manifest does not: it gets none`,
          hint: `if it uses them, add to [security]: ${access.key} = ${access.example}`,
        },
      ];
    if (!isImported && access.isAsked)
      return [
        {
          level: "warning",
          text: `the manifest asks for ${access.name}, and the component cannot use them`,
          hint: `remove ${access.key}: who asks for less is trusted more`,
        },
      ];
    return [];
  });
  const broad = security.netAllowList.filter((rule) => /^(?:[a-z]+:\/\/)?\*(?:[:/]|$)/.test(rule));
  return broad.length === 0
    ? findings
    : [
        ...findings,
        {
          level: "warning",
          text: "the manifest asks for every public host",
          hint: "name the hosts that it needs in net_allow_list",
        },
      ];
}

function checkBudget({ security }: Manifest, { bytes, kind }: ComponentFacts): Finding[] {
  const findings: Finding[] = [];
  if (bytes > LARGE_BYTES)
    findings.push({
      level: "note",
      text: `the component has ${(bytes / 1_048_576).toFixed(1)} MiB: it takes seconds to install, and its first call half of one`,
      hint: "strip it; for TypeScript, build with --engine quickjs",
    });
  if (bytes > ENGINE_BYTES && security.maxFuel < LITTLE_FUEL)
    findings.push({
      level: "warning",
      text: `max_fuel is ${security.maxFuel}, which an engine inside the component can use up before the tool begins`,
      hint: "measure what it needs with: kami test",
    });
  if (kind === "functions")
    findings.push({
      level: "note",
      text: "the component exports functions of its own: each is a tool",
      hint: "its schemas come from its WIT",
    });
  return findings;
}
