/**
 * What a user can do about a denial. Pure. A denial comes from the guest's side, and may say anything: only a name that reads as a capability
 * becomes part of a command, canonical and quoted.
 */
import { quote } from "../errors.ts";
import { type Capability, grantCommand, nameOf, parseCapability } from "./capability.ts";
import { type CapabilityRequest, isIdle } from "./effective.ts";
import { type NetworkRule, parseNetworkEntry } from "../network-rule.ts";
import { guestPathProblem } from "./guest-path.ts";
import { coversRule } from "./rules.ts";

/** What was denied, of a call. */
interface Denied {
  readonly capability: string;
  readonly target: string;
}

/** The tool that was denied something. */
export interface DeniedTool {
  readonly id: string;
  readonly request: CapabilityRequest;
}

/**
 * Finds the command that would have allowed what was denied.
 *
 * @param capability - As the denial has it.
 * @returns The command, for a POSIX shell; undefined when there is none: the tool's manifest does not ask for it, or it is no capability.
 */
export function commandFor({ id, request }: DeniedTool, capability: string): string | undefined {
  const path = capability.replace(/^fs:/, "");
  if (path !== capability && path !== "/sandbox" && guestPathProblem(path) === undefined)
    return `${grantCommand(id, ["--mount"])} <directory>:${path}:ro`;
  const parsed = parseCapability(capability);
  if (!parsed.ok || isIdle(parsed.capability, request)) return undefined;
  return grantCommand(id, [nameOf(asked(parsed.capability, request))]);
}

/** Says what a tool was denied and what its user can do, on one clean line. */
export function adviseOn(tool: DeniedTool, { capability, target }: Denied): string {
  const command = commandFor(tool, capability);
  const advice = command === undefined ? "its tool.toml does not ask for it" : `grant it with: ${command}`;
  return `denied ${quote(capability)}, for ${quote(target)}; ${advice}`;
}

/** Finds what the manifest asks for that covers something: that is what the user was shown. Not `*`: the least is better there. */
function asked(capability: Capability, { netAllowList }: CapabilityRequest): Capability {
  if (capability.kind !== "net") return capability;
  const rules = netAllowList.flatMap((entry): NetworkRule[] => {
    const parsed = parseNetworkEntry(entry);
    return parsed.ok && parsed.rule.covers !== "any" && coversRule(parsed.rule, capability.rule) ? [parsed.rule] : [];
  });
  const [rule] = rules;
  return rule === undefined ? capability : { kind: "net", rule };
}
