/**
 * `kami build`: from a tool's sources to the component that its manifest names, and to a package of one file.
 */
import { relative } from "node:path";
import { packProject } from "../../author/pack.ts";
import { LANGUAGE_NAMES } from "../../author/project.ts";
import { clean } from "../../errors.ts";
import { type Command, command, JSON_ERROR_NOTE } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { requestRows } from "../requests.ts";
import { layOutPairs } from "../table.ts";
import { buildDirectory, checkComponent, findingLines } from "../workshop.ts";
import { formatBytes, formatNumber } from "../words.ts";

/** `kami build [dir]`. */
export const build: Command = command({
  name: "build",
  args: {
    dir: { type: "positional", required: false, description: "The tool's directory; default: the current one" },
    package: {
      type: "boolean",
      description: "Also write a .zip that kami install takes; the same files give the same bytes",
    },
    engine: {
      type: "string",
      valueHint: "name",
      description: "For TypeScript: quickjs (1 MB, default) or spidermonkey (12 MB, async, fetch)",
    },
    json: {
      type: "boolean",
      description: "Print { component, bytes, imports, findings, package }, and an error, as JSON",
    },
  },
  notes: [
    "The language is told by what is there: Cargo.toml, go.mod, assembly/index.ts,",
    "src/tool.ts or tool.js, or C files. Compilers are your own; one that is missing is",
    "named with the command that adds it. Of the directory itself no script, macro,",
    "preload or environment file runs, but what you installed in its node_modules and",
    "what cargo builds does: build only what you would compile anyway.",
    JSON_ERROR_NOTE,
  ],
  examples: [
    { line: "kami build", meaning: "build the tool of this directory" },
    { line: "kami build ./hello --package", meaning: "build another, and write hello's .zip" },
  ],
  run: async ({ dir = ".", package: isPackaged, engine }, session) => {
    const startMs = performance.now();
    const { project, path, component } = await buildDirectory(session, dir, { engine });
    const { findings, imports, bytes } = await session.end.interruptible(checkComponent(component, project.manifest));
    const isBroken = findings.some(({ level }) => level === "error");
    const archive = isPackaged && !isBroken ? await packProject(project) : undefined;
    const from = session.host.currentDirectory();
    const shown = (file: string): string => clean(relative(from, file));
    const seconds = formatNumber((performance.now() - startMs) / 1000);
    const { columns } = session.host.stdout;
    const text = [
      `${session.paint("green", "Built")} ${shown(path)} from ${LANGUAGE_NAMES[project.language]} in ${seconds} s`,
      "",
      layOutPairs(
        [
          ["size", formatBytes(bytes)],
          ["imports", imports.length === 0 ? "nothing" : clean(imports.join(", "), 2000)],
          ...requestRows(project.manifest.security, { imports }),
        ],
        "  ",
        columns,
      ),
      ...(findings.length === 0 ? [] : ["", ...findingLines(findings, session)]),
      ...(archive === undefined ? [] : ["", `${session.paint("green", "Packaged")} ${shown(archive)}`]),
    ];
    await session.result(text.join("\n"), { component: path, bytes, imports, findings, package: archive ?? null });
    return isBroken ? EXIT.badPackage : EXIT.ok;
  },
});
