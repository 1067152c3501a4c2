/**
 * Whether a call may go on, or its user has to be asked: because the tool asks for more than it was granted, because the user wants to see each of its
 * calls, or because nobody would otherwise see it: clients ask before they call tools, and not before they read. The question shows the exact call; what is granted by the answer holds for that one. A client that cannot ask gets a refusal.
 *
 * Source: MCP 2026-07-28, "Client features / Elicitation" and "Patterns / Multi Round-Trip Requests"; MCP 2025-11-25, "Elicitation".
 */
import {
  type CallToolResult,
  inputRequired,
  type InputRequiredResult,
  inputResponse,
  type McpServer,
} from "@modelcontextprotocol/server";
import { clean, type Failure, quote, refuse } from "../errors.ts";
import { type Capability, grantCommand, parseCapability } from "../policy/capability.ts";
import { NO_OUTPUT, NO_USAGE } from "../protocol/limits.ts";
import type { InstalledTool } from "../registry/registry.ts";
import { type AskedCall, canShowForms, wantedOf } from "./asked-call.ts";
import type { Approval, Questions } from "./questions.ts";
import { toToolResult } from "./result.ts";

/** What asks, and where it looks. */
export interface Asker {
  readonly mcp: McpServer;
  readonly questions: Questions;
  /** Names of what a tool asks for and does not have. */
  readonly missingOf: (tool: InstalledTool) => readonly string[];
  /** Names of what a tool may touch. */
  readonly grantedOf: (tool: InstalledTool) => readonly string[];
  readonly log: (line: string) => void;
}

/** The call goes on, with what was granted for it; or its answer, which is a question or a refusal. */
export type Consent =
  | { readonly mayRun: true; readonly grants: readonly Capability[] }
  | { readonly mayRun: false; readonly answer: CallToolResult | InputRequiredResult };

/** The one question of a call. */
const QUESTION = "approve";

/** Code units of the arguments that a user is shown. */
const INPUT_SHOWN = 1500;

/** Capabilities that a user is shown by name. */
const NAMES_SHOWN = 20;

/**
 * Decides about a call.
 *
 * @param approval - What its user was asked before; undefined also when the word that came with the call is not known.
 */
export function seekConsent(asker: Asker, call: AskedCall, approval: Approval | undefined): Consent {
  const { tool } = call.named;
  const missing = asker.missingOf(tool);
  const isUnseen = call.uri !== undefined && asker.grantedOf(tool).length > 0;
  const isNeeded = tool.asks === "always" || (tool.asks === "missing" && (missing.length > 0 || isUnseen));
  // A disabled tool is refused by the runtime: nobody is asked about it.
  if (!isNeeded || !tool.enabled) return { mayRun: true, grants: [] };
  if (call.context.mcpReq.requestState() !== undefined) return readAnswer(asker, call, approval);
  if (canShowForms(asker.mcp, call.context)) return { mayRun: false, answer: ask(asker, call, missing) };
  return refusal(asker, tool, approvalNeeded(tool, missing, "the client cannot ask for it"));
}

function ask({ questions, grantedOf }: Asker, call: AskedCall, missing: readonly string[]): InputRequiredResult {
  const names = missing.filter((name) => parseCapability(name).ok);
  const requestState = questions.open(wantedOf(call), { kind: "approval", names });
  return inputRequired({
    requestState,
    inputRequests: {
      [QUESTION]: inputRequired.elicit({
        mode: "form",
        message: describe(call, names, grantedOf(call.named.tool)),
        requestedSchema: {
          type: "object",
          properties: { allow: { type: "boolean", title: "Allow this call", default: false } },
          required: ["allow"],
        },
      }),
    },
  });
}

function readAnswer(asker: Asker, call: AskedCall, approval: Approval | undefined): Consent {
  const { tool } = call.named;
  if (approval === undefined) {
    const reason = "the answer came too late, or was for another call";
    return refusal(asker, tool, approvalNeeded(tool, asker.missingOf(tool), reason));
  }
  const { names } = approval;
  const answer = inputResponse(call.context.mcpReq.inputResponses, QUESTION);
  const isAllowed = answer.kind === "elicit" && answer.action === "accept" && answer.content?.["allow"] === true;
  if (!isAllowed) return refusal(asker, tool, refuse("APPROVAL_DENIED", { tool: tool.id }));
  const granted = names.length === 0 ? "" : `, with ${names.join(", ")}`;
  asker.log(`${tool.id}: the user allowed one call${clean(granted, 1000)}`);
  const grants = names.flatMap((name) => {
    const parsed = parseCapability(name);
    return parsed.ok ? [parsed.capability] : [];
  });
  return { mayRun: true, grants };
}

/** What a user reads. The arguments are the model's, and may try to look like words of KAMI's: they are one quoted line at the end. */
function describe({ named, input, uri }: AskedCall, names: readonly string[], granted: readonly string[]): string {
  const { tool, function: found } = named;
  const more = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : "";
  const gets =
    names.length === 0
      ? named.tool.asks === "always"
        ? "You want to see each of its calls."
        : `Reading ${quote(uri ?? "")} is a call of it, with what you granted it: ${clean(granted.join(", "), 1500)}.`
      : `For this call it asks for ${clean(names.slice(0, NAMES_SHOWN).join(", "), 1500)}${more}, which you have not granted.`;
  const called = found === undefined ? "" : `, its function ${quote(found.name)}`;
  const shown = clean(input, INPUT_SHOWN);
  const cut = input.length > INPUT_SHOWN ? ` (the first ${INPUT_SHOWN} of ${input.length} characters)` : "";
  return `Allow one call of the tool ${tool.id} ${clean(tool.version, 64)}${called}? ${gets} What you allow holds for this call only.\n\nIts arguments${cut}: ${shown}`;
}

function approvalNeeded({ id, asks }: InstalledTool, missing: readonly string[], reason: string): Failure {
  const words = missing.filter((name) => parseCapability(name).ok);
  const grant = asks === "always" || words.length === 0 ? [] : [grantCommand(id, words)];
  return refuse("APPROVAL_NEEDED", {
    tool: id,
    reason,
    command: [...grant, `kami grant ${id} --ask never`].join(", or: "),
  });
}

function refusal({ log }: Asker, tool: InstalledTool, failure: Failure): Consent {
  const { code, message, hint } = failure;
  log(`${tool.id}: ${code}: ${clean(hint === undefined ? message : `${message} (${hint})`, 1000)}`);
  return {
    mayRun: false,
    answer: toToolResult({ ok: false, failure, usage: NO_USAGE, captured: NO_OUTPUT }),
  };
}
