/**
 * Capabilities from words and flags of a command line.
 */
import { isAbsolute } from "node:path";
import { quote, refuse } from "../errors.ts";
import { type Capability, parseCapability } from "../policy/capability.ts";
import { guestPathProblem, placeProblem } from "../policy/guest-path.ts";
import { valuesOf } from "./arguments.ts";
import type { Host } from "./host.ts";

/** What a command line says is granted; the values of what may be given more than once are joined. */
export interface GrantFlags {
  /** Canonical names or what leads to them. */
  readonly names?: string | undefined;
  readonly net?: string | undefined;
  readonly env?: string | undefined;
  readonly mount?: string | undefined;
  readonly clock?: string | undefined;
}

/** Where mounts are read from. */
export interface MountSource {
  readonly host: Host;
  /** Directories of KAMI's that no tool may get. */
  readonly own: readonly string[];
}

/** `./data:/data:ro`; what comes first may hold colons. */
const MOUNT = /^(?<host>[^]+?):(?<guest>\/[^:]*)(?::(?<access>ro|rw))?$/;

/** The flag of commands that take directories. */
export const MOUNT_ARG = {
  type: "string",
  valueHint: "directory:/path[:ro|rw]",
  description: "A directory, and where the tool sees it. More than once",
} as const;

/**
 * Reads what is granted.
 *
 * @throws {Failure} USAGE; MOUNT_REFUSED
 */
export async function readGrants(flags: GrantFlags, source: MountSource): Promise<readonly Capability[]> {
  const names = [
    ...valuesOf(flags.names),
    ...prefixed("net", flags.net),
    ...prefixed("env", flags.env),
    ...prefixed("clock", flags.clock),
  ];
  const capabilities = names.map(readName);
  const mounts = valuesOf(flags.mount).map((text) => readMount(text, source.host));
  for (const { guestPath } of mounts) checkPlace(guestPath, mounts);
  if (mounts.length === 0) return capabilities;
  // Loaded when there is something to look at: help must not wait for the registry.
  const { resolveMount } = await import("../registry/mounts.ts");
  return [
    ...capabilities,
    ...mounts.map((mount) => Object.assign(mount, { hostPath: resolveMount(mount.hostPath, source.own) })),
  ];
}

function prefixed(prefix: string, joined: string | undefined): readonly string[] {
  return valuesOf(joined).map((value) => `${prefix}:${value}`);
}

function readName(text: string): Capability {
  const parsed = parseCapability(text);
  if (parsed.ok) return parsed.capability;
  const problem = `Cannot grant ${quote(text)}: it ${parsed.problem}`;
  throw refuse("USAGE", { problem, hint: "see what a tool asks for with: kami grants <id>" });
}

function checkPlace(path: string, mounts: readonly { readonly guestPath: string }[]): void {
  const others = mounts.map(({ guestPath }) => guestPath);
  const problem = placeProblem(path, others.toSpliced(others.indexOf(path), 1));
  if (problem === undefined) return;
  throw refuse("USAGE", {
    problem: `Cannot mount at ${quote(path)}: it ${problem}`,
    hint: "write: --mount ./data:/data:ro",
  });
}

/** @returns The directory as it was written, made absolute. */
function readMount(text: string, host: Host): Extract<Capability, { kind: "mount" }> {
  const parts = MOUNT.exec(text)?.groups;
  const guestPath = parts?.["guest"] ?? "";
  const problem =
    parts === undefined ? "it is not written <directory>:/path or with :ro or :rw behind" : guestPathProblem(guestPath);
  if (problem !== undefined) {
    const rule = parts === undefined ? problem : `${quote(guestPath)} ${problem}`;
    throw refuse("USAGE", { problem: `Cannot mount ${quote(text)}: ${rule}`, hint: "write: --mount ./data:/data:ro" });
  }
  const written = parts?.["host"] ?? "";
  const path = isAbsolute(written) ? written : `${host.currentDirectory()}/${written}`;
  const access = parts?.["access"] === "rw" ? "read-write" : "read-only";
  return { kind: "mount", guestPath, hostPath: path, access };
}
