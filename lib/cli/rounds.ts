/**
 * Calls from the command line that ask their user: on a terminal, round after round, until the tool has its result.
 */
import type { InstalledTool } from "../registry/registry.ts";
import type { CallResult } from "../runtime.ts";
import type { AnsweredCall } from "../runtime/rounds.ts";
import type { FormAnswer } from "../schema/form-answer.ts";
import { type Answers, inWordsOf, type Question } from "../schema/question.ts";
import { capturedLines } from "./call.ts";
import type { Session } from "./session.ts";
import { askForm } from "./terminal-form.ts";
import { TerminalLines } from "./terminal-lines.ts";

/**
 * Runs a call, and asks what it asks where there is a terminal.
 *
 * @returns The end of its last round: failed when there is nobody to ask, or the tool asks too often.
 */
export async function runAtTerminal(
  session: Session,
  tool: InstalledTool,
  run: AnsweredCall["run"],
): Promise<CallResult> {
  const { host, json } = session;
  const { runRounds } = await import("../runtime/rounds.ts");
  const hasUser = !json && host.stdinIsTerminal && host.stderr.isTerminal;
  using opened = new DisposableStack();
  let lines: TerminalLines | undefined;
  const answer: AnsweredCall["answer"] = async (question, { captured }) => {
    if (!hasUser) return undefined;
    // Standard input is read from the first question on.
    lines ??= opened.use(new TerminalLines(session));
    await host.stderr.write(
      capturedLines(captured, host.stderr.columns)
        .map((line) => `${line}\n`)
        .join(""),
    );
    return askQuestion({ session, lines, tool }, question);
  };
  return await runRounds({ toolId: tool.id, run, answer });
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
