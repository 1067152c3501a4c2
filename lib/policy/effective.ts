/**
 * The effective policy: request ∩ grant. Computed here and nowhere else. Pure: directories and the values of variables are given.
 *
 * A manifest asks for network, variables, files of its own and questions to its user; none of these goes beyond what it asks, whatever was granted. Directories of the user's, ports to
 * listen on and a finer clock are the user's own word: no manifest can ask for them, or it would ask everybody.
 */
import { formatNetworkRule, type NetworkRule, parseNetworkEntry } from "../network-rule.ts";
import { type Capability, ELICITATION_NAME, nameOf, READ_ONLY_NAME } from "./capability.ts";
import { SANDBOX_GUEST_PATH } from "./guest-path.ts";
import { DENY_ALL, type Mount, type Policy, type Quota } from "./policy.ts";
import { coversRule, intersectRules, uniqueRules } from "./rules.ts";

/** What a manifest asks for. */
export interface CapabilityRequest {
  /** Entries, each checked for its syntax. */
  readonly netAllowList: readonly string[];
  readonly fsAccess: "none" | "read-only" | "sandbox";
  readonly envAllowList: readonly string[];
  readonly elicitation: "none" | "form";
}

/** What was asked for and granted, weighed against each other. */
export interface Weighed {
  /** What a call may touch, without the values of variables; its sandbox has no path yet. */
  readonly network: readonly NetworkRule[];
  readonly listen: readonly NetworkRule[];
  /** In the order of the request. */
  readonly environment: readonly string[];
  readonly hasSandbox: boolean;
  readonly mounts: readonly Mount[];
  readonly hasFineClock: boolean;
  /** Whether its calls may ask their user questions: in forms, and on the host's side alone. */
  readonly hasElicitation: boolean;
  /** Names of what is in effect. */
  readonly granted: readonly string[];
  /** Names of what is asked for and not granted, or granted in part. */
  readonly missing: readonly string[];
  /** Names of what was granted and is not asked for: it has no effect. */
  readonly idle: readonly string[];
}

/** What the machine adds. */
export interface Surroundings {
  /** Absolute path of the tool's own directory. */
  readonly sandboxPath: string;
  /** The host's variables. */
  readonly environment: ReadonlyMap<string, string>;
}

/** The most that a tool's own directory holds. */
const SANDBOX_QUOTA: Quota = Object.freeze({ bytes: 67_108_864, files: 10_000 });

const FINE_TICK_NS = 1;

/** Lists what a manifest asks for, in its order, each once; `undefined` stands for any directory to read. */
function requestsOf(request: CapabilityRequest): readonly Capability[] {
  const net = uniqueRules(request.netAllowList.map(parseRule)).map((rule) => ({ kind: "net", rule }) as const);
  const env = [...new Set(request.envAllowList)].map((name) => ({ kind: "env", name }) as const);
  const sandbox = request.fsAccess === "sandbox" ? [{ kind: "sandbox" } as const] : [];
  const elicitation = request.elicitation === "form" ? [{ kind: "elicitation" } as const] : [];
  return [...net, ...sandbox, ...env, ...elicitation];
}

/** Names what a manifest asks for. */
export function requestNames(request: CapabilityRequest): readonly string[] {
  const readOnly = request.fsAccess === "read-only" ? [READ_ONLY_NAME] : [];
  return [...requestsOf(request).map(nameOf), ...readOnly];
}

/** Weighs what was granted against what is asked for. */
export function weigh(request: CapabilityRequest, grants: readonly Capability[]): Weighed {
  const requests = requestsOf(request);
  const granted = (kind: "net" | "listen"): readonly NetworkRule[] =>
    grants.flatMap((grant) => (grant.kind === kind ? [grant.rule] : []));
  const asked = requests.flatMap((each) => (each.kind === "net" ? [each.rule] : []));
  const network = uniqueRules(asked.flatMap((rule) => granted("net").flatMap((other) => intersectRules(rule, other))));
  const has = (name: string): boolean => grants.some((grant) => nameOf(grant) === name);
  const mounts = grants.flatMap((grant) => (grant.kind === "mount" ? [mountOf(grant, request)] : []));
  const environment = [...new Set(request.envAllowList)].filter((name) => has(`env:${name}`));
  const hasSandbox = request.fsAccess === "sandbox" && has("fs:sandbox");
  const missing = requests.filter((each) =>
    each.kind === "net" ? !granted("net").some((rule) => coversRule(rule, each.rule)) : !has(nameOf(each)),
  );
  const isReadMissing = request.fsAccess === "read-only" && mounts.length === 0;
  const listen = uniqueRules(granted("listen"));
  const hasFineClock = has("clock:fine");
  const hasElicitation = request.elicitation === "form" && has(ELICITATION_NAME);
  return {
    network,
    listen,
    environment,
    hasSandbox,
    mounts,
    hasFineClock,
    hasElicitation,
    granted: [
      ...network.map((rule) => `net:${formatNetworkRule(rule)}`),
      ...(hasSandbox ? ["fs:sandbox"] : []),
      ...mounts.map(({ guestPath }) => `fs:${guestPath}`),
      ...environment.map((name) => `env:${name}`),
      ...listen.map((rule) => `listen:${formatNetworkRule(rule)}`),
      ...(hasFineClock ? ["clock:fine"] : []),
      ...(hasElicitation ? [ELICITATION_NAME] : []),
    ],
    missing: [...missing.map(nameOf), ...(isReadMissing ? [READ_ONLY_NAME] : [])],
    idle: grants
      .filter((grant) => (grant.kind === "net" ? !meetsAny(grant.rule, asked) : isIdle(grant, request)))
      .map(nameOf),
  };
}

/** Whether a manifest asks for nothing of what a grant gives, so that the grant has no effect. */
export function isIdle(grant: Capability, request: CapabilityRequest): boolean {
  if (grant.kind === "sandbox") return request.fsAccess !== "sandbox";
  if (grant.kind === "elicitation") return request.elicitation !== "form";
  if (grant.kind === "env") return !request.envAllowList.includes(grant.name);
  if (grant.kind !== "net") return false;
  return !meetsAny(grant.rule, request.netAllowList.map(parseRule));
}

function meetsAny(rule: NetworkRule, others: readonly NetworkRule[]): boolean {
  return others.some((other) => intersectRules(other, rule).length > 0);
}

/** Makes the policy of one call. */
export function effectivePolicy(weighed: Weighed, { sandboxPath, environment }: Surroundings): Policy {
  const sandbox: Mount = {
    guestPath: SANDBOX_GUEST_PATH,
    hostPath: sandboxPath,
    access: "read-write",
    quota: SANDBOX_QUOTA,
  };
  return {
    network: weighed.network,
    listen: weighed.listen,
    mounts: weighed.hasSandbox ? [sandbox, ...weighed.mounts] : weighed.mounts,
    environment: weighed.environment.flatMap((name) => {
      const value = environment.get(name);
      return value === undefined ? [] : [[name, value] as const];
    }),
    clockTickNs: weighed.hasFineClock ? FINE_TICK_NS : DENY_ALL.clockTickNs,
  };
}

/**
 * Makes the policy of a call without a manifest: what the user grants for it, and no more.
 *
 * @param grants - Directories among them have been checked.
 */
export function explicitPolicy(grants: readonly Capability[], environment: ReadonlyMap<string, string>): Policy {
  const request: CapabilityRequest = {
    netAllowList: grants.flatMap((grant) => (grant.kind === "net" ? [formatNetworkRule(grant.rule)] : [])),
    fsAccess: "none",
    elicitation: "none",
    envAllowList: grants.flatMap((grant) => (grant.kind === "env" ? [grant.name] : [])),
  };
  return effectivePolicy(weigh(request, grants), { sandboxPath: "", environment });
}

/** A tool that says that it only reads gets nothing to write. */
function mountOf({ guestPath, hostPath, access }: Omit<Mount, "quota">, { fsAccess }: CapabilityRequest): Mount {
  return { guestPath, hostPath, access: fsAccess === "read-only" ? "read-only" : access, quota: undefined };
}

function parseRule(entry: string): NetworkRule {
  const parsed = parseNetworkEntry(entry);
  if (!parsed.ok) throw new Error("BUG: an entry of a manifest was not checked");
  return parsed.rule;
}
