/**
 * Calls from the command line that ask their user: on a terminal, round after round, until the tool has its result.
 */
import { refuse } from "../errors.ts";
import type { InstalledTool } from "../registry/registry.ts";
import type { CallResult } from "../runtime.ts";
import type { FormAnswer } from "../schema/form-answer.ts";
import { type Answers, inWordsOf, isDeclined, type Question, ROUNDS_LIMIT } from "../schema/question.ts";
import { capturedLines } from "./call.ts";
import type { Session } from "./session.ts";
import { askForm } from "./terminal-form.ts";
import { TerminalLines } from "./terminal-lines.ts";

/** Runs one round of a call. */
export type RunRound = (answers: Answers | undefined) => Promise<CallResult>;

/**
 * Runs a call, and asks what it asks where there is a terminal.
 *
 * @returns The end of its last round: failed when there is nobody to ask, or the tool asks too often.
 */
export async function runRounds(session: Session, tool: InstalledTool, run: RunRound): Promise<CallResult> {
  let result = await run(undefined);
  const { host, json } = session;
  if (result.question === undefined || json || !host.stdinIsTerminal || !host.stderr.isTerminal) return result;
  using lines = new TerminalLines(session);
  for (let round = 1; result.question !== undefined; round++) {
    if (round > ROUNDS_LIMIT) return refusal(tool, `were asked ${ROUNDS_LIMIT} times, which is the most`, result);
    const captured = capturedLines(result.captured, host.stderr.columns).map((line) => `${line}\n`);
    await host.stderr.write(captured.join(""));
    const answers = await askQuestion({ session, lines, tool }, result.question);
    result = await run(answers);
    if (result.question !== undefined && isDeclined(answers)) return refusal(tool, "have just declined", result);
  }
  return result;
}

interface AtTerminal {
  readonly session: Session;
  readonly lines: TerminalLines;
  readonly tool: InstalledTool;
}

async function askQuestion({ session, lines, tool }: AtTerminal, { forms, state }: Question): Promise<Answers> {
  const answers: [string, FormAnswer][] = [];
  for (const [name, form] of forms) {
    await session.host.stderr.write(`${inWordsOf(tool, form.message)}\n`);
    answers.push([name, await askForm(session, lines, form)]);
  }
  return { inputResponses: Object.fromEntries(answers), ...(state !== undefined && { requestState: state }) };
}

function refusal({ id }: InstalledTool, problem: string, { usage, captured }: CallResult): CallResult {
  return { ok: false, failure: refuse("ELICITATION_INVALID", { tool: id, field: "they", problem }), usage, captured };
}
