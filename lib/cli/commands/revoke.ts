/**
 * `kami revoke`: takes back what an installed tool was granted.
 */
import { clean, type Failure, quote, refuse } from "../../errors.ts";
import { nameOf, parseCapability } from "../../policy/capability.ts";
import { valuesOf } from "../arguments.ts";
import { type Command, command, JSON_ERROR_NOTE } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { resolveTool } from "../names.ts";
import { openRegistry } from "../open.ts";

/** `kami revoke <id> [capability…]`. */
export const revoke: Command = command({
  name: "revoke",
  args: {
    id: { type: "positional", description: "Id of an installed tool, or its name when no other has it" },
    capability: { type: "positional", description: "Names, as kami grants shows them; a directory is fs:/path" },
    all: { type: "boolean", description: "All that it was granted" },
    json: { type: "boolean", description: "Print { id, revoked }, and an error, as JSON" },
  },
  many: ["capability"],
  notes: [
    "What is taken back is taken back for all versions. Calls that run already keep it",
    "until they end; the next one does not have it. The tool's own directory is kept",
    "until it is uninstalled.",
    JSON_ERROR_NOTE,
  ],
  examples: [
    { line: "kami revoke dev.example.fetch net:api.github.com", meaning: "one thing" },
    { line: "kami revoke dev.example.fetch --all", meaning: "everything" },
  ],
  run: async ({ id, capability, all }, session) => {
    using registry = await openRegistry(session.settings());
    const tool = resolveTool(registry, id);
    const names = valuesOf(capability).map(canonicalName);
    if ((names.length === 0) !== all) throw wrongUsage(all);
    const granted = new Set(registry.grants.of(tool.id).map((each) => nameOf(each.capability)));
    const unknown = names.find((name) => !granted.has(name));
    if (unknown !== undefined) throw notGranted(tool.id, unknown, granted);
    const revoked = registry.grants.remove(tool.id, all ? undefined : names);
    const what =
      revoked.length === 0 ? "nothing: it was granted nothing" : revoked.map((name) => clean(name)).join(", ");
    await session.result(`Revoked from ${tool.id}: ${what}`, { id: tool.id, revoked });
    return EXIT.ok;
  },
});

function canonicalName(text: string): string {
  const parsed = parseCapability(text);
  return parsed.ok ? nameOf(parsed.capability) : text;
}

function wrongUsage(all: boolean): Failure {
  const problem = `Cannot revoke ${all ? "all and some at once" : "nothing: no capability is named"}`;
  return refuse("USAGE", { problem, hint: "name capabilities, or pass --all" });
}

function notGranted(id: string, name: string, granted: ReadonlySet<string>): Failure {
  const list = [...granted].map((each) => clean(each)).join(", ");
  const hint = granted.size === 0 ? "it was granted nothing" : `it was granted: ${list}`;
  return refuse("USAGE", {
    problem: `Cannot revoke ${quote(name)} from "${id}": it was not granted by that name`,
    hint,
  });
}
