/**
 * What a tool may touch, and what it may not, for people and for scripts.
 */
import { clean } from "../errors.ts";
import { formatNetworkRule } from "../network-rule.ts";
import { adviseOn, commandFor, type DeniedTool } from "../policy/advice.ts";
import { grantCommand, READ_ONLY_NAME } from "../policy/capability.ts";
import type { Weighed } from "../policy/effective.ts";
import { SANDBOX_GUEST_PATH } from "../policy/guest-path.ts";
import type { DenialRecord } from "../registry/denials.ts";
import type { InstalledTool } from "../registry/registry.ts";

/** Names that a command lists before it says `--all`. */
const LISTED = 6;
const NOTHING = "nothing";

/** Says the effective policy, as rows of a name and a value. */
export function policyRows(
  weighed: Weighed,
  environment: ReadonlyMap<string, string>,
): readonly (readonly [string, string])[] {
  const { network, listen, mounts, hasSandbox, hasFineClock, hasElicitation } = weighed;
  const own = hasSandbox ? [`${SANDBOX_GUEST_PATH} (its own, read and write, 64 MiB)`] : [];
  const others = mounts.map(({ guestPath, hostPath, access }) => `${guestPath} (${clean(hostPath)}, ${access})`);
  const variables = weighed.environment.map((name) => (environment.has(name) ? name : `${name} (not set here)`));
  return [
    ["network", list(network.map(formatNetworkRule))],
    ...(listen.length === 0 ? [] : [["listens on", list(listen.map(formatNetworkRule))] as const]),
    ["files", list([...own, ...others])],
    ["variables", list(variables)],
    ...(hasElicitation ? [["questions", "may ask you, in forms"] as const] : []),
    ["clock", hasFineClock ? "as fine as the machine's" : "1 ms"],
  ];
}

/** Says the effective policy in JSON; of variables the names alone. */
export function policyJson(weighed: Weighed): Readonly<Record<string, unknown>> {
  const { network, listen, mounts, hasSandbox, environment, hasFineClock, hasElicitation } = weighed;
  return {
    network: network.map(formatNetworkRule),
    listen: listen.map(formatNetworkRule),
    sandbox: hasSandbox,
    mounts: mounts.map(({ guestPath, hostPath, access }) => ({ guestPath, hostPath, access })),
    environment,
    fineClock: hasFineClock,
    elicitation: hasElicitation ? "form" : "none",
  };
}

/** Says what a tool asks for and was not granted, and the command that grants it; undefined when that is nothing. */
export function missingAdvice({ id, asks }: InstalledTool, { missing }: Weighed): string | undefined {
  if (missing.length === 0) return undefined;
  const names = missing.filter((name) => name !== READ_ONLY_NAME);
  const mount = names.length < missing.length ? [`${grantCommand(id, ["--mount"])} <directory>:/data:ro`] : [];
  const all = names.length === 0 ? [] : [grantCommand(id, names.length > LISTED ? ["--all"] : names)];
  const state =
    asks === "never" ? "It runs without what is not granted" : "Over MCP, its calls ask you for what is not granted";
  return `${state}. Grant it with: ${[...all, ...mount].join(", and ")}`;
}

/** Says what a tool was denied, a line each. */
export function denialLines(tool: InstalledTool, denials: readonly DenialRecord[]): readonly string[] {
  const seen = new Map(denials.toReversed().map((denial) => [`${denial.capability} ${denial.target}`, denial]));
  return [...seen.values()]
    .toReversed()
    .map((denial) => `${new Date(denial.at).toISOString()}  ${adviseOn(deniedTool(tool), denial)}`);
}

/** Says what a tool was denied in JSON. */
export function denialsJson(tool: InstalledTool, denials: readonly DenialRecord[]): readonly object[] {
  return denials.map(({ at, capability, target }) => ({
    at: new Date(at).toISOString(),
    capability,
    target,
    command: commandFor(deniedTool(tool), capability) ?? null,
  }));
}

/** What {@link adviseOn} needs of a tool. */
export function deniedTool({ id, manifest }: InstalledTool): DeniedTool {
  return { id, request: manifest.security };
}

function list(entries: readonly string[]): string {
  return entries.length === 0 ? NOTHING : entries.join(", ");
}
