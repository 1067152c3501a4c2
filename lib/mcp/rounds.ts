/**
 * Calls that ask their user: a tool that may do so ends a round with a question in place of its result, and is called anew, in a fresh sandbox, with the
 * answers beside its arguments. Between rounds nothing of it runs, and nothing is kept but the question.
 *
 * Source: MCP 2026-07-28, "Patterns / Multi Round-Trip Requests" and "Client features / Elicitation".
 */
import {
  inputRequired,
  type InputRequiredResult,
  type McpServer,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
} from "@modelcontextprotocol/server";
import { refuse } from "../errors.ts";
import type { Capability } from "../policy/capability.ts";
import { NO_OUTPUT, NO_USAGE } from "../protocol/limits.ts";
import type { CallResult } from "../runtime.ts";
import { JUST_DECLINED, refuseToAsk, TOO_OFTEN } from "../runtime/rounds.ts";
import {
  type Answers,
  inWordsOf,
  isDeclined,
  messageOf,
  type Question,
  readAnswers,
  readQuestion,
  ROUNDS_LIMIT,
} from "../schema/question.ts";
import { type AskedCall, canShowForms, saysItself, wantedOf } from "./asked-call.ts";
import type { Approval, Questions, Round } from "./questions.ts";

const STATE_UNKNOWN =
  "The requestState is of no open question: it was used before, is too old, or is of another call, or was changed";

/** What a client must declare. */
const FORMS = { elicitation: { form: {} } } as const;

/** What carries a call through its rounds. */
export interface Rounds {
  readonly mcp: McpServer;
  readonly questions: Questions;
  /** Runs one round. */
  readonly run: (grants: readonly Capability[], answers: Answers | undefined) => Promise<CallResult>;
}

/** How far a call has got: to its end, or to a question. */
export type Leg =
  | { readonly asks: false; readonly result: CallResult }
  | { readonly asks: true; readonly result: InputRequiredResult; readonly names: readonly string[] };

/**
 * Finds what the answers that come with a call are for. Each is good once, whatever comes of the call.
 *
 * @returns Undefined when the call brings no word of an open question.
 */
export function findAsked(questions: Questions, call: AskedCall): Approval | Round | undefined {
  const word: unknown = call.context.mcpReq.requestState();
  return word === undefined ? undefined : questions.close(word, wantedOf(call));
}

/**
 * Runs a call as far as it gets without its user.
 *
 * @param at - What the user granted for this call, and the question that it goes on from; undefined: it begins.
 * @throws {ProtocolError} -32602 when the call brings a word that is of no open question; -32021 when the tool asks, the client cannot, and its
 *   revision has a word for that.
 */
export async function runLeg(
  rounds: Rounds,
  call: AskedCall,
  at: { readonly grants: readonly Capability[]; readonly asked: Approval | Round | undefined },
): Promise<Leg> {
  const { mcpReq } = call.context;
  if (at.asked === undefined && mcpReq.requestState() !== undefined)
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, STATE_UNKNOWN);
  if (at.asked?.kind === "round") return resume(rounds, call, at.asked);
  const { grants } = at;
  const first = await rounds.run(grants, undefined);
  // Whoever knows what a tool will ask may answer at once: its first question only, or one that asks the same forever would be answered forever.
  const early = at.asked === undefined && first.question !== undefined ? read(first.question, call) : undefined;
  if (early === undefined) return proceed(rounds, call, { result: first, number: 1, grants, declined: false });
  const result = await rounds.run(grants, early);
  return proceed(rounds, call, { result, number: 2, grants, declined: isDeclined(early) });
}

async function resume(rounds: Rounds, call: AskedCall, { text, number, grants }: Round): Promise<Leg> {
  const asked = readQuestion(text);
  if (!asked.ok) throw new Error("BUG: a question that was asked is none");
  const question = asked.value;
  const answers = read(question, call);
  // Source: the section "Error Handling": what is missing or wrong is asked for again.
  if (answers === undefined) {
    const failure = refuse("ELICITATION_NEEDED", { tool: call.named.tool.id, message: messageOf(question) });
    const ended: CallResult = { ok: false, failure, usage: NO_USAGE, captured: NO_OUTPUT };
    return ask(rounds, call, { question, number: number + 1, grants, ended });
  }
  const result = await rounds.run(grants, answers);
  return proceed(rounds, call, { result, number: number + 1, grants, declined: isDeclined(answers) });
}

interface Asking extends Pick<Round, "number" | "grants"> {
  readonly question: Question;
  /** How the call ends where nobody can be asked. */
  readonly ended: CallResult;
}

interface Ran {
  readonly result: CallResult;
  readonly number: number;
  readonly grants: readonly Capability[];
  /** Whether the user has just declined to answer. */
  readonly declined: boolean;
}

function proceed(rounds: Rounds, call: AskedCall, { result, number, grants, declined }: Ran): Leg {
  const { question } = result;
  if (question === undefined) return { asks: false, result };
  // A user who has declined is left alone.
  if (declined) return refusal(call, JUST_DECLINED, result);
  return ask(rounds, call, { question, number, grants, ended: result });
}

function ask({ mcp, questions }: Rounds, call: AskedCall, { question, number, grants, ended }: Asking): Leg {
  if (number > ROUNDS_LIMIT) return refusal(call, TOO_OFTEN, ended);
  if (!canShowForms(mcp, call.context)) {
    if (saysItself(call.context)) throw new MissingRequiredClientCapabilityError({ requiredCapabilities: FORMS });
    return { asks: false, result: ended };
  }
  const { forms, text } = question;
  const inputRequests = Array.from(forms, ([name, { message, schema }]) => {
    const params = {
      mode: "form",
      message: inWordsOf(call.named.tool, message),
      requestedSchema: { ...schema },
    } as const;
    return [name, inputRequired.elicit(params)] as const;
  });
  return {
    asks: true,
    names: [...forms.keys()],
    result: inputRequired({
      requestState: questions.open(wantedOf(call), { kind: "round", text, number, grants }),
      inputRequests: Object.fromEntries(inputRequests),
    }),
  };
}

function refusal({ named: { tool } }: AskedCall, problem: string, ended: CallResult): Leg {
  return { asks: false, result: refuseToAsk(tool.id, problem, ended) };
}

function read(question: Question, { context: { mcpReq } }: AskedCall): Answers | undefined {
  return readAnswers(question, mcpReq.inputResponses);
}
