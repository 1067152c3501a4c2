/**
 * Test cases of a tool: `tests/*.toml`. Read strictly: a misspelt assertion that asserts nothing is worse than none.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parse, TomlError } from "smol-toml";
import * as v from "valibot";
import { refuse } from "../errors.ts";
import { readBeneath, type SizeLimit } from "../registry/files.ts";
import { decodeManifest } from "../registry/text.ts";

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
}

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
      }),
    ),
    v.nonEmpty("has no [[case]]"),
  ),
});

const FOLDER = "tests";
const FILE_SIZE: SizeLimit = {
  bytes: 4_194_304,
  refuse: (path, bytes) => refuse("FILE_UNREADABLE", { path, reason: `it has ${bytes} bytes, the limit is 4194304` }),
};

/**
 * Reads the cases of a tool.
 *
 * @param directory - The tool's.
 * @returns In the order of their files' names; empty when there is no folder `tests`.
 * @throws {Failure} `CONFIG_SYNTAX`, `CONFIG_INVALID`, `FILE_*`, `PACKAGE_PATH`
 */
export function readCases(directory: string): readonly TestCase[] {
  return namesIn(join(directory, FOLDER)).flatMap((name) => {
    const path = `${FOLDER}/${name}`;
    const text = decodeManifest(readBeneath(directory, path, FILE_SIZE), path);
    return parseCases(text, path);
  });
}

/** Parses a file of cases. @param file - What messages call it. @throws {Failure} `CONFIG_SYNTAX`, `CONFIG_INVALID` */
export function parseCases(text: string, file: string): readonly TestCase[] {
  const result = v.safeParse(CASES, parseToml(text, file));
  if (!result.success) {
    const [issue] = result.issues;
    throw refuse("CONFIG_INVALID", { source: file, key: v.getDotPath(issue) ?? "case", rule: issue.message });
  }
  return result.output.case.map((written) => toCase(written, file));
}

function toCase(written: v.InferOutput<typeof CASES>["case"][number], file: string): TestCase {
  const { name, input, output, output_has: outputHas, error, denied } = written;
  const expectations = [output ?? outputHas, error, denied].filter((each) => each !== undefined);
  if (expectations.length > 1)
    throw refuse("CONFIG_INVALID", {
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
