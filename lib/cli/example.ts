/**
 * A command that calls a tool, for who has just installed it. Whatever the manifest says, it is safe to paste into a shell.
 */
import type { FunctionDescription } from "../component/functions.ts";
import type { ManifestArgument } from "../manifest/manifest.ts";
import type { InstalledTool } from "../registry/registry.ts";

/** Arguments that an example has at most. */
const SHOWN = 4;

/** Arguments up to which those that may be left out are added. */
const ENOUGH = 2;

const UNKNOWN = "…";

/** Values that need nobody's imagination. */
const SAMPLES: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["number", 1],
  ["integer", 1],
  ["boolean", true],
]);

/**
 * Writes an invitation to call a tool: with an input that works when the manifest's defaults, enumerations and types give one, else
 * with the input's shape, to be filled in.
 *
 * @param lead - How the sentence begins: `Try it with`.
 */
export function exampleCall(
  lead: string,
  { manifest, functions }: Pick<InstalledTool, "manifest" | "functions">,
): string {
  const { tool, mcp } = manifest;
  const [first] = functions;
  if (first !== undefined) return exampleOfFunction(lead, tool.id, first);
  const shown = mcp.arguments.filter((argument) => argument.required).slice(0, SHOWN);
  const isShape = shown.some((argument) => sampleValue(argument) === undefined);
  if (isShape || shown.length === 0) {
    const unset = mcp.arguments.filter((argument) => !argument.required && argument.default === undefined);
    shown.push(...unset.slice(0, Math.max(0, ENOUGH - shown.length)));
  }
  const members = shown.map((argument) => [JSON.stringify(argument.name), valueText(argument)] as const);
  const needsFilling = members.some(([, value]) => value === UNKNOWN);
  const [colon, comma] = needsFilling ? [": ", ", "] : [":", ","];
  const input = `{${members.map((member) => member.join(colon)).join(comma)}}`;
  // Printable ASCII alone, so that what is pasted is what was read.
  const isPlain = /^[ -~]*$/.test(input.replaceAll(UNKNOWN, "")) && input.length <= 200;
  const shownInput = isPlain ? shellQuote(input) : `'{ ${UNKNOWN} }'`;
  return `${lead}${needsFilling || !isPlain ? ` (fill in each ${UNKNOWN})` : ""}: kami exec ${tool.id} --input ${shownInput}`;
}

/** The shape of the first function's input, to be filled in. */
function exampleOfFunction(lead: string, id: string, { name, inputSchema }: FunctionDescription): string {
  const required = Array.isArray(inputSchema["required"]) ? inputSchema["required"].map(String) : [];
  const members = required.slice(0, SHOWN).map((member) => `${JSON.stringify(member)}: ${UNKNOWN}`);
  const input = members.length === 0 ? "{}" : `{${members.join(", ")}}`;
  const fill = members.length === 0 ? "" : ` (fill in each ${UNKNOWN})`;
  return `${lead}${fill}: kami exec ${id} --function ${shellWord(name)} --input ${shellQuote(input)}`;
}

/** Puts text in single quotes for a POSIX shell. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Quotes text for a POSIX shell where it has to be. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : shellQuote(text);
}

function valueText(argument: ManifestArgument): string {
  const value = sampleValue(argument);
  return value === undefined ? UNKNOWN : JSON.stringify(value);
}

function sampleValue(argument: ManifestArgument): unknown {
  return argument.default ?? argument.enum?.[0] ?? SAMPLES.get(argument.type);
}
