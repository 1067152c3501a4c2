/**
 * The parts of the documents that are made from the code: `bun test/docs/tables.ts` writes them, tables.test.ts compares them.
 */
import { join } from "node:path";
import type { ArgDef } from "citty";
import { flagNames, positionalNames, usageLine } from "../../lib/cli/arguments.ts";
import { EXIT_MEANINGS, exitCodeFor } from "../../lib/cli/exit-codes.ts";
import { loadCommand } from "../../lib/cli/program.ts";
import { commandNames } from "../../lib/cli/summaries.ts";
import { Failure, failureCodes } from "../../lib/errors.ts";

const DOCS = join(import.meta.dir, "../../docs");
/** Stands for a number in a text. */
const NUMBER = 7;
const NUMBERS =
  /^(?:bytes|limitBytes|limitMs|value|limit|offset|waitedMs|found|retryAfterMs|line|column|exitCode|fuelLimit)$/;

/** The parts, by the document that they are in: each stands there between two comments. */
export const PARTS: ReadonlyMap<string, () => Promise<string>> = new Map([
  ["TECHNICAL.md", async () => errorTable()],
  ["COMMANDS.md", commandReference],
]);

/** Puts a part into a document. */
export function replacePart(document: string, part: string): string {
  return document.replace(
    /(<!-- made by test\/docs\/tables.ts -->\n)[^]*(\n<!-- end -->)/,
    (_, start: string, end: string) => `${start}\n${part}\n${end}`,
  );
}

/** Reads a document. */
export function readDocument(name: string): Promise<string> {
  return Bun.file(join(DOCS, name)).text();
}

function errorTable(): string {
  const rows = failureCodes().map((code) => {
    const failure = new Failure(code, sample(code));
    const text = cell(failure.message.replaceAll(String(NUMBER), "N").replaceAll(" 0 MiB", " N MiB"));
    return `| \`${code}\` | ${exitCodeFor(code)} | ${failure.agentMayRead ? "the agent" : "the user alone"} | ${text} |`;
  });
  const exits = Array.from(EXIT_MEANINGS, ([exit, meaning]) => `| ${exit} | ${meaning} |`);
  return [
    "| Code | Exit code | Its text is for | Text |",
    "| --- | --- | --- | --- |",
    ...rows,
    "",
    "| Exit code | Meaning |",
    "| --- | --- |",
    ...exits,
  ].join("\n");
}

/** A detail in which every text is `…` and every number N. */
function sample(code: string): never {
  const counts = code === "REGISTRY_NEWER" ? ["known"] : [];
  const get = (_: object, key: string | symbol): unknown => {
    const name = String(key);
    if (NUMBERS.test(name) || counts.includes(name)) return NUMBER;
    return name === "exports" || name === "known" ? ["…"] : "…";
  };
  const detail: unknown = new Proxy({}, { get, has: () => false });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return detail as never;
}

async function commandReference(): Promise<string> {
  const sections = commandNames().map(async (name) => {
    const command = await loadCommand(name);
    const describe = (each: string): ArgDef => command.args[each] ?? {};
    const rows = [
      ...positionalNames(command.args).map((each) => `| \`${each}\` | ${cell(describe(each).description ?? "")} |`),
      ...flagNames(command.args).map((each) => {
        const { type, valueHint = "value", description = "" } = describe(each);
        return `| \`--${each}${type === "boolean" ? "" : ` <${valueHint.replaceAll("|", "\\|")}>`}\` | ${cell(description)} |`;
      }),
    ];
    const table = rows.length === 0 ? [] : ["", "| | |", "| --- | --- |", ...rows];
    return [`## kami ${name}`, "", `${command.summary}: \`${usageLine(command)}\``, ...table].join("\n");
  });
  return (await Promise.all(sections)).join("\n\n");
}

/** As a cell of a table, in which nothing is HTML. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}

if (import.meta.main) {
  for (const [name, make] of PARTS)
    await Bun.write(join(DOCS, name), replacePart(await readDocument(name), await make()));
  Bun.spawnSync([process.execPath, "fmt", DOCS]);
}
