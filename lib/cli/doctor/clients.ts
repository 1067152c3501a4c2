/**
 * Which clients know KAMI, and whether what they would start is there.
 */
import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import { Failure } from "../../errors.ts";
import { type Client, CLIENT_WORDS, CLIENTS, type ClientWord } from "../connect/clients.ts";
import { planConnection } from "../connect/plan.ts";
import type { Session } from "../session.ts";
import { bad, type Finding, good, odd } from "./finding.ts";

/** Looks at the configuration of each client that this user has. */
export function checkClients(session: Session): readonly Finding[] {
  const findings = CLIENT_WORDS.flatMap((word) => checkClient(word, session));
  if (findings.length > 0) return findings;
  const text = "no client's configuration was found";
  return [{ id: "clients", state: "none", text, mend: `add KAMI to one with: kami connect <client>` }];
}

function checkClient(word: ClientWord, session: Session): readonly Finding[] {
  const id = `client.${word}`;
  // A user without a home directory has no client either.
  if (!isAbsolute(CLIENTS[word].file(session.host))) return [];
  try {
    const plan = planConnection(word, session);
    if (plan.file.bytes === undefined) return [];
    const { name } = plan.client;
    if (plan.found === undefined)
      return [{ id, state: "none", text: `${name} does not have KAMI`, mend: `kami connect ${word}` }];
    return [judgeEntry(plan.client, plan.found, plan.text === plan.file.text)];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [bad(id, error.message, error.hint ?? `kami connect ${word} --print`)];
  }
}

function judgeEntry({ word, name }: Client, found: unknown, isOurs: boolean): Finding {
  const id = `client.${word}`;
  if (isOurs) return good(id, `${name} has KAMI`);
  const mend = `kami connect ${word}`;
  const missing = wordsOf(found).find((path) => path.startsWith("/") && !existsSync(path));
  if (missing !== undefined) return bad(id, `${name} would start KAMI from ${missing}, which is not there`, mend);
  return odd(id, `${name} starts another KAMI, or this one in another way`, mend);
}

/** The paths in an entry: its command, and where Bun is told to go. */
function wordsOf(found: unknown): readonly string[] {
  if (typeof found !== "object" || found === null) return [];
  const entry: Readonly<Record<string, unknown>> = { ...found };
  const words: readonly unknown[] = [entry["command"], entry["args"]].flat();
  return words.flatMap((word) => (typeof word === "string" ? [word.replace(/^--cwd=/, "")] : []));
}
