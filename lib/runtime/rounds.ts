/**
 * Calls that ask their user, for whoever has the answers at hand: a person at a terminal, a test case. A round is a call of its own, in a fresh sandbox.
 */
import { refuse } from "../errors.ts";
import { type Answers, isDeclined, type Question, ROUNDS_LIMIT } from "../schema/question.ts";
import type { Ended } from "./result.ts";

/** A call, and who answers what it asks. */
export interface AnsweredCall {
  readonly toolId: string;
  /** Runs one round. */
  readonly run: (answers: Answers | undefined) => Promise<Ended>;
  /** Answers a question; undefined where it stays without an answer. `ended` is how its round ended. */
  readonly answer: (question: Question, ended: Ended) => Promise<Answers | undefined>;
}

/**
 * Runs a call, round after round.
 *
 * @returns The end of its last round: with the question when nobody answered it; `ELICITATION_INVALID` when the tool asks too often.
 */
export async function runRounds({ toolId, run, answer }: AnsweredCall): Promise<Ended> {
  let ended = await run(undefined);
  for (let round = 1; ended.question !== undefined; round++) {
    if (round > ROUNDS_LIMIT) return refuseToAsk(toolId, TOO_OFTEN, ended);
    const answers = await answer(ended.question, ended);
    if (answers === undefined) return ended;
    ended = await run(answers);
    if (ended.question !== undefined && isDeclined(answers)) return refuseToAsk(toolId, JUST_DECLINED, ended);
  }
  return ended;
}

/** Why a user is not asked. */
export const TOO_OFTEN: string = `were asked ${ROUNDS_LIMIT} times, which is the most`;
export const JUST_DECLINED = "have just declined";

/** Ends a call whose question its user is spared. */
export function refuseToAsk(toolId: string, problem: string, { usage, captured }: Ended): Ended {
  return {
    ok: false,
    failure: refuse("ELICITATION_INVALID", { tool: toolId, field: "they", problem }),
    usage,
    captured,
  };
}
