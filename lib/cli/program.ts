/**
 * From a command line to an exit code: finds the command, checks its arguments, runs it, and says what went wrong.
 */
import { runCommand } from "citty";
import { Failure, quote, refuse } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { checkArguments, hasSwitch } from "./arguments.ts";
import type { Command } from "./command.ts";
import { EXIT, type ExitCode, exitCodeFor } from "./exit-codes.ts";
import { EndWatch, Interrupted } from "./exit-signal.ts";
import { commandHelp, generalHelp } from "./help.ts";
import type { Host } from "./host.ts";
import { describeError, painterFor, printError, toJson } from "./output.ts";
import { Session } from "./session.ts";
import { commandNames, type CommandName, isCommandName } from "./summaries.ts";

/** Loads each command by itself: starting one must not wait for the others. */
const LOADERS: { readonly [N in CommandName]: () => Promise<Command> } = {
  install: async () => (await import("./commands/install.ts")).install,
  list: async () => (await import("./commands/list.ts")).list,
  inspect: async () => (await import("./commands/inspect.ts")).inspect,
  uninstall: async () => (await import("./commands/uninstall.ts")).uninstall,
  grant: async () => (await import("./commands/grant.ts")).grant,
  revoke: async () => (await import("./commands/revoke.ts")).revoke,
  grants: async () => (await import("./commands/grants.ts")).grants,
  enable: async () => (await import("./commands/toggle.ts")).enable,
  disable: async () => (await import("./commands/toggle.ts")).disable,
  run: async () => (await import("./commands/run.ts")).run,
  exec: async () => (await import("./commands/exec.ts")).exec,
  serve: async () => (await import("./commands/serve.ts")).serve,
  connect: async () => (await import("./commands/connect.ts")).connect,
  doctor: async () => (await import("./commands/doctor.ts")).doctor,
  token: async () => (await import("./commands/token.ts")).token,
  init: async () => (await import("./commands/init.ts")).init,
  build: async () => (await import("./commands/build.ts")).build,
  validate: async () => (await import("./commands/validate.ts")).validate,
  test: async () => (await import("./commands/test.ts")).test,
  dev: async () => (await import("./commands/dev.ts")).dev,
  bench: async () => (await import("./commands/bench.ts")).bench,
  config: async () => (await import("./commands/config.ts")).config,
  completion: async () => (await import("./commands/completion.ts")).completion,
};

/** What other programs call our commands. */
const OTHER_WORDS: ReadonlyMap<string, CommandName> = new Map<string, CommandName>([
  ["ls", "list"],
  ["rm", "uninstall"],
  ["remove", "uninstall"],
  ["delete", "uninstall"],
  ["add", "install"],
  ["call", "exec"],
  ["show", "inspect"],
  ["allow", "grant"],
  ["deny", "revoke"],
  ["permissions", "grants"],
]);

/**
 * Loads a command.
 *
 * @throws {Failure} USAGE when there is none of that name.
 */
export async function loadCommand(name: string): Promise<Command> {
  if (isCommandName(name)) return LOADERS[name]();
  const near = OTHER_WORDS.get(name) ?? nearest(name, commandNames());
  const hint = near === undefined ? "see the commands with: kami --help" : `did you mean "kami ${near}"?`;
  throw refuse("USAGE", { problem: `Cannot run ${quote(`kami ${name}`)}: there is no such command`, hint });
}

/**
 * Runs `kami`. Never throws: what goes wrong is printed on stderr.
 *
 * @param words - The command line after `kami`.
 * @param host - The process.
 * @returns The exit code.
 */
export async function runProgram(words: readonly string[], host: Host): Promise<ExitCode> {
  const json = hasSwitch(words, "--json");
  using end = new EndWatch(host);
  try {
    return await dispatch(words, new Session(host, json, end));
  } catch (error) {
    if (error instanceof Interrupted) return end.exitCode ?? EXIT.interrupted;
    if (json) await host.stderr.write(`${toJson({ error: describeError(error) })}\n`);
    else await printError(host, error);
    return error instanceof Failure ? exitCodeFor(error.code) : EXIT.bug;
  }
}

async function dispatch(words: readonly string[], session: Session): Promise<ExitCode> {
  const [first, ...rest] = words;
  if (first === undefined || first === "--help" || first === "-h") return printHelp(undefined, session);
  if (first === "help") return printHelp(rest[0], session);
  if (first === "--version") return printVersion(rest, session);
  if (first === "--json" && rest[0] === "--version") return printVersion([first], session);
  if (first.startsWith("-")) throw misplacedFlag(first);
  const command = await loadCommand(first);
  const line = checkArguments(rest, command);
  if (line.help) return printHelp(first, session);
  const { result } = await runCommand(command.definition, { rawArgs: [...line.words], data: session });
  return isExitCode(result) ? result : EXIT.bug;
}

async function printVersion(rest: readonly string[], session: Session): Promise<ExitCode> {
  const extra = rest.find((word) => word !== "--json");
  if (extra !== undefined)
    throw refuse("USAGE", {
      problem: `Cannot run "kami --version": ${quote(extra)} is not expected behind it`,
      hint: "run: kami --version --json",
    });
  const { version } = session.host;
  const { versions } = await import("./version.ts");
  await session.result(`kami ${version}`, session.json ? await versions(version) : undefined);
  return EXIT.ok;
}

async function printHelp(name: string | undefined, { host }: Session): Promise<ExitCode> {
  const paint = painterFor(host.stdout, host.environment);
  const text = name === undefined ? generalHelp(host.version, paint) : commandHelp(await loadCommand(name), paint);
  await host.stdout.write(`${text}\n`);
  return EXIT.ok;
}

function misplacedFlag(word: string): Failure {
  const isVersion = word === "-v" || word === "-V";
  const near = isVersion ? "version" : nearest(word.replace(/^-+/, ""), ["help", "version"]);
  const hint =
    near === undefined ? "put flags behind the command: kami <command> [flags]" : `did you mean "--${near}"?`;
  return refuse("USAGE", { problem: `Cannot run "kami": there is no flag ${quote(word)} before the command`, hint });
}

function isExitCode(value: unknown): value is ExitCode {
  return Object.values(EXIT).some((code) => code === value);
}
