/**
 * The agents' clients that KAMI can be added to: where each keeps its configuration, and what an entry looks like there. As their documentation had
 * it in November 2026.
 *
 * Source: code.claude.com/docs/en/mcp (Claude Code), modelcontextprotocol.io/docs/develop/connect-local-servers (Claude Desktop),
 * developers.openai.com/codex/mcp (Codex), cursor.com/docs/context/mcp (Cursor), code.visualstudio.com/docs/agents/reference/mcp-configuration (VS Code),
 * opencode.ai/docs/mcp-servers (opencode), geminicli.com/docs/tools/mcp-server (Gemini CLI).
 */
import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import type { Host, Launch } from "../host.ts";

/** What starts the server, and the variables that it needs. */
export interface ServerEntry extends Launch {
  readonly environment: Readonly<Record<string, string>>;
}

/** What is known of a client. */
export interface Client {
  /** What the user calls it by, after `kami connect`. */
  readonly word: ClientWord;
  readonly name: string;
  readonly format: "json" | "toml";
  /** Names of the tables or objects around the entry. */
  readonly path: readonly string[];
  /** Makes the entry. */
  readonly entry: (server: ServerEntry) => Readonly<Record<string, unknown>>;
  /** Finds its configuration; absolute. */
  readonly file: (host: ConfigHost) => string;
  /** What the user does for it to take effect. */
  readonly next: string;
}

/** What of the process says where configurations are. */
type ConfigHost = Pick<Host, "environment" | "userHome" | "platform">;

/** The clients, in the order in which they are named. */
export const CLIENT_WORDS = [
  "claude-code",
  "claude-desktop",
  "codex",
  "cursor",
  "vscode",
  "opencode",
  "gemini",
] as const;

/** One of {@link CLIENT_WORDS}. */
export type ClientWord = (typeof CLIENT_WORDS)[number];

/** What is known of each. */
export const CLIENTS: { readonly [W in ClientWord]: Client } = {
  "claude-code": {
    word: "claude-code",
    name: "Claude Code",
    format: "json",
    path: ["mcpServers"],
    entry: (server) => ({ type: "stdio", ...plainEntry(server) }),
    file: (host) => join(ownDirectory(host, "CLAUDE_CONFIG_DIR") ?? host.userHome, ".claude.json"),
    next: "start Claude Code again; /mcp lists its servers",
  },
  "claude-desktop": {
    word: "claude-desktop",
    name: "Claude Desktop",
    format: "json",
    path: ["mcpServers"],
    entry: plainEntry,
    file: (host) => join(applicationDirectory(host), "Claude", "claude_desktop_config.json"),
    next: "quit Claude Desktop and start it again",
  },
  codex: {
    word: "codex",
    name: "Codex",
    format: "toml",
    path: ["mcp_servers"],
    entry: plainEntry,
    file: (host) => join(ownDirectory(host, "CODEX_HOME") ?? join(host.userHome, ".codex"), "config.toml"),
    next: "start Codex again; /mcp lists its servers",
  },
  cursor: {
    word: "cursor",
    name: "Cursor",
    format: "json",
    path: ["mcpServers"],
    entry: plainEntry,
    file: (host) => join(host.userHome, ".cursor", "mcp.json"),
    next: "switch it on in Cursor's settings, under MCP",
  },
  vscode: {
    word: "vscode",
    name: "VS Code",
    format: "json",
    path: ["servers"],
    entry: (server) => ({ type: "stdio", ...plainEntry(server) }),
    file: (host) => join(applicationDirectory(host), "Code", "User", "mcp.json"),
    next: 'start it with the command "MCP: List Servers"',
  },
  opencode: {
    word: "opencode",
    name: "opencode",
    format: "json",
    path: ["mcp"],
    entry: ({ command, args, environment }) => ({
      type: "local",
      command: [command, ...args],
      enabled: true,
      ...(Object.keys(environment).length > 0 && { environment }),
    }),
    file: opencodeFile,
    next: "start opencode again",
  },
  gemini: {
    word: "gemini",
    name: "Gemini CLI",
    format: "json",
    path: ["mcpServers"],
    entry: plainEntry,
    file: (host) => join(host.userHome, ".gemini", "settings.json"),
    next: "start Gemini CLI again; /mcp lists its servers",
  },
};

/** The name of KAMI's entry. */
export const ENTRY_NAME = "kami";

/** Whether a word names a client. */
export function isClientWord(word: string): word is ClientWord {
  return Object.hasOwn(CLIENTS, word);
}

/**
 * Says how a client starts the server: with this KAMI, and with the home that this process has, when the user set one.
 *
 * @param home - Absolute path of KAMI_HOME, when it is not where KAMI looks by itself.
 */
export function serverEntry(launch: Launch, home: string | undefined): ServerEntry {
  return { ...launch, environment: home === undefined ? {} : { KAMI_HOME: home } };
}

function plainEntry({ command, args, environment }: ServerEntry): Readonly<Record<string, unknown>> {
  return { command, args, ...(Object.keys(environment).length > 0 && { env: environment }) };
}

function ownDirectory({ environment }: ConfigHost, variable: string): string | undefined {
  const value = environment.get(variable) ?? "";
  return isAbsolute(value) ? value : undefined;
}

function configDirectory(host: ConfigHost): string {
  return ownDirectory(host, "XDG_CONFIG_HOME") ?? join(host.userHome, ".config");
}

function applicationDirectory(host: ConfigHost): string {
  return host.platform === "darwin" ? join(host.userHome, "Library", "Application Support") : configDirectory(host);
}

/** opencode reads both; a user who has one of them keeps to it. */
function opencodeFile(host: ConfigHost): string {
  const directory = join(configDirectory(host), "opencode");
  const withComments = join(directory, "opencode.jsonc");
  return existsSync(withComments) ? withComments : join(directory, "opencode.json");
}
