/**
 * What `run` and `exec` share: their flags, and how the end of a call is printed.
 */
import { clean, Failure, quote, refuse } from "../errors.ts";
import { type IntegerRange, MANIFEST_DEFAULTS } from "../manifest/defaults.ts";
import { type Captured, type Denial, type Limits, usageJson } from "../protocol/limits.ts";
import type { CallOptions, CallResult, Runtime } from "../runtime.ts";
import { INPUT_LIMIT_BYTES } from "../schema/input.ts";
import { parseJson } from "../schema/json.ts";
import { EXIT, type ExitCode, exitCodeFor } from "./exit-codes.ts";
import { hasPipedInput, readInput } from "./input.ts";
import { parseInteger, RANGES, rangeRule } from "./integers.ts";
import { toLimits } from "./limits.ts";
import { openRuntime } from "./open.ts";
import { describeError, escapeJson, painterFor, printError, showControls, toJson } from "./output.ts";
import type { Session } from "./session.ts";
import { cut } from "./table.ts";
import { formatNumber, usageBlock } from "./words.ts";

const LINE_LIMIT = 4000;
/** Rows of a terminal that a line of a guest may fill. */
const ROWS_LIMIT = 4;
/** Shown where a limit was written wrong. */
const EXAMPLES = MANIFEST_DEFAULTS.security;

/** The values of the flags that `run` and `exec` share. */
export interface CallFlags {
  readonly function: string | undefined;
  readonly input: string | undefined;
  readonly "input-file": string | undefined;
  readonly fuel: string | undefined;
  readonly "memory-mb": string | undefined;
  readonly "timeout-ms": string | undefined;
  readonly usage: boolean;
}

/** How a call ended, and what is said of each denial: one clean line. */
export type CallEnd = CallResult & { readonly advise?: (denial: Denial) => string };

/** Starts the call of `run` or of `exec`. */
export type StartCall = (runtime: Runtime, input: string, options: CallOptions) => Promise<CallEnd>;

/** The flags that `run` and `exec` share. */
export const CALL_ARGS = {
  input: { type: "string", valueHint: "json", description: "The input, as JSON text. Without an input: {}" },
  function: { type: "string", valueHint: "NAME", description: "Which of its functions, when it has several" },
  "input-file": { type: "string", valueHint: "path", description: "Read the input from a file; - is standard input" },
  fuel: { type: "string", valueHint: "units", description: "Fuel that the call may use, in place of the tool's limit" },
  "memory-mb": { type: "string", valueHint: "MiB", description: "Memory that the call may use, in MiB (1 to 4096)" },
  "timeout-ms": { type: "string", valueHint: "ms", description: "Time that the call may take, in ms (1 to 600000)" },
  usage: { type: "boolean", description: "Print on stderr what the call used" },
  json: { type: "boolean", description: "Print an object with the output and the usage" },
} as const;

/** What the help of `run` and `exec` says of their output. */
export const CALL_NOTES: readonly string[] = [
  "The call runs in a fresh sandbox.",
  "Without --json, stdout is the tool's output and a line feed, nothing else; on a",
  "terminal, control characters in it are shown as \\u… escapes. What the tool",
  "logs or writes to its own stdout and stderr goes to stderr, one [stream] each line.",
  "With --json, stdout is { ok, output, usage, captured }. A call that failed prints",
  "nothing on stdout, and { ok, error: { code, message, hint }, usage, captured } on",
  "stderr; every other error is { error: { code, message, hint } } on stderr. When the",
  "tool was denied something, denials: [{ capability, target }] stands beside captured.",
  "Ctrl-C stops the tool.",
];

/**
 * Reads the limits given by flags.
 *
 * @throws {Failure} USAGE for anything but whole numbers in their range.
 */
export function readLimits(flags: CallFlags): Partial<Limits> {
  return toLimits({
    fuel: readFlag("fuel", flags.fuel, { range: RANGES.fuel, example: EXAMPLES.maxFuel }),
    memoryMb: readFlag("memory-mb", flags["memory-mb"], { range: RANGES.memoryMb, example: EXAMPLES.maxMemoryMb }),
    timeoutMs: readFlag("timeout-ms", flags["timeout-ms"], {
      range: RANGES.timeoutMs,
      example: EXAMPLES.maxExecutionMs,
    }),
  });
}

/**
 * Calls a guest with what the flags say and prints how the call ended.
 *
 * @param session - Gives the settings and standard input; its end stops the guest.
 * @param flags - The shared flags.
 * @param start - Starts the call.
 * @returns The exit code.
 * @throws {Failure} USAGE, CONFIG_*, INPUT_*, FILE_* and REGISTRY_* before there is a call.
 */
export async function callAndPrint(session: Session, flags: CallFlags, start: StartCall): Promise<ExitCode> {
  // The command line is checked before anything is read or opened.
  const limits = readLimits(flags);
  const settings = session.settings();
  const input = await readInput(session, { text: flags.input, file: flags["input-file"] }, INPUT_LIMIT_BYTES);
  await using runtime = await openRuntime(session, settings);
  const options = { limits, function: flags.function, signal: session.end.signal };
  const result = await start(runtime, input, options);
  const isGiven = flags.input !== undefined || flags["input-file"] !== undefined;
  const isPiped = isInvalidInput(result) && !isGiven && (await hasPipedInput(session.host));
  return printCall(session, isPiped ? explainInput(result, { isPiped }) : result, flags.usage);
}

/**
 * Prints how a call ended.
 *
 * @returns The exit code.
 */
export async function printCall(session: Session, result: CallEnd, showUsage: boolean): Promise<ExitCode> {
  if (session.json) await printCallJson(session, result);
  else await printCallText(session, result, showUsage);
  if (result.ok) return EXIT.ok;
  const { code } = result.failure;
  return code === "CANCELLED" ? (session.end.exitCode ?? exitCodeFor(code)) : exitCodeFor(code);
}

/**
 * Adds what the command line knows to a failure about the input; leaves every other result as it is.
 *
 * @param more - The id of the tool, and whether standard input has what was not read.
 */
export function explainInput(
  result: CallResult,
  more: { readonly tool?: string; readonly isPiped?: boolean },
): CallResult {
  if (!isInvalidInput(result)) return result;
  const { failure } = result;
  return { ...result, failure: refuse("INPUT_INVALID", { ...failure.detail, ...more }, failure.cause) };
}

/**
 * Turns what a guest wrote into clean lines, each marked with its stream.
 *
 * @param columns - Width of the terminal that they are for, to cut them after some rows; undefined for no terminal.
 */
export function capturedLines(captured: Captured, columns?: number): readonly string[] {
  const lines = captured.pieces.flatMap(({ stream, level, text }) => {
    const mark = level === undefined ? stream : `${stream} ${level}`;
    return text
      .replace(/\n$/, "")
      .split("\n")
      .map((line) => `[${mark}] ${cleanLine(line)}`.trimEnd())
      .map((line) => cut(line, columns === undefined ? undefined : columns * ROWS_LIMIT));
  });
  if (captured.droppedBytes > 0)
    lines.push(`[kami] the tool wrote ${formatNumber(captured.droppedBytes)} more bytes: dropped`);
  return lines;
}

async function printCallJson({ host }: Session, result: CallResult): Promise<void> {
  const usage = usageJson(result.usage);
  const { captured, denials } = result;
  if (!result.ok) {
    const error = describeError(result.failure);
    await host.stderr.write(`${toJson({ ok: false, error, usage, captured, denials })}\n`);
    return;
  }
  // The output goes in as the tool wrote it: parsed and written again, its large numbers would lose digits.
  const output = isJson(result.output)
    ? escapeJson(result.output.replace(/^\ufeff/, "").trim())
    : toJson(result.output);
  const rest = denials === undefined ? "" : `,"denials":${toJson(denials)}`;
  await host.stdout.write(
    `{"ok":true,"output":${output},"usage":${toJson(usage)},"captured":${toJson(captured)}${rest}}\n`,
  );
}

async function printCallText(session: Session, result: CallEnd, showUsage: boolean): Promise<void> {
  const { host } = session;
  const paint = painterFor(host.stderr, host.environment);
  const captured = capturedLines(result.captured, host.stderr.columns).map((line) => paint("dim", line));
  const lines = [...captured, ...denialLines(result).map((line) => `[kami] ${line}`)];
  if (lines.length > 0) await host.stderr.write(`${lines.join("\n")}\n`);
  if (result.ok) {
    const output = host.stdout.isTerminal ? showControls(result.output) : result.output;
    await host.stdout.write(`${output}\n`);
  } else if (session.end.exitCode === undefined || result.failure.code !== "CANCELLED") {
    await printError(host, result.failure);
  }
  if (showUsage) await host.stderr.write(`${usageBlock(result.usage)}\n`);
}

function denialLines({ denials = [], advise }: CallEnd): readonly string[] {
  return advise === undefined ? [] : denials.map(advise);
}

type InvalidInput = Extract<CallResult, { ok: false }> & { readonly failure: Failure<"INPUT_INVALID"> };

function isInvalidInput(result: CallResult): result is InvalidInput {
  return !result.ok && result.failure.code === "INPUT_INVALID";
}

interface NumberFlag {
  readonly range: IntegerRange;
  readonly example: number;
}

function readFlag(name: string, text: string | undefined, { range, example }: NumberFlag): number | undefined {
  if (text === undefined) return undefined;
  const value = parseInteger(text, range);
  if (value !== undefined) return value;
  const problem = `Cannot use --${name} ${quote(text)}: it ${rangeRule(range)}`;
  throw refuse("USAGE", { problem, hint: `for example: --${name} ${example}` });
}

function isJson(text: string): boolean {
  try {
    parseJson(text, "output");
    return true;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}

/** Indentation carries meaning in what tools print. */
function cleanLine(line: string): string {
  const indent = /^[ \t]*/.exec(line)?.[0].slice(0, 200).replaceAll("\t", "  ") ?? "";
  return indent + clean(line, LINE_LIMIT);
}
