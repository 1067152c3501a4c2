/**
 * The tools that ship with KAMI: `starter` names all of them, `starter/json-query` one.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { clean, quote, refuse } from "../errors.ts";
import { nearest } from "../nearest.ts";
import type { Runtime } from "../runtime.ts";
import type { Decide } from "../registry/grants.ts";
import { decideGrants } from "./consent.ts";
import { EXIT } from "./exit-codes.ts";
import { mcpNames } from "./names.ts";
import type { Session } from "./session.ts";
import { layOut } from "./table.ts";
import { toolJson } from "./words.ts";

const FOLDER = join(import.meta.dir, "..", "..", "fixtures", "tools");
const WORD = /^starter(?:\/(.*))?$/s;

/**
 * Finds the packages that a word names.
 *
 * @param word - What the user wants to install. A directory of that name is `./starter`.
 * @returns Absolute paths; undefined when the word is a path.
 * @throws {Failure} USAGE when there is no starter tool of that name.
 */
export function starterPackages(word: string): readonly string[] | undefined {
  const found = WORD.exec(word);
  if (found === null) return undefined;
  const names = readdirSync(FOLDER).toSorted();
  const [, name] = found;
  if (name === undefined) return names.map((each) => join(FOLDER, each));
  if (names.includes(name)) return [join(FOLDER, name)];
  const near = nearest(name, names);
  const problem = `Cannot install ${quote(word)}: there is no such starter tool`;
  throw refuse("USAGE", {
    problem,
    hint: near === undefined ? `there are ${names.join(", ")}` : `did you mean "starter/${near}"?`,
  });
}

/** Several packages that are installed together. */
interface Several {
  /** Absolute paths. */
  readonly packages: readonly string[];
  /** What the user grants of what they ask for; undefined for nothing. */
  readonly given: readonly string[] | undefined;
}

/** Installs several packages, one after the other, and prints a line for each. @throws {Failure} as an install does */
export async function installAll(
  session: Session,
  runtime: Runtime,
  { packages, given = ["none"] }: Several,
): Promise<typeof EXIT.ok> {
  const { grants } = runtime.registry;
  const decide: Decide = (source, before) =>
    decideGrants(session, grants, { manifest: source.manifest, before, given });
  const tools = [];
  for (const path of packages) tools.push((await session.end.interruptible(runtime.install(path, decide))).tool);
  const names = mcpNames(runtime.registry.list());
  const rows = tools.map((tool) => [tool.id, tool.version, clean(tool.description)]);
  const [, ...lines] = layOut({ head: ["", "", ""], rows }, session.host.stdout.columns);
  const text = [
    `${session.paint("green", "Installed")} ${tools.length} starter tools`,
    "",
    ...lines.map((line) => `  ${line}`),
  ].join("\n");
  await session.result(
    `${text}\n\nNothing of what they ask for is granted unless you said so. See what each may touch with: kami inspect <id>`,
    {
      installed: tools.map((tool) => toolJson(tool, names.get(tool.id), grants.weigh(tool))),
    },
  );
  return EXIT.ok;
}
