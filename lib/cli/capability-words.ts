/**
 * Capabilities in plain words, and what may come of granting them.
 */
import type { NetworkRule } from "../network-rule.ts";
import { kindOf, parseAddress } from "../policy/address.ts";
import { parseCapability, READ_ONLY_NAME } from "../policy/capability.ts";

/** How much a tool that means ill can do with it. */
export type Risk = "high" | "medium" | "low";

/** What a capability lets a tool do. */
export interface CapabilityWords {
  readonly words: string;
  readonly risk: Risk;
}

const SECRET = /KEY|TOKEN|SECRET|PASS|CREDENTIAL|AUTH|COOKIE|SESSION|PRIVATE|DSN|DATABASE_URL/i;

/** Says in plain words what a capability lets a tool do. `name` is canonical: nothing in it needs cleaning. */
export function wordsOf(name: string): CapabilityWords {
  if (name === READ_ONLY_NAME)
    return { words: "read files in directories that you name with kami grant --mount", risk: "medium" };
  const parsed = parseCapability(name);
  if (!parsed.ok) return { words: "use a directory of yours", risk: "medium" };
  const { capability } = parsed;
  if (capability.kind === "sandbox")
    return { words: "keep files in a directory of its own, up to 64 MiB", risk: "low" };
  if (capability.kind === "clock")
    return { words: "measure time finer than a millisecond, which helps to spy on other programs", risk: "medium" };
  if (capability.kind === "elicitation")
    return { words: "ask you questions in forms, and read your answers", risk: "medium" };
  if (capability.kind === "env") return envWords(capability.name);
  if (capability.kind === "listen") return { words: "take connections from other programs", risk: "high" };
  return networkWords(capability.rule);
}

function envWords(name: string): CapabilityWords {
  if (SECRET.test(name)) return { words: `read the variable ${name}, which looks like a secret`, risk: "high" };
  return { words: `read the variable ${name}`, risk: "medium" };
}

function networkWords({ scheme, covers, host, port, pathPrefix }: NetworkRule): CapabilityWords {
  const place = `${port === undefined ? "" : `, port ${port}`}${pathPrefix === undefined ? "" : `, below ${pathPrefix}`}`;
  const how = scheme === "tcp" || scheme === "udp" ? `connect by ${scheme} to` : "send requests to";
  const plain = scheme === "http" ? ", without encryption" : "";
  if (covers === "any")
    return { words: `${how} any public host${place}${plain}: it can send what it gets to anybody`, risk: "high" };
  const address = parseAddress(host);
  const isInside = host === "localhost" || (address !== undefined && kindOf(address) !== "public");
  if (isInside) return { words: `${how} ${host}${place}${plain}: this machine or your own network`, risk: "high" };
  if (covers === "subdomains") {
    const isWide = !host.includes(".");
    return { words: `${how} every host below ${host}${place}${plain}`, risk: isWide ? "high" : "medium" };
  }
  const foreign = host.includes("xn--") ? " (a name in another script: look twice)" : "";
  return { words: `${how} ${host}${foreign}${place}${plain}`, risk: foreign === "" ? "medium" : "high" };
}
