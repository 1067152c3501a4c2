/**
 * Capabilities and their names, as a shell, the registry and the log have them: `net:api.github.com`, `env:API_KEY`, `fs:sandbox`, `fs:/data`,
 * `listen:tcp://127.0.0.1:8080`, `clock:fine`, `elicitation:form`. Pure. A name is canonical: what is the same is named the same, and what a name says
 * is all that it stands for, but for a mount, which has a directory behind it.
 */
import { formatNetworkRule, type NetworkRule, parseNetworkEntry } from "../network-rule.ts";
import type { Mount } from "./policy.ts";

/** Something that a tool may be allowed. */
export type Capability =
  | { readonly kind: "net" | "listen"; readonly rule: NetworkRule }
  | { readonly kind: "env"; readonly name: string }
  /** A directory of its own, kept between calls. */
  | { readonly kind: "sandbox" }
  | ({ readonly kind: "mount" } & Omit<Mount, "quota">)
  /** Clocks as fine as the machine's. */
  | { readonly kind: "clock" }
  /** Questions to the user, in forms. */
  | { readonly kind: "elicitation" };

/** A capability, or what is wrong with its name, in words that read on from it. */
export type CapabilityParse =
  | { readonly ok: true; readonly capability: Exclude<Capability, { kind: "mount" }> }
  | { readonly ok: false; readonly problem: string };

/** What a manifest with `fs_access = "read-only"` asks for: any directory. */
export const READ_ONLY_NAME = "fs:read-only";

/** The name of asking the user questions. */
export const ELICITATION_NAME = "elicitation:form";

/** Capabilities that have one name. */
const WHOLE_NAMES = { sandbox: "fs:sandbox", clock: "clock:fine", elicitation: ELICITATION_NAME } as const;

const ENVIRONMENT_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
/** Characters that no shell gives a meaning. */
const PLAIN_WORD = /^[\w@%+:,./-]+$/;

/** Names a capability. */
export function nameOf(capability: Capability): string {
  const { kind } = capability;
  if (kind === "net" || kind === "listen") return `${kind}:${formatNetworkRule(capability.rule)}`;
  if (kind === "env") return `env:${capability.name}`;
  if (kind === "mount") return `fs:${capability.guestPath}`;
  return WHOLE_NAMES[kind];
}

/**
 * Reads a capability's name.
 *
 * @param text - From a user, a database or a denial: anything. A mount has no name that says all of it.
 */
export function parseCapability(text: string): CapabilityParse {
  const colon = text.indexOf(":");
  const kind = text.slice(0, Math.max(colon, 0));
  const rest = text.slice(colon + 1);
  if (text === "fs:sandbox") return { ok: true, capability: { kind: "sandbox" } };
  if (text === "clock:fine") return { ok: true, capability: { kind: "clock" } };
  if (text === ELICITATION_NAME) return { ok: true, capability: { kind: "elicitation" } };
  if (kind === "net" || kind === "listen") return parseRule(kind, rest);
  if (kind === "env" && ENVIRONMENT_NAME.test(rest)) return { ok: true, capability: { kind, name: rest } };
  if (kind === "env") return fail('must name a variable: a letter or "_", then letters, digits and "_"');
  if (text === READ_ONLY_NAME || text.startsWith("fs:/"))
    return fail("needs a directory: --mount <directory>:/data:ro");
  return fail("must be one of net:<rule>, env:<NAME>, fs:sandbox, listen:<rule>, clock:fine, elicitation:form");
}

/** Writes a word so that a POSIX shell takes it as it is. */
export function quoteWord(word: string): string {
  return PLAIN_WORD.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * Writes the command that grants something.
 *
 * @param id - The tool's.
 * @param words - Canonical names, or flags.
 */
export function grantCommand(id: string, words: readonly string[]): string {
  return ["kami grant", id, ...words.map(quoteWord)].join(" ");
}

function parseRule(kind: "net" | "listen", entry: string): CapabilityParse {
  const parsed = parseNetworkEntry(entry);
  if (!parsed.ok) return fail(parsed.problem);
  const { rule } = parsed;
  const isSocket = rule.scheme === "tcp" || rule.scheme === "udp";
  if (kind === "listen" && (!isSocket || rule.covers !== "host"))
    return fail("must name the address to listen on: listen:tcp://127.0.0.1:8080");
  return { ok: true, capability: { kind, rule } };
}

function fail(problem: string): CapabilityParse {
  return { ok: false, problem };
}
