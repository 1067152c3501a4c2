/**
 * `kami connect`: adds KAMI to the configuration of an agent's client.
 */
import { quote, refuse } from "../../errors.ts";
import { nearest } from "../../nearest.ts";
import { type Command, command, JSON_ERROR_NOTE } from "../command.ts";
import { CLIENT_WORDS, CLIENTS, type ClientWord, isClientWord } from "../connect/clients.ts";
import { difference } from "../connect/difference.ts";
import { editText } from "../connect/edit.ts";
import { replaceConfigFile } from "../connect/file.ts";
import { configFile, type ConnectPlan, editFor, entryOfSession, guarded, planConnection } from "../connect/plan.ts";
import { EXIT } from "../exit-codes.ts";
import { showControls } from "../output.ts";
import type { Session } from "../session.ts";

/** `kami connect <client>`. */
export const connect: Command = command({
  name: "connect",
  args: {
    client: { type: "positional", description: CLIENT_WORDS.join(", ") },
    "dry-run": { type: "boolean", description: "Show what would change, and change nothing" },
    print: { type: "boolean", description: "Print what belongs into the configuration, and read and change nothing" },
    json: { type: "boolean", description: "Print { client, path, changed, backup, entry }, and an error, as JSON" },
  },
  notes: [
    "Changes the user's own configuration of the client, not a project's. All else in the",
    "file stays as it is, comments too, and what was there is kept beside it as",
    "<file>.kami-<time>. A file that is a symbolic link, or no JSON or TOML, is left alone.",
    JSON_ERROR_NOTE,
  ],
  examples: [
    { line: "kami connect claude-code", meaning: "add KAMI to Claude Code, for all projects" },
    { line: "kami connect codex --dry-run", meaning: "see what would change" },
    { line: "kami connect vscode --print", meaning: "what to add by hand" },
  ],
  run: async ({ client: word, "dry-run": isDryRun, print }, session) => {
    const client = requireClient(word);
    if (print) return printEntry(client, session);
    const plan = planConnection(client, session);
    const { file, text } = plan;
    const isChange = text !== file.text;
    const backup =
      isChange && !isDryRun ? guarded(client, file.path, () => replaceConfigFile(file, text, Date.now())) : undefined;
    await session.result(describe(plan, { isDryRun, backup }), {
      client,
      path: file.path,
      changed: isChange && !isDryRun,
      backup: backup ?? null,
      entry: plan.edit.entry,
      ...(isDryRun && { difference: difference(file.text, text) }),
    });
    return EXIT.ok;
  },
});

function requireClient(word: string): ClientWord {
  if (isClientWord(word)) return word;
  const near = nearest(word, CLIENT_WORDS);
  throw refuse("USAGE", {
    problem: `Cannot connect ${quote(word)}: KAMI does not know that client`,
    hint: near === undefined ? `one of: ${CLIENT_WORDS.join(", ")}` : `did you mean "kami connect ${near}"?`,
  });
}

async function printEntry(word: ClientWord, session: Session): Promise<typeof EXIT.ok> {
  const client = CLIENTS[word];
  const edit = editFor(client, entryOfSession(session));
  const path = configFile(word, session);
  await session.result(showControls(editText("", edit).trimEnd()), { client: word, path, entry: edit.entry });
  await session.note(`this belongs into ${path}`);
  return EXIT.ok;
}

function describe(plan: ConnectPlan, { isDryRun, backup }: { isDryRun: boolean; backup: string | undefined }): string {
  const { client, file, text } = plan;
  const path = showControls(file.path);
  if (text === file.text) return `${client.name} has it already, in ${path}`;
  if (isDryRun) return [`${path} would change:`, ...difference(file.text, text).map(showControls)].join("\n");
  return [
    `Added KAMI to ${client.name}, in ${path}`,
    ...(backup === undefined ? [] : [`What was there is in ${showControls(backup)}`]),
    `Now ${client.next}`,
  ].join("\n");
}
