/**
 * What is decided about a call before it starts: which function, with what input, under which limits, and what it may touch.
 */
import { refuse } from "../errors.ts";
import type { OnProgress } from "../executor/progress.ts";
import type { Settled } from "../executor/settled.ts";
import { isJsonObject } from "../json-type.ts";
import type { Capability } from "../policy/capability.ts";
import { explicitPolicy } from "../policy/effective.ts";
import { type LimitRequest, limitCall } from "../policy/limits.ts";
import type { Policy } from "../policy/policy.ts";
import type { Rehearsal } from "../policy/rehearsal.ts";
import type { Limits } from "../protocol/limits.ts";
import { readLooseComponent, type VerifiedPackages, verifyPackage } from "../registry/package.ts";
import type { InstalledTool, Registry } from "../registry/registry.ts";
import { findMismatch } from "../schema/conform.ts";
import type { ForeignSchema } from "../schema/references.ts";
import { readInput } from "../schema/input.ts";
import { appendMembers } from "../schema/members.ts";
import type { Answers } from "../schema/question.ts";
import { checkEnd, type Ended } from "./result.ts";

/** The member of a tool's input that holds what its user answered. Source: MCP reserves the name in all its messages. */
const ANSWERS_MEMBER = "_meta";

/** How one call is run. */
export interface CallOptions {
  /** Which of the tool's functions, by its name; needed when it has several. */
  readonly function?: string | undefined;
  /** The user's own limits for this call: each replaces the tool's. */
  readonly limits?: Partial<Limits> | undefined;
  /** Aborting it interrupts the guest: the call then fails with `CANCELLED`. */
  readonly signal?: AbortSignal | undefined;
  /** Whose turn in the queue the call takes; default: the tool's own. */
  readonly client?: string | undefined;
  /** Told now and then how far the call is while it runs. */
  readonly onProgress?: OnProgress | undefined;
  /** What the user grants for this call. Directories have been checked. An installed tool gets what it asks for and no more. */
  readonly grants?: readonly Capability[] | undefined;
  /** What the user answered to the question that the tool's last round ended with. */
  readonly answers?: Answers | undefined;
  /** How HTTP requests are rehearsed; only where guests run in Workers of this process. */
  readonly rehearsal?: Rehearsal | undefined;
}

/** What is known of a call when it can start. */
export interface Prepared {
  readonly digest: string;
  /** The function that the caller named. */
  readonly entry: string | undefined;
  readonly input: string;
  readonly limits: Limits;
  readonly policy: Policy;
  readonly client: string;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: OnProgress | undefined;
  readonly component: () => Promise<Uint8Array>;
  /** Holds the call's end to what the tool itself says that it returns. */
  readonly check: (settled: Settled) => Ended;
}

/** What calls are prepared with. */
export interface Preparing {
  readonly registry: Registry;
  readonly ceilings: Limits;
  /** The host's variables. */
  readonly environment: ReadonlyMap<string, string>;
  readonly verified: VerifiedPackages;
}

/** Computes the limits of a call. */
export function limitsFor(request: LimitRequest, ceilings: Limits, options: CallOptions = {}): Limits {
  return limitCall(request, { ceilings, explicit: options.limits });
}

/**
 * Prepares the call of an installed tool.
 *
 * @param input - JSON text, at most 4 MiB of UTF-8.
 * @throws {Failure} `TOOL_DISABLED`, `INPUT_*`, `PACKAGE_CHANGED`, `MOUNT_REFUSED`, `REGISTRY_UNWRITABLE`
 */
export function prepareTool(tool: InstalledTool, input: string, { options, ...by }: Preparing & WithOptions): Prepared {
  const { id, manifest, described } = tool;
  if (!tool.enabled) throw refuse("TOOL_DISABLED", { id });
  const declared = manifest.mcp.arguments;
  const checked = readInput(input, declared);
  // What the manifest declares is what the user has seen, and stands above what the component says.
  if (declared.length === 0) checkInput(described?.inputSchema, checked);
  by.verified.verify(tool);
  const { hasElicitation } = by.registry.grants.weighFor(tool, options.grants);
  return {
    ...terms(options, limitsFor(manifest.security, by.ceilings, options), id),
    digest: tool.componentDigest,
    input: asksUser(tool) ? withAnswers(checked, options.answers) : checked,
    policy: { ...by.registry.grants.policyFor(tool, by.environment, options.grants), ...rehearsalOf(options) },
    component: async () => verifyPackage(tool),
    check: (settled) =>
      checkEnd(settled, { tool: id, schema: described?.outputSchema, asks: asksUser(tool), hasElicitation }),
  };
}

/**
 * Prepares the call of a component that is not installed.
 *
 * @param path - The component's file.
 * @throws {Failure} `INPUT_*`, `FILE_*`, `COMPONENT_*`
 */
export async function prepareFile(
  path: string,
  input: string,
  { options, ceilings, environment }: Pick<Preparing, "ceilings" | "environment"> & { readonly options: CallOptions },
): Promise<Prepared> {
  const checked = readInput(input);
  const { component, digest, security } = await readLooseComponent(path);
  return {
    ...terms(options, limitsFor(security, ceilings, options), digest),
    digest,
    input: checked,
    policy: explicitPolicy(options.grants ?? [], environment),
    component: async () => component,
    check: (settled) => settled,
  };
}

interface WithOptions {
  readonly options: CallOptions;
}

function rehearsalOf({ rehearsal }: CallOptions): Pick<Policy, "rehearsal"> {
  return rehearsal === undefined ? {} : { rehearsal };
}

/** What the caller says of a call, and what holds where it says nothing. */
function terms({ function: entry, client, signal, onProgress }: CallOptions, limits: Limits, own: string) {
  return { entry, limits, client: client ?? own, signal, onProgress };
}

/** Whether what a tool returns may be a question. The functions of a component return values of their types, and no texts in MCP's shape. */
function asksUser({ manifest, functions }: InstalledTool): boolean {
  return manifest.security.elicitation !== "none" && functions.length === 0;
}

/** Puts the answers beside the arguments, under a name that no caller can use: an agent must not answer for its user. */
function withAnswers(input: string, answers: Answers | undefined): string {
  const value: unknown = JSON.parse(input);
  const isObject = isJsonObject(value);
  if (isObject && Object.hasOwn(value, ANSWERS_MEMBER))
    throw refuse("INPUT_INVALID", { field: ANSWERS_MEMBER, problem: "is where KAMI puts what the user answers" });
  if (answers === undefined) return input;
  if (!isObject) throw refuse("INPUT_INVALID", { field: "input", problem: "must be an object: answers go beside it" });
  return appendMembers(input, { [ANSWERS_MEMBER]: answers });
}

function checkInput(schema: ForeignSchema | undefined, input: string): void {
  if (schema === undefined) return;
  const mismatch = findMismatch(schema, JSON.parse(input), "input");
  if (mismatch !== undefined) throw refuse("INPUT_INVALID", { ...mismatch });
}
