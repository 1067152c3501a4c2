/**
 * Test support: KAMI as it is shipped, started as a user would start it.
 */
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { cpSync } from "node:fs";
import { basename } from "node:path";
import { guestDirectory } from "../../../fixtures/paths.ts";
import type { TemporaryDirectory } from "../../cli/support/directory.ts";

/** Where and how it is started. */
export interface Place {
  /** The program and its first arguments. */
  readonly command: readonly [string, ...string[]];
  readonly directory: string;
  /** All of the environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** How a command ended. */
export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. */
export async function start({ command, directory, environment }: Place, ...words: readonly string[]): Promise<Ended> {
  const child = Bun.spawn([...command, ...words], {
    cwd: directory,
    env: environment,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exitCode, stdout, stderr };
}

/** A server that is running. */
export interface Serving extends AsyncDisposable {
  readonly client: Client;
  readonly pid: number;
}

/** Starts `kami serve`, and connects a client to it. */
export async function serve({ command: [command, ...args], directory, environment }: Place): Promise<Serving> {
  const client = new Client({ name: "shipped", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
  const transport = new StdioClientTransport({
    command,
    args: [...args, "serve", "--concurrency", "2"],
    cwd: directory,
    env: environment,
    stderr: "ignore",
  });
  await client.connect(transport);
  return { client, pid: transport.pid ?? 0, [Symbol.asyncDispose]: () => client.close() };
}

/** Calls a tool. @returns The text of its answer, and what it was denied. */
export async function ask({ client }: Serving, name: string, input: Record<string, unknown> = {}): Promise<string> {
  const { content, _meta: meta } = await client.callTool({ name, arguments: input });
  const first: unknown = Array.isArray(content) ? content[0] : undefined;
  const text = typeof first === "object" && first !== null && "text" in first ? String(first.text) : "";
  const denials = meta?.["dev.kami/denials"];
  return denials === undefined ? text : `${text} denied ${JSON.stringify(denials)}`;
}

/** Copies the packages of some guests, so that nothing of the repository is beside them. */
export function copyGuests(temporary: TemporaryDirectory, names: readonly string[]): readonly string[] {
  return names.map((name) => {
    const path = temporary.at("packages", basename(name));
    cpSync(guestDirectory(name), path, { recursive: true });
    return path;
  });
}
