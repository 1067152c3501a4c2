/**
 * `kami inspect`: all that is known about an installed tool.
 */
import { clean, Failure } from "../../errors.ts";
import type { ManifestArgument } from "../../manifest/manifest.ts";
import { cutLimits } from "../../policy/limits.ts";
import { type Limits, usageJson } from "../../protocol/limits.ts";
import type { Weighed } from "../../policy/effective.ts";
import type { DenialRecord } from "../../registry/denials.ts";
import type { CallRecord } from "../../registry/calls.ts";
import type { InstalledTool, Registry } from "../../registry/registry.ts";
import type { Runtime } from "../../runtime.ts";
import { denialLines, denialsJson, missingAdvice, policyJson, policyRows } from "../access.ts";
import { bringRows, bringsJson } from "../brings.ts";
import { type Command, command, JSON_ERROR_NOTE } from "../command.ts";
import type { FunctionDescription } from "../../component/functions.ts";
import { exampleCall } from "../example.ts";
import { EXIT } from "../exit-codes.ts";
import { mcpNames, resolveTool } from "../names.ts";
import { ceilingsOf, hasRegistry, openRuntime } from "../open.ts";
import { requestRows } from "../requests.ts";
import type { Session } from "../session.ts";
import { layOut, layOutPairs, wrap } from "../table.ts";
import { formatBytes, formatNumber, limitLines, limitsJson, toolJson } from "../words.ts";

/** Calls that are looked through, of all tools, newest first. */
const CALLS_SEARCHED = 1000;

/** Calls that are shown. */
const CALLS_SHOWN = 10;

/** `kami inspect <id>`. */
export const inspect: Command = command({
  name: "inspect",
  args: {
    id: { type: "positional", description: "Id of an installed tool, or its name when no other has it" },
    json: { type: "boolean", description: "Print all of it, and an error, as JSON" },
  },
  notes: [
    "imports are the interfaces that the component asks for; null when it cannot be loaded.",
    "cut are the limits that your ceilings make lower than the tool asks; policy is what",
    "it may touch, missing what it asks for beside that, denials what it was denied last.",
    JSON_ERROR_NOTE,
  ],
  examples: [
    { line: "kami inspect dev.example.csv-summary", meaning: "all about one tool" },
    { line: "kami inspect dev.example.csv-summary --json", meaning: "the same, for a script" },
  ],
  run: async ({ id }, session) => {
    const settings = session.settings();
    // Opening the runtime would make a registry, only to look for the tool in it.
    if (!hasRegistry(settings)) resolveTool(undefined, id);
    await using runtime = await openRuntime(session, settings);
    const { registry } = runtime;
    const tool = resolveTool(registry, id);
    const imports = await session.end.interruptible(importsOf(runtime, tool));
    const mcpName = mcpNames(registry.list()).get(tool.id);
    const cut = cutLimits(tool.manifest.security, ceilingsOf(settings));
    const calls = recentCalls(registry, tool.id);
    const weighed = registry.grants.weigh(tool);
    const denials = registry.denials(tool.id);
    await session.result(describe({ tool, cut, calls, imports, mcpName, weighed, denials }, session), {
      tool: toolJson(tool, mcpName, weighed),
      ...bringsJson(tool.manifest.mcp),
      imports: imports ?? null,
      cut: cut === undefined ? null : limitsJson(cut),
      policy: policyJson(weighed),
      missing: weighed.missing,
      denials: denialsJson(tool, denials),
      recentCalls: calls.map((call) => ({
        startedAt: new Date(call.startedAt).toISOString(),
        outcome: call.outcome,
        usage: usageJson(call.usage),
      })),
    });
    return EXIT.ok;
  },
});

/** A component that cannot be loaded any more must not keep its tool from being looked at. */
async function importsOf(runtime: Runtime, tool: InstalledTool): Promise<readonly string[] | undefined> {
  try {
    return await runtime.importsOf(tool);
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

function recentCalls(registry: Registry, id: string): readonly CallRecord[] {
  return registry
    .calls(CALLS_SEARCHED)
    .filter((call) => call.toolId === id)
    .slice(0, CALLS_SHOWN);
}

interface Known {
  readonly tool: InstalledTool;
  /** The limits that the user's ceilings make lower than the manifest asks. */
  readonly cut: Partial<Limits> | undefined;
  readonly calls: readonly CallRecord[];
  /** Interfaces that the component imports; undefined when it cannot be loaded. */
  readonly imports: readonly string[] | undefined;
  readonly mcpName: string | undefined;
  readonly weighed: Weighed;
  readonly denials: readonly DenialRecord[];
}

function describe({ tool, cut, calls, imports, mcpName, weighed, denials }: Known, session: Session): string {
  const { columns } = session.host.stdout;
  const { security, mcp, tool: named } = tool.manifest;
  const advice = missingAdvice(tool, weighed);
  const brings = bringRows(mcp);
  const indent = (line: string): string => wrap(line, columns, "  ");
  const heading = (text: string): string => session.paint("bold", text);
  return [
    `${heading(tool.id)} ${clean(tool.version)}`,
    wrap(clean(tool.description, 1000), columns, "  "),
    "",
    layOutPairs(
      [
        ["name", clean(tool.name)],
        ["MCP name", mcpName ?? "none"],
        ["state", tool.enabled ? "enabled" : `disabled; enable it with: kami enable ${tool.id}`],
        ["installed", new Date(tool.installedAt).toISOString()],
        ["component", `${clean(named.wasm)}, ${formatBytes(tool.componentBytes)}`],
        ["  sha256", tool.componentDigest],
        ["package", tool.packageDigest],
      ],
      "  ",
    ),
    "",
    ...(tool.functions.length > 0
      ? [heading("Functions"), ...tool.functions.map((each) => indent(functionLine(each)))]
      : [heading("Arguments"), ...argumentLines(mcp.arguments, session, tool.described?.inputSchema)]),
    "",
    ...(brings.length === 0 ? [] : [heading("Brings"), layOutPairs(brings, "  ", columns), ""]),
    heading("Asks for"),
    layOutPairs(requestRows(security, { imports, weighed }), "  ", columns),
    ...(advice === undefined ? [] : [wrap(advice, columns, "  ")]),
    "",
    heading("May use"),
    layOutPairs(policyRows(weighed, session.host.environment), "  ", columns),
    "",
    heading("Limits"),
    ...limitLines(security, cut).map((line) => wrap(line, columns, "  ")),
    "",
    ...(denials.length === 0 ? [] : [heading("Denied last"), ...denialLines(tool, denials).map(indent), ""]),
    heading("Recent calls"),
    ...callLines(calls, session),
    "",
    exampleCall("Call it with", tool),
  ].join("\n");
}

/** A function's name, and the names of what it takes. */
function functionLine({ name, inputSchema }: FunctionDescription): string {
  const { properties } = inputSchema;
  const names = typeof properties === "object" && properties !== null ? Object.keys(properties) : [];
  return `${name}(${names.map((each) => clean(each, 100)).join(", ")})`;
}

function argumentLines(
  declared: readonly ManifestArgument[],
  session: Session,
  schema: Readonly<Record<string, unknown>> | undefined,
): readonly string[] {
  const own = schema?.["properties"];
  const names = typeof own === "object" && own !== null ? Object.keys(own).map((name) => clean(name, 100)) : [];
  if (declared.length === 0) return [names.length === 0 ? "  none declared" : `  by its schema: ${names.join(", ")}`];
  const rows = declared.map((argument) => [
    `  ${argument.name}`,
    argument.type,
    argument.required ? "required" : "optional",
    argument.description,
  ]);
  const [, ...lines] = layOut({ head: ["", "", "", ""], rows }, session.host.stdout.columns);
  return lines.map((line) => `  ${line}`);
}

function callLines(calls: readonly CallRecord[], session: Session): readonly string[] {
  if (calls.length === 0) return ["  none"];
  const rows = calls.map(({ startedAt, outcome, usage }) => [
    new Date(startedAt).toISOString(),
    outcome,
    `${formatNumber(usage.fuel)} fuel`,
    `${formatNumber(usage.wallMs)} ms`,
    formatBytes(usage.peakMemoryBytes),
  ]);
  const [, ...lines] = layOut({ head: ["", "", "", "", ""], rows }, session.host.stdout.columns);
  return lines.map((line) => `  ${line}`);
}
