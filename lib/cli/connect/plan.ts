/**
 * What adding KAMI to a client changes: worked out without changing anything, for `kami connect`, its `--dry-run` and `kami doctor`.
 */
import { isAbsolute } from "node:path";
import { refuse } from "../../errors.ts";
import type { Session } from "../session.ts";
import { type Client, CLIENTS, type ClientWord, ENTRY_NAME, type ServerEntry, serverEntry } from "./clients.ts";
import { type Edit, EditError, editText, findEntry } from "./edit.ts";
import { type ConfigFile, readConfigFile } from "./file.ts";

/** What there is and what there is going to be. */
export interface ConnectPlan {
  readonly client: Client;
  readonly file: ConfigFile;
  /** The whole file, with the entry. */
  readonly text: string;
  readonly edit: Edit;
  /** What of the entry there was; undefined: nothing. */
  readonly found: unknown;
}

/** Says how clients start this KAMI. */
export function entryOfSession(session: Session): ServerEntry {
  const home = session.settings().get("home");
  return serverEntry(
    session.host.launch,
    home === undefined || home.origin === "default" ? undefined : String(home.value),
  );
}

/** Says where in a client's configuration the entry goes. */
export function editFor(client: Client, entry: ServerEntry): Edit {
  return { format: client.format, path: [...client.path, ENTRY_NAME], entry: client.entry(entry) };
}

/**
 * Plans the change.
 *
 * @throws {Failure} `CLIENT_CONFIG` when the file cannot be read, or cannot be edited safely.
 */
export function planConnection(word: ClientWord, session: Session): ConnectPlan {
  const client = CLIENTS[word];
  const path = configFile(word, session);
  return guarded(word, path, () => {
    const file = readConfigFile(path);
    const edit = nestedEdit(client, file.text, editFor(client, entryOfSession(session)));
    return { client, file, edit, text: editText(file.text, edit), found: findEntry(file.text, edit) };
  });
}

/**
 * Finds a client's configuration of the user.
 *
 * @returns An absolute path.
 * @throws {Failure} `CLIENT_CONFIG` when the user has no home directory that it could be in.
 */
export function configFile(word: ClientWord, { host }: Session): string {
  const path = CLIENTS[word].file(host);
  if (isAbsolute(path)) return path;
  throw refuse("CLIENT_CONFIG", { path, reason: "this user has no home directory; set HOME", client: word });
}

/** Runs what reads or writes a configuration. */
export function guarded<T>(client: ClientWord, path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof EditError)) throw error;
    throw refuse("CLIENT_CONFIG", { path, reason: error.message, client }, error);
  }
}

/** opencode 2 has its servers under `mcp.servers`, and reads them under `mcp` as well: a file that has the former keeps to it. */
function nestedEdit({ word, path }: Client, text: string, edit: Edit): Edit {
  if (word !== "opencode") return edit;
  const servers = findEntry(text, { format: "json", path: [...path, "servers"] });
  const isMap = typeof servers === "object" && servers !== null && !Array.isArray(servers);
  if (!isMap || "type" in servers || "enabled" in servers) return edit;
  return { ...edit, path: [...path, "servers", ENTRY_NAME] };
}
