/**
 * `tool.toml` → {@link Manifest}. A manifest is written by a stranger: every value is bounded and checked here, once, and the rest
 * of KAMI relies on it.
 */
import { parse, TomlError } from "smol-toml";
import { refuse, type Failure } from "../errors.ts";
import { positionAt, type Position } from "../position.ts";
import { checkAgreement } from "./agreement.ts";
import { buildManifest } from "./build.ts";
import { NESTING_LIMIT } from "./defaults.ts";
import { findUnknownKeys, nearestKey } from "./keys.ts";
import { findNode, locateAll, type TomlNode } from "./locate.ts";
import type { Manifest } from "./manifest.ts";
import { broken, formatPath, type Problem } from "./problem.ts";
import { checkShape } from "./shape.ts";

/** Levels of arrays and inline tables in the whole document: what a default may use, and `arguments` around it. */
const INLINE_DEPTH_LIMIT = NESTING_LIMIT + 4;

/**
 * Parses and checks a manifest, and fills in the defaults.
 *
 * @param text - The file's text, of at most `MANIFEST_LIMIT_BYTES`. A byte order mark and CRLF line ends are fine.
 * @param file - The manifest as the user named it, for messages.
 * @returns The manifest, sharing nothing with the text.
 * @throws {Failure} `MANIFEST_SYNTAX` when it is not TOML; `MANIFEST_UNKNOWN_KEY` or `MANIFEST_INVALID` for the first problem in
 *   document order. Missing keys come last: a misspelt key is the likelier cause, and is reported instead.
 */
export function parseManifest(text: string, file: string): Manifest {
  const source = text.replace(/^\ufeff/, "").replaceAll("\r\n", "\n");
  const document = parseToml(source, file);
  const root = locateAll(source);
  const shape = checkShape(document);
  const problems: Problem[] = [
    ...findUnknownKeys(root),
    ...checkAgreement(document),
    ...(shape.ok ? [] : shape.problems),
  ];
  const first = firstProblem(problems, root);
  if (first !== undefined) throw failureFor(first.problem, { file, ...positionAt(source, first.offset) });
  if (!shape.ok) throw new Error("BUG: a manifest of the wrong shape has no problem");
  return buildManifest(shape.value);
}

function parseToml(source: string, file: string): Readonly<Record<string, unknown>> {
  try {
    return parse(source, { integersAsBigInt: true, maxDepth: INLINE_DEPTH_LIMIT });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The message goes on with a picture of the place.
    const problem = error.message.replace(/^Invalid TOML document: /, "").split("\n", 1)[0] ?? "";
    throw refuse("MANIFEST_SYNTAX", { file, line: error.line, column: error.column, problem }, error);
  }
}

interface PlacedProblem {
  readonly problem: Problem;
  readonly offset: number;
  readonly missing: boolean;
}

function firstProblem(problems: readonly Problem[], root: TomlNode): PlacedProblem | undefined {
  let first: PlacedProblem | undefined;
  for (const problem of problems) {
    const placed = placeProblem(problem, root);
    if (first === undefined || isBefore(placed, first)) first = placed;
  }
  return first;
}

function isBefore(left: PlacedProblem, right: PlacedProblem): boolean {
  if (left.missing !== right.missing) return right.missing;
  return left.offset < right.offset;
}

/** A missing key stands where the nearest table around it starts. */
function placeProblem(problem: Problem, root: TomlNode): PlacedProblem {
  const node = findNode(root, problem.path);
  if (node !== undefined) {
    return { problem, offset: problem.kind === "unknown" ? node.keyOffset : node.valueOffset, missing: false };
  }
  const parent = findNode(root, problem.path.slice(0, -1)) ?? root;
  const absent = broken(problem.path, "is missing");
  return { problem: absent, offset: parent.keyOffset, missing: true };
}

function failureFor(problem: Problem, place: Position & { readonly file: string }): Failure {
  const key = formatPath(problem.path);
  if (problem.kind === "invalid") return refuse("MANIFEST_INVALID", { ...place, key, rule: problem.rule });
  return refuse("MANIFEST_UNKNOWN_KEY", { ...place, key, nearest: nearestKey(problem) });
}
