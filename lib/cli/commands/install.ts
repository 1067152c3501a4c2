/**
 * `kami install`: puts a tool into the registry and says what it asks for.
 */
import { clean, Failure, refuse } from "../../errors.ts";
import type { Weighed } from "../../policy/effective.ts";
import type { Decide } from "../../registry/grants.ts";
import type { InstalledTool } from "../../registry/registry.ts";
import type { InstallReport, Runtime } from "../../runtime.ts";
import { missingAdvice, policyJson } from "../access.ts";
import { valuesOf } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { compareRequests, decideGrants, type Difference, explainNames } from "../consent.ts";
import { exampleCall } from "../example.ts";
import { EXIT } from "../exit-codes.ts";
import { mcpNames } from "../names.ts";
import { openRuntime } from "../open.ts";
import { requestRows } from "../requests.ts";
import type { Session } from "../session.ts";
import { readable } from "../shipped.ts";
import { installAll, starterPackages } from "../starter.ts";
import { layOutPairs, wrap } from "../table.ts";
import { limitLines, limitsJson, toolJson } from "../words.ts";

/** `kami install <path>`. */
export const install: Command = command({
  name: "install",
  args: {
    path: { type: "positional", description: "A directory with a tool.toml, that file, a .zip, or a starter tool" },
    grant: {
      type: "string",
      valueHint: "all|none|name",
      description: "What it gets of what it asks for; names more than once",
    },
    json: { type: "boolean", description: "Print the result, and an error, as JSON" },
  },
  many: ["grant"],
  notes: [
    "An installed version of the tool is replaced; it keeps what it was granted, and",
    "gets nothing of what it asks for anew until you grant it.",
    "The component is compiled, metered and checked before anything is kept; when it",
    "is refused, nothing is left behind. A tool that asks for something is installed when",
    "you have said what it gets: on a terminal you are asked, elsewhere pass --grant.",
    "With --json, stdout is { installed, replaced, unchanged, imports, cut, policy, missing,",
    "asks }: imports are the interfaces that the component asks for, cut the limits that",
    "your ceilings make lower than the tool asks, policy what it may touch, missing what",
    "it asks for beside that, asks.added and asks.dropped the difference to the version",
    "before; an error is { error: { code, message, hint } } on stderr.",
  ],
  examples: [
    { line: "kami install ./csv-summary", meaning: "install the tool of a directory" },
    { line: "kami install ./csv-summary/tool.toml --json", meaning: "the same, for a script" },
    { line: "kami install ./fetch --grant net:api.github.com", meaning: "one that asks for something" },
    { line: "kami install starter", meaning: "install the tools that ship with KAMI" },
    { line: "kami install starter/json-query", meaning: "install one of them" },
  ],
  run: async ({ path: word, grant }, session) => {
    const starter = starterPackages(word);
    using own = readable(starter ?? []);
    await using runtime = await openRuntime(session, session.settings());
    const { grants } = runtime.registry;
    const given = grant === undefined ? undefined : valuesOf(grant);
    if (starter !== undefined && starter.length > 1)
      return await installAll(session, runtime, { packages: own.paths, given });
    const [path = word] = own.paths;
    let before: InstalledTool | undefined;
    const decide: Decide = (source, installed) => {
      before = installed;
      return decideGrants(session, grants, { manifest: source.manifest, before, given });
    };
    const report = await session.end.interruptible(installPackage(runtime, path, decide));
    const { tool } = report;
    const unchanged = before?.packageDigest === tool.packageDigest;
    const asks = compareRequests(before, tool.manifest);
    const weighed = grants.weigh(tool);
    const imports = await session.end.interruptible(runtime.importsOf(tool));
    await session.result(describe({ ...report, unchanged, imports, asks, weighed }, session), {
      installed: toolJson(tool, mcpNames(runtime.registry.list()).get(tool.id), weighed),
      replaced: report.replaced ?? null,
      unchanged,
      imports,
      cut: report.cut === undefined ? null : limitsJson(report.cut),
      policy: policyJson(weighed),
      missing: weighed.missing,
      asks,
    });
    return EXIT.ok;
  },
});

interface Outcome extends InstallReport {
  /** Whether the same package was there before. */
  readonly unchanged: boolean;
  /** Interfaces that the component imports. */
  readonly imports: readonly string[];
  readonly asks: Difference;
  readonly weighed: Weighed;
}

/** A manifest that names a file which is not there is a bad package, not a bad command line. */
async function installPackage(runtime: Runtime, path: string, decide: Decide): Promise<InstallReport> {
  try {
    return await runtime.install(path, decide);
  } catch (error) {
    const missing = error instanceof Failure && error.code === "FILE_NOT_FOUND" ? error.detail : {};
    if (!("path" in missing) || missing.path === path) throw error;
    throw refuse("PACKAGE_PATH", { path: missing.path, reason: "there is no such file" }, error);
  }
}

function describe(
  { tool, replaced, cut, unchanged, imports, asks, weighed }: Outcome,
  { paint, host }: Session,
): string {
  const { columns } = host.stdout;
  const { security } = tool.manifest;
  const before = replaced === undefined ? "" : ` in place of ${clean(replaced)}`;
  const limits = limitLines(security, cut).map((line, index) => [index === 0 ? "limits" : "", line] as const);
  const rows = [...requestRows(security, { imports, weighed }), ...limits];
  const missing = weighed.missing.filter((name) => replaced === undefined || asks.added.includes(name));
  const words = layOutPairs(explainNames(missing), "  ", columns);
  const advice = missingAdvice(tool, weighed);
  return [
    unchanged
      ? `${paint("bold", tool.id)} ${clean(tool.version)} is already installed, unchanged`
      : `${paint("green", "Installed")} ${paint("bold", tool.id)} ${clean(tool.version)}${before}`,
    wrap(clean(tool.description), columns, "  "),
    "",
    layOutPairs(rows, "  ", columns),
    "",
    ...differenceLines(asks, replaced, columns),
    ...(missing.length === 0
      ? []
      : [`${replaced === undefined ? "Not granted" : "Asked for anew, and not granted"}:`, words, ""]),
    ...(advice === undefined ? [] : [wrap(advice, columns)]),
    exampleCall("Try it with", tool),
  ].join("\n");
}

/** What an update asks for that the version before did not, and the other way round. */
function differenceLines(
  { added, dropped }: Difference,
  replaced: string | undefined,
  columns?: number,
): readonly string[] {
  if (replaced === undefined) return [];
  return [
    ...(added.length === 0 ? [] : [wrap(`It asks for anew: ${added.join(", ")}`, columns)]),
    ...(dropped.length === 0 ? [] : [wrap(`It asks no longer for: ${dropped.join(", ")}`, columns)]),
  ];
}
