/**
 * Test cases of a tool: `tests/*.toml`. Read strictly: a misspelt assertion that asserts nothing is worse than none.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parse, TomlError } from "smol-toml";
import * as v from "valibot";
import { clean, Failure, quote, refuse } from "../errors.ts";
import { type GivenReply, REHEARSAL_LIMITS } from "../policy/rehearsal.ts";
import { readBeneath, type SizeLimit } from "../registry/files.ts";
import { decodeManifest } from "../registry/text.ts";
import { canonicalUrl, readReplies } from "./replies.ts";

/** One case. Without an expectation, the call has to succeed. */
export interface TestCase {
  /** File and name. */
  readonly name: string;
  /** JSON text. */
  readonly input: string;
  /** The whole output. */
  readonly output: unknown;
  /** Members that the output has, among others. */
  readonly outputHas: Readonly<Record<string, unknown>> | undefined;
  /** A part of the tool's error. */
  readonly error: string | undefined;
  /** A part of the capability that the call must be denied. */
  readonly denied: string | undefined;
  readonly maxFuel: number | undefined;
  readonly maxMemoryMb: number | undefined;
  readonly maxMs: number | undefined;
  /** What the user answers, by the names of the forms, as MCP has it; undefined: the tool may not ask. */
  readonly answers: Readonly<Record<string, unknown>> | undefined;
  /** What HTTP requests get in place of the network's answers; undefined: nothing is granted, or {@link recorded} says where they will be. */
  readonly replies: readonly GivenReply[] | undefined;
  /** Path of the file, in the tool's directory, that has the replies or will have them. */
  readonly recorded: string | undefined;
  /** The requests that are made, in order: `GET https://example.com/`. */
  readonly requests: readonly string[] | undefined;
}

const FOLDER = "tests";
const RECORDED_FOLDER = `${FOLDER}/recorded`;
const RECORDED = /^[a-z0-9][a-z0-9-]{0,63}$/;
const REPLIES = v.strictObject({ reply: v.optional(v.array(v.unknown()), []) });

const CASES = v.strictObject({
  case: v.pipe(
    v.array(
      v.strictObject({
        name: v.pipe(v.string(), v.nonEmpty()),
        input: v.optional(v.record(v.string(), v.unknown()), {}),
        output: v.optional(v.unknown()),
        output_has: v.optional(v.record(v.string(), v.unknown())),
        error: v.optional(v.string()),
        denied: v.optional(v.string()),
        max_fuel: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
        max_memory_mb: v.optional(v.pipe(v.number(), v.minValue(0))),
        max_ms: v.optional(v.pipe(v.number(), v.minValue(0))),
        answers: v.optional(
          v.record(
            v.string(),
            v.union(
              [v.picklist(["decline", "cancel"]), v.record(v.string(), v.unknown())],
              'must be a table of a form\'s fields, "decline" or "cancel"',
            ),
          ),
        ),
        reply: v.optional(v.array(v.unknown())),
        recorded: v.optional(v.pipe(v.string(), v.regex(RECORDED, "must be a plain name: a-z, 0-9 and - at most 64"))),
        requests: v.optional(v.array(v.string())),
      }),
    ),
    v.nonEmpty("has no [[case]]"),
  ),
});

const FILE_SIZE: SizeLimit = sizeLimit(4_194_304);
/** Bodies may have 4 MiB, which base64 makes 5.6. */
const RECORDED_SIZE: SizeLimit = sizeLimit(8_388_608);
const BODY_SIZE: SizeLimit = sizeLimit(REHEARSAL_LIMITS.bodyBytes);

/** Reads a file of the tool's directory. @throws {Failure} */
type ReadFile = (path: string, limit: SizeLimit) => Uint8Array<ArrayBuffer>;

/**
 * Reads the cases of a tool.
 *
 * @param directory - The tool's.
 * @returns In the order of their files' names; empty when there is no folder `tests`.
 * @throws {Failure} `CONFIG_SYNTAX`, `CASE_INVALID`, `FILE_*`, `PACKAGE_PATH`
 */
export function readCases(directory: string): readonly TestCase[] {
  const read: ReadFile = (path, limit) => readBeneath(directory, path, limit);
  return namesIn(join(directory, FOLDER)).flatMap((name) => {
    const path = `${FOLDER}/${name}`;
    return parseCases(decodeManifest(read(path, FILE_SIZE), path), path, read);
  });
}

/**
 * Parses a file of cases.
 *
 * @param file - What messages call it.
 * @param read - Reads what it names.
 * @throws {Failure} `CONFIG_SYNTAX`, `CASE_INVALID`, and what `read` throws
 */
export function parseCases(text: string, file: string, read: ReadFile): readonly TestCase[] {
  return parseShape(CASES, text, file).case.map((written) => toCase(written, file, read));
}

function parseShape<S extends v.GenericSchema>(schema: S, text: string, file: string): v.InferOutput<S> {
  const result = v.safeParse(schema, parseToml(text, file));
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw refuse("CASE_INVALID", { source: file, key: v.getDotPath(issue) ?? "case", rule: issue.message });
}

type WrittenCase = v.InferOutput<typeof CASES>["case"][number];

function toCase(written: WrittenCase, file: string, read: ReadFile): TestCase {
  const { name, input, output, output_has: outputHas, error, denied } = written;
  const expectations = [output ?? outputHas, error, denied].filter((each) => each !== undefined);
  if (expectations.length > 1)
    throw refuse("CASE_INVALID", {
      source: file,
      key: name,
      rule: "expects an output, an error or a denial, not several",
    });
  const { max_fuel: maxFuel, max_memory_mb: maxMemoryMb, max_ms: maxMs } = written;
  return {
    name: `${file}: ${name}`,
    input: JSON.stringify(input),
    output: toPlain(output),
    outputHas: toMembers(outputHas),
    error,
    denied,
    maxFuel,
    maxMemoryMb,
    maxMs,
    answers: toAnswers(written),
    ...toReplies(written, file, read),
  };
}

function toAnswers({ answers }: WrittenCase): TestCase["answers"] {
  if (answers === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(answers).map(([name, answer]) => [
      name,
      typeof answer === "string" ? { action: answer } : { action: "accept", content: toPlain(answer) },
    ]),
  );
}

function toReplies({ name, reply, recorded, requests }: WrittenCase, file: string, read: ReadFile) {
  if (reply !== undefined && recorded !== undefined)
    throw refuse("CASE_INVALID", {
      source: file,
      key: name,
      rule: "has replies and a name of recorded ones, not both",
    });
  const expected = requests?.map((each) => toRequest(each, file));
  const given = reply ?? (requests !== undefined && recorded === undefined ? [] : undefined);
  const path = recorded && `${RECORDED_FOLDER}/${recorded}.toml`;
  const replies =
    path === undefined
      ? given && readReplies(given, { file, read: (each) => read(`${FOLDER}/${each}`, BODY_SIZE) })
      : parseRecorded(path, read);
  return { replies, recorded: path, requests: expected };
}

/** @returns Undefined when there is no such file. */
function parseRecorded(path: string, read: ReadFile): TestCase["replies"] {
  try {
    return parseReplies(decodeManifest(read(path, RECORDED_SIZE), path), path);
  } catch (error) {
    if (error instanceof Failure && error.code === "FILE_NOT_FOUND") return undefined;
    throw error;
  }
}

/** Parses a file of recorded replies. @param file - What messages call it. @throws {Failure} `CONFIG_SYNTAX`, `CASE_INVALID` */
export function parseReplies(text: string, file: string): readonly GivenReply[] {
  const read = (): never => {
    throw refuse("CASE_INVALID", {
      source: file,
      key: "file",
      rule: "is not for recorded replies: they are in one file",
    });
  };
  return readReplies(parseShape(REPLIES, text, file).reply, { file, read });
}

/** As requests are listed: `GET https://example.com/`. */
function toRequest(text: string, file: string): string {
  const [method = "", ...rest] = text.split(" ");
  const url = canonicalUrl(rest.join(" "));
  if (/^[A-Z]+$/.test(method) && url !== undefined) return `${method} ${url}`;
  const rule = `${quote(clean(text, 100))} is no request: write, for example, "GET https://example.com/"`;
  throw refuse("CASE_INVALID", { source: file, key: "requests", rule });
}

function sizeLimit(limit: number): SizeLimit {
  return {
    bytes: limit,
    refuse: (path, bytes) =>
      refuse("FILE_UNREADABLE", { path, reason: `it has ${bytes} bytes, the limit is ${limit}` }),
  };
}

/** As JSON has it: TOML's tables have no prototype, its dates become text. */
function toPlain(value: unknown): unknown {
  const text = JSON.stringify(value);
  return text === undefined ? undefined : JSON.parse(text);
}

function toMembers(members: Readonly<Record<string, unknown>> | undefined): TestCase["outputHas"] {
  return members && Object.fromEntries(Object.entries(members).map(([name, value]) => [name, toPlain(value)]));
}

function parseToml(text: string, file: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [problem = ""] = error.message.replace(/^Invalid TOML document: /, "").split("\n");
    throw refuse("CONFIG_SYNTAX", { file, line: error.line, column: error.column, problem }, error);
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".toml"))
      .toSorted();
  } catch {
    return [];
  }
}
