/**
 * `kami grant`: lets an installed tool use what it asks for, or a directory of the user's.
 */
import { type Failure, quote, refuse } from "../../errors.ts";
import { type Capability, nameOf, parseCapability } from "../../policy/capability.ts";
import type { Asks, InstalledTool, Registry } from "../../registry/registry.ts";
import { missingAdvice, policyJson, policyRows } from "../access.ts";
import { type Command, command, JSON_ERROR_NOTE } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { MOUNT_ARG, readGrants } from "../grant-flags.ts";
import { resolveTool } from "../names.ts";
import { openRegistry } from "../open.ts";
import type { Session } from "../session.ts";
import { layOutPairs, wrap } from "../table.ts";

/** `kami grant <id> [capability…]`. */
export const grant: Command = command({
  name: "grant",
  args: {
    id: { type: "positional", description: "Id of an installed tool, or its name when no other has it" },
    capability: { type: "positional", description: "Names, as kami grants and kami install show them" },
    all: { type: "boolean", description: "All that the tool asks for" },
    net: {
      type: "string",
      valueHint: "rule",
      description: "A network rule: [scheme://]host[:port][/path]. More than once",
    },
    env: { type: "string", valueHint: "NAME", description: "A variable of yours. More than once" },
    mount: MOUNT_ARG,
    clock: { type: "string", valueHint: "fine", description: "A clock finer than 1 ms" },
    ask: {
      type: "string",
      valueHint: "always|missing|never",
      description: "When a call over MCP needs your word",
    },
    versions: {
      type: "string",
      valueHint: "range",
      description: "1.2.3, ^1.2.3 or *; default: the installed major version",
    },
    json: { type: "boolean", description: "Print { id, granted, policy, missing }, and an error, as JSON" },
  },
  many: ["capability", "net", "env", "mount"],
  notes: [
    "A grant holds for the installed version and later ones of the same major (before",
    "1.0.0 of the same minor). It may be narrower than what the tool asks: a rule that",
    "covers less is granted as it is. The next call has it; nothing is started again.",
    "",
    "Over MCP, a call of a tool that lacks something it asks for needs your word, for that",
    "call alone: --ask never lets it run with what it has, --ask always shows you each",
    "call. A client that cannot show you a question has such calls refused.",
    JSON_ERROR_NOTE,
  ],
  examples: [
    { line: "kami grant dev.example.fetch net:api.github.com", meaning: "one thing that it asks for" },
    { line: "kami grant dev.example.fetch --mount ./data:/data:ro", meaning: "a directory, to read" },
    { line: "kami grant dev.example.fetch --all", meaning: "all that it asks for" },
    { line: "kami grant dev.example.fetch --ask always", meaning: "see each call before it runs" },
  ],
  run: async ({ id, capability, all, versions, ask, json: _json, ...flags }, session) => {
    const asks = readAsks(ask);
    using registry = await openRegistry(session.settings());
    const tool = resolveTool(registry, id);
    const { own } = registry.grants;
    const chosen = await readGrants({ names: capability, ...flags }, { host: session.host, own });
    const wanted = all ? [...askedFor(registry, tool), ...chosen] : chosen;
    if (wanted.length === 0 && asks === undefined) throw nothingToGrant(tool, all);
    if (wanted.length > 0) registry.grants.add(tool.id, wanted, versions);
    if (asks !== undefined) registry.setAsks(tool.id, asks);
    await printGranted(session, registry.require(tool.id), { registry, names: [...new Set(wanted.map(nameOf))] });
    return EXIT.ok;
  },
});

function readAsks(text: string | undefined): Asks | undefined {
  if (text === undefined || text === "always" || text === "missing" || text === "never") return text;
  const problem = `Cannot use ${quote(text)} for --ask: it must be always, missing or never`;
  throw refuse("USAGE", { problem, hint: "see what each means with: kami grant --help" });
}

function askedFor(registry: Registry, tool: InstalledTool): readonly Capability[] {
  return registry.grants.weigh(tool).missing.flatMap((name) => {
    const parsed = parseCapability(name);
    return parsed.ok ? [parsed.capability] : [];
  });
}

function nothingToGrant(tool: InstalledTool, all: boolean): Failure {
  const problem = all
    ? `Cannot grant anything to "${tool.id}": it has all that it asks for, but for directories`
    : `Cannot grant nothing to "${tool.id}": no capability is named`;
  return refuse("USAGE", { problem, hint: `see what it asks for with: kami grants ${tool.id}` });
}

interface Granted {
  readonly registry: Registry;
  readonly names: readonly string[];
}

async function printGranted(session: Session, tool: InstalledTool, { registry, names }: Granted): Promise<void> {
  const weighed = registry.grants.weigh(tool);
  const { columns } = session.host.stdout;
  const advice = missingAdvice(tool, weighed);
  const text = [
    `${session.paint("green", "Granted")} ${session.paint("bold", tool.id)} ${names.join(", ") || "nothing more"}`,
    ...(tool.asks === "missing" ? [] : [`Asks before a call: ${tool.asks}`]),
    "It may use now:",
    layOutPairs(policyRows(weighed, session.host.environment), "  ", columns),
    ...(advice === undefined ? [] : [wrap(advice, columns)]),
  ].join("\n");
  await session.result(text, {
    id: tool.id,
    granted: names,
    asks: tool.asks,
    policy: policyJson(weighed),
    missing: weighed.missing,
  });
}
