/**
 * `kami grants`: what installed tools were granted, and what they ask for beside it.
 */
import { nameOf } from "../../policy/capability.ts";
import { isInRange } from "../../policy/version.ts";
import type { StoredGrant } from "../../registry/grants.ts";
import type { InstalledTool, Registry } from "../../registry/registry.ts";
import { denialLines, denialsJson, missingAdvice, policyJson } from "../access.ts";
import { valuesOf } from "../arguments.ts";
import { type Command, command, JSON_ERROR_NOTE } from "../command.ts";
import { explainNames } from "../consent.ts";
import { EXIT } from "../exit-codes.ts";
import { resolveTool } from "../names.ts";
import { openRegistryToRead } from "../open.ts";
import type { Session } from "../session.ts";
import { layOut, layOutPairs, wrap } from "../table.ts";

/** `kami grants [id…]`. */
export const grants: Command = command({
  name: "grants",
  args: {
    id: { type: "positional", description: "Ids or names of installed tools; default: all that ask for something" },
    json: { type: "boolean", description: "Print { tools: […] }, and an error, as JSON" },
  },
  many: ["id"],
  notes: [
    "IN FORCE says whether a grant has an effect: one for other versions, or of what the",
    "tool does not ask for any more, has none.",
    JSON_ERROR_NOTE,
  ],
  examples: [
    { line: "kami grants", meaning: "of all tools" },
    { line: "kami grants dev.example.fetch --json", meaning: "of one, for a script" },
  ],
  run: async ({ id }, session) => {
    const words = valuesOf(id);
    using registry = await openRegistryToRead(session.settings());
    const named = words.map((word) => resolveTool(registry, word));
    if (registry === undefined) {
      await session.result("", { tools: [] });
      await session.note("no tools are installed; install one with: kami install <directory>");
      return EXIT.ok;
    }
    const all = registry.list();
    const shown = words.length > 0 ? named : all.filter((tool) => isOfInterest(registry, tool));
    const text = shown.map((tool) => describe(registry, tool, session)).join("\n\n");
    await session.result(text, { tools: shown.map((tool) => toolGrantsJson(registry, tool)) });
    if (shown.length === 0) await session.note("no installed tool asks for anything, or was granted anything");
    return EXIT.ok;
  },
});

function isOfInterest(registry: Registry, tool: InstalledTool): boolean {
  return (
    tool.asks !== "missing" || registry.grants.of(tool.id).length > 0 || registry.grants.weigh(tool).missing.length > 0
  );
}

function describe(registry: Registry, tool: InstalledTool, session: Session): string {
  const { columns } = session.host.stdout;
  const weighed = registry.grants.weigh(tool);
  const rows = registry.grants
    .of(tool.id)
    .map((grant) => [
      nameOf(grant.capability),
      grant.versions,
      effectOf(tool, grant, weighed.idle),
      grant.capability.kind === "mount" ? `${grant.capability.hostPath} (${grant.capability.access})` : "",
    ]);
  const table = layOut({ head: ["GRANTED", "VERSIONS", "IN FORCE", "DIRECTORY"], rows }, columns);
  const asks = explainNames(weighed.missing);
  const advice = missingAdvice(tool, weighed);
  const denials = denialLines(tool, registry.denials(tool.id));
  return [
    `${session.paint("bold", tool.id)} ${tool.version}`,
    ...(rows.length === 0 ? ["  was granted nothing"] : table.map((line) => `  ${line}`)),
    ...(asks.length === 0 ? [] : ["  asks for, and does not have:", layOutPairs(asks, "    ", columns)]),
    ...(advice === undefined ? [] : [wrap(advice, columns, "  ")]),
    ...(tool.asks === "missing" ? [] : [`  asks before a call: ${tool.asks}`]),
    ...(denials.length === 0 ? [] : ["  was denied last:", ...denials.map((line) => wrap(line, columns, "    "))]),
  ].join("\n");
}

function effectOf(tool: InstalledTool, { capability, versions }: StoredGrant, idle: readonly string[]): string {
  if (!isInRange(tool.version, versions)) return "no: other versions";
  return idle.includes(nameOf(capability)) ? "no: not asked for" : "yes";
}

function toolGrantsJson(registry: Registry, tool: InstalledTool): Readonly<Record<string, unknown>> {
  const weighed = registry.grants.weigh(tool);
  return {
    id: tool.id,
    version: tool.version,
    asks: tool.asks,
    grants: registry.grants.of(tool.id).map((grant) => grantJson(tool, grant, weighed.idle)),
    policy: policyJson(weighed),
    missing: weighed.missing,
    denials: denialsJson(tool, registry.denials(tool.id)),
  };
}

function grantJson(
  tool: InstalledTool,
  grant: StoredGrant,
  idle: readonly string[],
): Readonly<Record<string, unknown>> {
  const { capability, versions, grantedAt } = grant;
  return {
    capability: nameOf(capability),
    versions,
    inForce: effectOf(tool, grant, idle) === "yes",
    grantedAt: new Date(grantedAt).toISOString(),
    ...(capability.kind === "mount" ? { directory: capability.hostPath, access: capability.access } : {}),
  };
}
