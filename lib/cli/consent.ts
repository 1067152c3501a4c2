/**
 * Consent: what a tool is granted when it is installed. A manifest asks, the user answers, on a terminal or by a flag; nobody else does.
 */
import { type Failure, refuse } from "../errors.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { type Capability, nameOf, parseCapability, quoteWord, READ_ONLY_NAME } from "../policy/capability.ts";
import { isIdle, requestNames } from "../policy/effective.ts";
import type { Grants } from "../registry/grants.ts";
import type { InstalledTool } from "../registry/registry.ts";
import { type Risk, wordsOf } from "./capability-words.ts";
import type { Session } from "./session.ts";
import { layOutPairs } from "./table.ts";
import { TerminalLines } from "./terminal-lines.ts";

/** What is asked of the user. */
export interface Question {
  readonly manifest: Manifest;
  /** What it would replace. */
  readonly before: InstalledTool | undefined;
  /** The values of `--grant`; undefined when it was not given. */
  readonly given: readonly string[] | undefined;
}

/** What a tool asks for that the one before it did not, and the other way round. */
export interface Difference {
  readonly added: readonly string[];
  readonly dropped: readonly string[];
}

const RISKS: readonly Risk[] = ["high", "medium", "low"];
/** Answers that make no sense until the install is given up. */
const TRIES = 3;

/**
 * Finds out what a tool is granted with its install.
 *
 * @returns Capabilities that it asks for and has not been granted yet.
 * @throws {Failure} CONSENT_NEEDED when it asks for something and there is nobody to ask; GRANT_REFUSED for a `--grant` that it does not ask
 *   for.
 */
export async function decideGrants(
  session: Session,
  grants: Grants,
  question: Question,
): Promise<readonly Capability[]> {
  const { manifest, before, given } = question;
  const { missing } = grants.preview(manifest);
  if (given !== undefined) return readGiven(given, manifest, missing);
  // What was refused before is not asked for again with every update.
  const refused = before === undefined ? [] : grants.weigh(before).missing;
  const open = missing.filter((name) => !refused.includes(name));
  if (open.length === 0) return [];
  const { host, json } = session;
  if (host.stdinIsTerminal && host.stderr.isTerminal && !json) return await ask(session, manifest, open);
  // An update goes on with what was granted; what it asks beside that is shown.
  if (before !== undefined) return [];
  throw consentNeeded(manifest.tool.id, open);
}

/** Compares what two versions of a tool ask for. */
export function compareRequests(before: InstalledTool | undefined, after: Manifest): Difference {
  const old = before === undefined ? [] : requestNames(before.manifest.security);
  const now = requestNames(after.security);
  return {
    added: now.filter((name) => !old.includes(name)),
    dropped: old.filter((name) => !now.includes(name)),
  };
}

/** Says what each capability lets a tool do and how risky that is, numbered, the riskiest first. */
export function explainNames(names: readonly string[]): readonly (readonly [name: string, words: string])[] {
  return sortByRisk(names).map((name) => {
    const { words, risk } = wordsOf(name);
    return [name, `${words} [${risk} risk]`];
  });
}

function sortByRisk(names: readonly string[]): readonly string[] {
  return names.toSorted((a, b) => rankOf(a) - rankOf(b));
}

function rankOf(name: string): number {
  return RISKS.indexOf(wordsOf(name).risk);
}

function readGiven(given: readonly string[], manifest: Manifest, missing: readonly string[]): readonly Capability[] {
  const [only] = given;
  if (given.length === 1 && only === "none") return [];
  if (given.length === 1 && only === "all") return grantable(missing);
  const { id } = manifest.tool;
  return given.map((text) => {
    const isWhole = text === "all" || text === "none";
    if (isWhole) throw refuse("GRANT_REFUSED", { tool: id, capability: text, reason: "it stands beside other names" });
    const parsed = parseCapability(text);
    if (!parsed.ok) throw refuse("GRANT_REFUSED", { tool: id, capability: text, reason: `it ${parsed.problem}` });
    if (isIdle(parsed.capability, manifest.security))
      throw refuse("GRANT_REFUSED", { tool: id, capability: text, reason: "the tool does not ask for it" });
    return parsed.capability;
  });
}

/** Which directory a tool may read, only `kami grant --mount` can say. */
function grantable(names: readonly string[]): readonly Capability[] {
  return names.flatMap((name) => {
    const parsed = parseCapability(name);
    return parsed.ok ? [parsed.capability] : [];
  });
}

async function ask(session: Session, manifest: Manifest, open: readonly string[]): Promise<readonly Capability[]> {
  const { stderr } = session.host;
  const choices = sortByRisk(open.filter((name) => name !== READ_ONLY_NAME));
  const { id, version } = manifest.tool;
  const rows = explainNames(open).map(([name, words]) => {
    const number = choices.indexOf(name) + 1;
    return [`${number === 0 ? "–" : `${number}.`} ${name}`, words] as const;
  });
  const high = open.filter((name) => wordsOf(name).risk === "high").length;
  await stderr.write(`${id} ${version} asks to:\n${layOutPairs(rows, "  ", stderr.columns)}\n`);
  if (choices.length === 0) return [];
  await stderr.write(
    `It asks for ${open.length}, ${high} of high risk. You can change your mind with kami grant and kami revoke.\n`,
  );
  using lines = new TerminalLines(session);
  for (let attempt = 0; attempt < TRIES; attempt++) {
    await stderr.write("Grant all, none, or which (numbers, separated by spaces)? [none] ");
    const answer = await lines.next();
    if (answer === undefined) break;
    const chosen = readAnswer(answer, choices);
    if (chosen !== undefined) return grantable(chosen);
    await stderr.write(`Answer all, none, or numbers from 1 to ${choices.length}.\n`);
  }
  throw consentNeeded(id, open);
}

function consentNeeded(tool: string, open: readonly string[]): Failure {
  const flags = grantable(open).map((capability) => `--grant ${quoteWord(nameOf(capability))}`);
  return refuse("CONSENT_NEEDED", { tool, requests: open.join(", "), flags: flags.join(" ") });
}

function readAnswer(answer: string, choices: readonly string[]): readonly string[] | undefined {
  const words = answer
    .trim()
    .toLowerCase()
    .split(/[\s,]+/);
  if (words.length === 1 && (words[0] === "" || words[0] === "none" || words[0] === "n" || words[0] === "no"))
    return [];
  if (words.length === 1 && words[0] === "all") return choices;
  const chosen = words.map((word) => (/^[0-9]{1,4}$/.test(word) ? choices[Number(word) - 1] : undefined));
  const named = chosen.filter((name) => name !== undefined);
  return named.length === words.length ? [...new Set(named)] : undefined;
}
