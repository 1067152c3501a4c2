/**
 * `kami install`: puts a tool into the registry and says what it asks for.
 */
import { clean, Failure, refuse } from "../../errors.ts";
import type { InstallReport, Runtime } from "../../runtime.ts";
import { type Command, command } from "../command.ts";
import { exampleCall } from "../example.ts";
import { EXIT } from "../exit-codes.ts";
import { mcpNames } from "../names.ts";
import { openRuntime } from "../open.ts";
import { asksForSomething, NOTHING_GRANTED, requestRows } from "../requests.ts";
import type { Session } from "../session.ts";
import { installAll, starterPackages } from "../starter.ts";
import { layOutPairs, wrap } from "../table.ts";
import { limitLines, limitsJson, toolJson } from "../words.ts";

/** `kami install <path>`. */
export const install: Command = command({
  name: "install",
  args: {
    path: { type: "positional", description: "A directory with a tool.toml, that file, a .zip, or a starter tool" },
    json: { type: "boolean", description: "Print the result, and an error, as JSON" },
  },
  notes: [
    "An installed version of the tool is replaced.",
    "The component is compiled, metered and checked before anything is kept; when it",
    "is refused, nothing is left behind. Whatever a tool asks for, it gets nothing:",
    "this version of KAMI grants no capability.",
    "With --json, stdout is { installed, replaced, unchanged, imports, cut }: imports are",
    "the interfaces that the component asks for, cut the limits that your ceilings make",
    "lower than the tool asks; an error is { error: { code, message, hint } } on stderr.",
  ],
  examples: [
    { line: "kami install ./csv-summary", meaning: "install the tool of a directory" },
    { line: "kami install ./csv-summary/tool.toml --json", meaning: "the same, for a script" },
    { line: "kami install starter", meaning: "install the tools that ship with KAMI" },
    { line: "kami install starter/json-query", meaning: "install one of them" },
  ],
  run: async ({ path: word }, session) => {
    const starter = starterPackages(word);
    await using runtime = await openRuntime(session, session.settings());
    if (starter !== undefined && starter.length > 1) return await installAll(session, runtime, starter);
    const [path = word] = starter ?? [];
    const before = new Map(runtime.registry.list().map((tool) => [tool.id, tool.packageDigest]));
    const report = await session.end.interruptible(installPackage(runtime, path));
    const { tool } = report;
    const unchanged = before.get(tool.id) === tool.packageDigest;
    const imports = await session.end.interruptible(runtime.importsOf(tool));
    await session.result(describe({ ...report, unchanged, imports }, session), {
      installed: toolJson(tool, mcpNames(runtime.registry.list()).get(tool.id)),
      replaced: report.replaced ?? null,
      unchanged,
      imports,
      cut: report.cut === undefined ? null : limitsJson(report.cut),
    });
    return EXIT.ok;
  },
});

interface Outcome extends InstallReport {
  /** Whether the same package was there before. */
  readonly unchanged: boolean;
  /** Interfaces that the component imports. */
  readonly imports: readonly string[];
}

/** A manifest that names a file which is not there is a bad package, not a bad command line. */
async function installPackage(runtime: Runtime, path: string): Promise<InstallReport> {
  try {
    return await runtime.install(path);
  } catch (error) {
    const missing = error instanceof Failure && error.code === "FILE_NOT_FOUND" ? error.detail : {};
    if (!("path" in missing) || missing.path === path) throw error;
    throw refuse("PACKAGE_PATH", { path: missing.path, reason: "there is no such file" }, error);
  }
}

function describe({ tool, replaced, cut, unchanged, imports }: Outcome, { paint, host }: Session): string {
  const { columns } = host.stdout;
  const { security } = tool.manifest;
  const before = replaced === undefined ? "" : ` in place of ${clean(replaced)}`;
  const limits = limitLines(security, cut).map((line, index) => [index === 0 ? "limits" : "", line] as const);
  const rows = [...requestRows(security, imports), ...limits];
  return [
    unchanged
      ? `${paint("bold", tool.id)} ${clean(tool.version)} is already installed, unchanged`
      : `${paint("green", "Installed")} ${paint("bold", tool.id)} ${clean(tool.version)}${before}`,
    wrap(clean(tool.description), columns, "  "),
    "",
    layOutPairs(rows, "  ", columns),
    "",
    ...(asksForSomething(security) ? [wrap(NOTHING_GRANTED, columns)] : []),
    exampleCall("Try it with", tool.manifest),
  ].join("\n");
}
