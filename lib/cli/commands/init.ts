/**
 * `kami init`: a new tool that builds and passes its tests at once.
 */
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { LANGUAGE_NAMES } from "../../author/project.ts";
import { filesOf, type StartLanguage } from "../../author/templates.ts";
import { clean, quote, refuse } from "../../errors.ts";
import { type Command, command, JSON_ERROR_NOTE } from "../command.ts";
import { shellWord } from "../example.ts";
import { EXIT } from "../exit-codes.ts";
import type { Host } from "../host.ts";

const LANGUAGES = ["ts", "rust", "c", "as"] as const;
const NAME = /^[a-z][a-z0-9-]{0,40}$/;
/** Files that a directory may have before. */
const HARMLESS = new Set([".git", ".gitignore", "LICENSE", "README.md"]);

const INSTALL: Readonly<Record<StartLanguage, string | undefined>> = {
  ts: "bun install",
  as: "bun install",
  rust: undefined,
  c: undefined,
};

/** `kami init [dir]`. */
export const init: Command = command({
  name: "init",
  args: {
    dir: {
      type: "positional",
      required: false,
      description: "Where to; made if it is not there. Default: the current directory",
    },
    lang: {
      type: "string",
      valueHint: "lang",
      description: "ts, rust, c or as (AssemblyScript); asked for on a terminal",
    },
    name: { type: "string", valueHint: "name", description: "The tool's name; default: the directory's" },
    json: { type: "boolean", description: "Print { directory, files, next }, and an error, as JSON" },
  },
  notes: [
    "Writes a manifest, a small tool and its test cases. A file that is there is never",
    "replaced: the directory must be empty, but for .git, README.md and LICENSE.",
    JSON_ERROR_NOTE,
  ],
  examples: [
    { line: "kami init hello --lang ts", meaning: "start a tool in TypeScript" },
    { line: "kami init", meaning: "start one here, and be asked" },
  ],
  run: async ({ dir = ".", lang, name }, session) => {
    const { host } = session;
    const directory = resolve(host.currentDirectory(), dir);
    const tool = { name: readName(name ?? basename(directory)), language: await readLanguage(lang, host) };
    requireEmpty(directory, dir);
    const files = [...filesOf(tool)].filter(([path]) => !existsSync(join(directory, path)));
    for (const [path, text] of files) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), text, { flag: "wx" });
    }
    const place = relative(host.currentDirectory(), directory);
    const next = [
      ...(place === "" ? [] : [`cd ${shellWord(place)}`]),
      INSTALL[tool.language],
      "kami build",
      "kami test",
      "kami install .",
    ].filter((line) => line !== undefined);
    const text = `${session.paint("green", "Started")} ${tool.name} in ${LANGUAGE_NAMES[tool.language]}\n\nNext:\n${next.map((line) => `  ${line}`).join("\n")}`;
    await session.result(text, { directory, files: files.map(([path]) => path), next });
    return EXIT.ok;
  },
});

function readName(name: string): string {
  if (NAME.test(name)) return name;
  const problem = `Cannot call the tool ${quote(name)}: a name has lower-case letters, digits and dashes, and starts with a letter`;
  throw refuse("USAGE", { problem, hint: "for example: --name fetch-weather" });
}

async function readLanguage(given: string | undefined, host: Host): Promise<StartLanguage> {
  const hint = "use --lang ts, rust, c or as";
  if (given === undefined && !host.stdinIsTerminal)
    throw refuse("USAGE", { problem: "Cannot start a tool: its language is not given", hint });
  const answer = given ?? (await ask(host, "Language (ts, rust, c, as) [ts]: "));
  const language = LANGUAGES.find((each) => each === (answer.trim() === "" ? "ts" : answer.trim()));
  if (language !== undefined) return language;
  throw refuse("USAGE", { problem: `Cannot start a tool in ${quote(answer)}: there is no such language`, hint });
}

async function ask(host: Host, question: string): Promise<string> {
  await host.stderr.write(question);
  const lines = createInterface({ input: host.stdin() });
  try {
    for await (const line of lines) return line;
    return "";
  } finally {
    lines.close();
  }
}

function requireEmpty(directory: string, shown: string): void {
  if (!existsSync(directory)) return;
  const other = readdirSync(directory).find((name) => !HARMLESS.has(name));
  if (other === undefined) return;
  const problem = `Cannot start a tool in ${quote(shown)}: the directory has ${quote(clean(other))} in it`;
  throw refuse("USAGE", { problem, hint: "name a new directory: kami init <dir>" });
}
