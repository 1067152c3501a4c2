/**
 * The `kami` command in its process: signals, last resorts and the exit.
 */
import { EXIT } from "./exit-codes.ts";
import { ambientHost, type Host } from "./host.ts";
import { printError } from "./output.ts";
import { runProgram } from "./program.ts";

/**
 * Runs `kami` and ends the process with its exit code.
 *
 * @param words - The command line after `kami`.
 * @param version - KAMI's version.
 */
export async function main(words: readonly string[], version: string): Promise<void> {
  const host = ambientHost(version);
  const onBug = (error: unknown): void => void endWithBug(host, error);
  process.on("uncaughtException", onBug);
  process.on("unhandledRejection", onBug);
  // A guest that cannot be interrupted would keep its Worker, and with it the process, alive: exit, don't fade out.
  host.exit(await runProgram(words, host));
}

async function endWithBug(host: Host, error: unknown): Promise<void> {
  await printError(host, error);
  host.exit(EXIT.bug);
}
