/**
 * Runs a test case: under the limits of the manifest, with nothing granted, or with what the manifest asks of HTTP and the replies that the case has, and
 * with the answers that it has.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { refuse } from "../errors.ts";
import { type Capability, parseCapability } from "../policy/capability.ts";
import type { MadeRequest, Rehearsal } from "../policy/rehearsal.ts";
import type { InstalledTool } from "../registry/registry.ts";
import type { CallOptions, CallResult, Runtime } from "../runtime.ts";
import { runRounds } from "../runtime/rounds.ts";
import { readAnswers } from "../schema/question.ts";
import { parseReplies, type TestCase } from "./cases.ts";
import { judge } from "./judge.ts";
import { placeInProject } from "./project.ts";
import { formatReplies } from "./replies.ts";

/** What a tool is tested with. */
export interface Rehearsing {
  readonly runtime: Runtime;
  readonly tool: InstalledTool;
}

/** What became of a case. */
export interface Judged {
  readonly result: CallResult;
  /** What is wrong; undefined when nothing is. */
  readonly problem: string | undefined;
}

/** Runs a case. */
export async function runCase(by: Rehearsing, expected: TestCase, options: CallOptions = {}): Promise<Judged> {
  const { replies } = expected;
  const result = await call(by, expected, {
    ...options,
    ...(replies === undefined ? {} : rehearse(by.tool, { kind: "replay", replies })),
  });
  return { result, problem: judge(expected, result) };
}

/** Makes the call of a case, with what its user answers. Its requests are those of all rounds. */
async function call({ runtime, tool }: Rehearsing, { input, answers }: TestCase, options: CallOptions) {
  if (answers === undefined) return runtime.call(tool.id, input, options);
  const grants: readonly Capability[] = [...(options.grants ?? []), { kind: "elicitation" }];
  const requests: MadeRequest[] = [];
  const result = await runRounds({
    toolId: tool.id,
    run: async (given) => {
      const ended = await runtime.call(tool.id, input, { ...options, grants, answers: given });
      requests.push(...(ended.requests ?? []));
      return ended;
    },
    answer: async (question) => readAnswers(question, answers),
  });
  return { ...result, requests };
}

/** A case that was run over the network. */
export interface Recorded extends Judged {
  /** The file with its replies; undefined when none was made. */
  readonly text: string | undefined;
}

/**
 * Runs a case over the network, within the rules that the manifest asks for, and again with the replies that came: what is recorded passes.
 */
export async function recordCase(by: Rehearsing, expected: TestCase): Promise<Recorded> {
  const result = await call(by, expected, rehearse(by.tool, { kind: "record" }));
  const problem = judge(expected, result);
  if (problem !== undefined) return { result, problem, text: undefined };
  const text = formatReplies(result.requests ?? []);
  if (text === undefined)
    return {
      result,
      text,
      problem: "one of its requests has no whole reply, or one of more than 1 MiB: it cannot be recorded",
    };
  const replies = parseReplies(text, expected.recorded ?? "");
  const again = await runCase(by, { ...expected, replies });
  return { ...again, text: again.problem === undefined ? text : undefined };
}

/**
 * Writes a file that was recorded. Never one that is there.
 *
 * @param path - In the tool's directory.
 * @throws {Failure} `PACKAGE_PATH`, `FILE_UNREADABLE`
 */
export function writeRecorded(directory: string, path: string, text: string): void {
  const target = placeInProject(directory, path);
  try {
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text, { flag: "wx" });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    throw refuse("FILE_UNREADABLE", {
      path,
      reason: code === "EEXIST" ? "it is there already" : `writing failed (${code})`,
    });
  }
}

/** Of the manifest's requests, those of HTTP: what else there is of a network is no part of a rehearsal. */
function rehearse({ manifest }: InstalledTool, rehearsal: Rehearsal): Pick<CallOptions, "grants" | "rehearsal"> {
  const grants = manifest.security.netAllowList.flatMap((entry): Capability[] => {
    const parsed = parseCapability(`net:${entry}`);
    if (!parsed.ok || parsed.capability.kind !== "net") return [];
    const { scheme } = parsed.capability.rule;
    return scheme === "tcp" || scheme === "udp" ? [] : [parsed.capability];
  });
  return { grants, rehearsal };
}
