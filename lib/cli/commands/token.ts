/**
 * `kami token`: the named tokens that let others use `kami serve --http`, each for some tools, so many calls and so long.
 */
import { quote, refuse } from "../../errors.ts";
import { ALL_TOOLS, isToolPattern } from "../../mcp/http/principal.ts";
import { isTokenName, type NamedToken, TokenStore } from "../../mcp/http/tokens.ts";
import { type Command, command, JSON_ERROR_NOTE } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { isInRange, parseInteger, rangeRule } from "../integers.ts";
import type { Session } from "../session.ts";
import { layOut } from "../table.ts";

const DAY_MS = 86_400_000;
const CALLS = { least: 1, most: 1_000_000 };
const DAYS = { least: 1, most: 3650 };

/** What `create` was given. */
interface Wishes {
  readonly tools: string | undefined;
  readonly "calls-per-minute": string | undefined;
  readonly "expires-days": string | undefined;
}

/** `kami token create|list|revoke [name]`. */
export const token: Command = command({
  name: "token",
  args: {
    action: { type: "positional", description: "create, list or revoke" },
    name: { type: "positional", default: "", description: "Name of the token: whom or what it is for" },
    tools: {
      type: "string",
      valueHint: "ids",
      description: "Tools it is for, by comma; dev.example.* for all below (all)",
    },
    "calls-per-minute": { type: "string", valueHint: "calls", description: "Calls it may make in a minute (any)" },
    "expires-days": { type: "string", valueHint: "days", description: "Days until it ends (it does not)" },
    json: { type: "boolean", description: "Print the token or { tokens: […] }, and an error, as JSON" },
  },
  notes: [
    "create prints the token, and only then: KAMI keeps its digest. A server that",
    "runs takes and refuses it at once.",
    JSON_ERROR_NOTE,
  ],
  examples: [
    { line: "kami token create ci --tools dev.example.* --expires-days 30", meaning: "for a build machine" },
    { line: "kami token revoke ci", meaning: "let it in no longer" },
  ],
  run: async ({ action, name, ...wishes }, session) => {
    const store = new TokenStore(String(session.settings().get("home")?.value));
    if (action === "list") await list(store, session);
    else if (action === "create") await create(store, { ...readWishes(wishes), name: readName(name, action) }, session);
    else if (action === "revoke") {
      store.revoke(readName(name, action));
      await session.result(`Revoked ${name}`, { name });
    } else throw usage(`there is no ${quote(action)}`, "use create, list or revoke");
    return EXIT.ok;
  },
});

async function create(
  store: TokenStore,
  facts: Omit<NamedToken, "digest" | "createdAt">,
  session: Session,
): Promise<void> {
  const made = store.create(facts);
  await session.result(made, { ...facts, token: made });
  await session.note(`keep it now: it is not shown again. Clients send it as: Authorization: Bearer <token>`);
}

async function list(store: TokenStore, session: Session): Promise<void> {
  const tokens = store.list();
  const rows = tokens.map(({ name, tools, callsPerMinute, createdAt, expiresAt }) => [
    name,
    tools.join(","),
    callsPerMinute === undefined ? "any" : String(callsPerMinute),
    dateOf(createdAt),
    endOf(expiresAt),
  ]);
  const [head = "", ...lines] = layOut(
    { head: ["NAME", "TOOLS", "CALLS/MIN", "CREATED", "ENDS"], rows },
    session.host.stdout.columns,
  );
  const text = tokens.length === 0 ? "" : [session.paint("bold", head), ...lines].join("\n");
  await session.result(text, { tokens: tokens.map(withoutDigest) });
  if (tokens.length === 0) await session.note("there are no named tokens; make one with: kami token create <name>");
}

function withoutDigest({ name, tools, callsPerMinute, createdAt, expiresAt }: NamedToken): Omit<NamedToken, "digest"> {
  return { name, tools, callsPerMinute, createdAt, expiresAt };
}

function readWishes(wishes: Wishes): Pick<NamedToken, "tools" | "callsPerMinute" | "expiresAt"> {
  const tools = (wishes.tools ?? ALL_TOOLS).split(",").map((pattern) => pattern.trim());
  const odd = tools.find((pattern) => !isToolPattern(pattern));
  if (odd !== undefined)
    throw usage(`${quote(odd)} stands for no tool`, "give ids, such as dev.example.fetch or dev.example.*");
  const callsPerMinute = readNumber(wishes, "calls-per-minute", CALLS);
  const days = readNumber(wishes, "expires-days", DAYS);
  return {
    tools,
    ...(callsPerMinute !== undefined && { callsPerMinute }),
    ...(days !== undefined && { expiresAt: Date.now() + days * DAY_MS }),
  };
}

function readNumber(
  wishes: Wishes,
  name: "calls-per-minute" | "expires-days",
  range: { readonly least: number; readonly most: number },
): number | undefined {
  const text = wishes[name];
  if (text === undefined) return undefined;
  const value = parseInteger(text, range);
  if (!isInRange(value, range)) throw usage(`--${name} ${rangeRule(range)}`, `write: --${name} <number>`);
  return value;
}

function readName(name: string, action: string): string {
  if (isTokenName(name)) return name;
  const problem = name === "" ? "<name> is missing" : `${quote(name)} is no name`;
  throw usage(problem, `write: kami token ${action} <name>, of small letters, digits and hyphens`);
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function endOf(expiresAt: number | undefined): string {
  if (expiresAt === undefined) return "never";
  return expiresAt <= Date.now() ? `ended ${dateOf(expiresAt)}` : dateOf(expiresAt);
}

function usage(problem: string, hint: string): Error {
  return refuse("USAGE", { problem: `Cannot run "kami token": ${problem}`, hint });
}
