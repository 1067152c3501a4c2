/**
 * `kami inspect`: all that is known about an installed tool.
 */
import { clean } from "../../errors.ts";
import type { ManifestArgument } from "../../manifest/manifest.ts";
import { cutLimits } from "../../policy/limits.ts";
import type { Limits } from "../../protocol/limits.ts";
import type { CallRecord, InstalledTool, Registry } from "../../registry/registry.ts";
import { type Command, command, JSON_ERROR_NOTE } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { ceilingsOf, openRegistry } from "../open.ts";
import type { Session } from "../session.ts";
import { layOut, layOutPairs } from "../table.ts";
import {
  asksForSomething,
  exampleCall,
  formatBytes,
  formatNumber,
  limitLines,
  limitsJson,
  NOTHING_GRANTED,
  requestRows,
  toolJson,
} from "../words.ts";

/** Calls that are looked through, of all tools, newest first. */
const CALLS_SEARCHED = 1000;

/** Calls that are shown. */
const CALLS_SHOWN = 10;

/** `kami inspect <id>`. */
export const inspect: Command = command({
  name: "inspect",
  args: {
    id: { type: "positional", description: "Id of an installed tool" },
    json: { type: "boolean", description: "Print { tool, cut, recentCalls }, and an error, as JSON" },
  },
  notes: ["cut are the limits that your ceilings make lower than the tool asks.", JSON_ERROR_NOTE],
  examples: [
    { line: "kami inspect dev.example.csv-summary", meaning: "all about one tool" },
    { line: "kami inspect dev.example.csv-summary --json", meaning: "the same, for a script" },
  ],
  run: async ({ id }, session) => {
    const settings = session.settings();
    using registry = await openRegistry(settings);
    const tool = registry.require(id);
    const cut = cutLimits(tool.manifest.security, ceilingsOf(settings));
    const calls = recentCalls(registry, id);
    await session.result(describe({ tool, cut, calls }, session), {
      tool: toolJson(tool),
      cut: cut === undefined ? null : limitsJson(cut),
      recentCalls: calls.map((call) => ({
        startedAt: new Date(call.startedAt).toISOString(),
        outcome: call.outcome,
        usage: call.usage,
      })),
    });
    return EXIT.ok;
  },
});

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
}

function describe({ tool, cut, calls }: Known, session: Session): string {
  const { security, mcp, tool: named } = tool.manifest;
  const heading = (text: string): string => session.paint("bold", text);
  return [
    `${heading(tool.id)} ${clean(tool.version)}`,
    `  ${clean(tool.description, 1000)}`,
    "",
    layOutPairs(
      [
        ["name", clean(tool.name)],
        ["state", tool.enabled ? "enabled" : `disabled; enable it with: kami enable ${tool.id}`],
        ["installed", new Date(tool.installedAt).toISOString()],
        ["component", `${clean(named.wasm)}, ${formatBytes(tool.componentBytes)}`],
        ["  sha256", tool.componentDigest],
        ["package", tool.packageDigest],
      ],
      "  ",
    ),
    "",
    heading("Arguments"),
    ...argumentLines(mcp.arguments, session),
    "",
    heading("Asks for"),
    layOutPairs(requestRows(security), "  "),
    ...(asksForSomething(security) ? [`  ${NOTHING_GRANTED}`] : []),
    "",
    heading("Limits"),
    ...limitLines(security, cut).map((line) => `  ${line}`),
    "",
    heading("Recent calls"),
    ...callLines(calls, session),
    "",
    `Call it with: ${exampleCall(tool.manifest)}`,
  ].join("\n");
}

function argumentLines(declared: readonly ManifestArgument[], session: Session): readonly string[] {
  if (declared.length === 0) return ["  none declared"];
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
