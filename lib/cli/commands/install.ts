/**
 * `kami install`: puts a tool into the registry and says what it asks for.
 */
import { clean } from "../../errors.ts";
import type { InstallReport } from "../../runtime.ts";
import { type Command, command } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { openRuntime } from "../open.ts";
import type { Session } from "../session.ts";
import { layOutPairs } from "../table.ts";
import {
  asksForSomething,
  exampleCall,
  limitLines,
  limitsJson,
  NOTHING_GRANTED,
  requestRows,
  toolJson,
} from "../words.ts";

/** `kami install <path>`. */
export const install: Command = command({
  name: "install",
  args: {
    path: { type: "positional", description: "A directory that holds a tool.toml, or the tool.toml itself" },
    json: { type: "boolean", description: "Print the result, and an error, as JSON" },
  },
  notes: [
    "An installed version of the tool is replaced.",
    "The component is compiled, metered and checked before anything is kept; when it",
    "is refused, nothing is left behind. Whatever a tool asks for, it gets nothing:",
    "this version of KAMI grants no capability.",
    "With --json, stdout is { installed, replaced, cut }: cut are the limits that your",
    "ceilings make lower than the tool asks; an error is { error: { code, message, hint } }",
    "on stderr.",
  ],
  examples: [
    { line: "kami install ./csv-summary", meaning: "install the tool of a directory" },
    { line: "kami install ./csv-summary/tool.toml --json", meaning: "the same, for a script" },
  ],
  run: async ({ path }, session) => {
    await using runtime = await openRuntime(session, session.settings());
    const report = await session.end.interruptible(runtime.install(path));
    await session.result(describe(report, session), {
      installed: toolJson(report.tool),
      replaced: report.replaced ?? null,
      cut: report.cut === undefined ? null : limitsJson(report.cut),
    });
    return EXIT.ok;
  },
});

function describe({ tool, replaced, cut }: InstallReport, { paint }: Session): string {
  const { security } = tool.manifest;
  const before = replaced === undefined ? "" : ` in place of ${clean(replaced)}`;
  const limits = limitLines(security, cut).map((line, index) => [index === 0 ? "limits" : "", line] as const);
  const rows = [...requestRows(security), ...limits];
  return [
    `${paint("green", "Installed")} ${paint("bold", tool.id)} ${clean(tool.version)}${before}`,
    `  ${clean(tool.description)}`,
    "",
    layOutPairs(rows, "  "),
    "",
    ...(asksForSomething(security) ? [NOTHING_GRANTED] : []),
    `Try it with: ${exampleCall(tool.manifest)}`,
  ].join("\n");
}
