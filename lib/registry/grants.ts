/**
 * What the user granted, by tool and range of versions. A row is the user's word and nothing else is: a manifest cannot write one, and what a
 * row says is read again by today's rules whenever it is used.
 *
 * Grants go with their tool: the next one of that id, whoever wrote it, begins with none.
 */
import type { Database } from "bun:sqlite";
import { lstatSync } from "node:fs";
import { join } from "node:path";
import { refuse } from "../errors.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { type Capability, nameOf, parseCapability } from "../policy/capability.ts";
import { effectivePolicy, isIdle, type Weighed, weigh } from "../policy/effective.ts";
import { guestPathProblem, placeProblem } from "../policy/guest-path.ts";
import type { Policy } from "../policy/policy.ts";
import { defaultRange, isInRange, isRange } from "../policy/version.ts";
import type { Catalog } from "./catalog.ts";
import { makeDirectory } from "./durable.ts";
import { checkMount } from "./mounts.ts";
import type { PackageSource } from "./package.ts";
import type { InstalledTool } from "./registry.ts";
import type { StorePaths } from "./store.ts";
import { reading, writeTransaction } from "./transaction.ts";

/** One grant. */
export interface StoredGrant {
  readonly capability: Capability;
  /** The versions of the tool that it holds for. */
  readonly versions: string;
  /** Milliseconds since the epoch. */
  readonly grantedAt: number;
}

/** What grants are read from and written to. */
export interface GrantSource {
  readonly database: Database;
  readonly catalog: Catalog;
  readonly store: StorePaths;
  /** KAMI's own directories, which no tool may get. */
  readonly own: readonly string[];
}

/**
 * Asks what a tool is to be granted with its install; it runs when everything but that is known to be well. A failure that it throws ends the
 * install, and nothing is kept.
 *
 * @param before - The tool that it would replace.
 */
export type Decide = (source: PackageSource, before: InstalledTool | undefined) => Promise<readonly Capability[]>;

/** The most that one tool has: twice what a manifest can ask for. */
export const GRANTS_LIMIT = 1024;

interface GrantRow {
  readonly versions: string;
  readonly name: string;
  readonly host_path: string | null;
  readonly access: string | null;
  readonly granted_at: number;
}

const SELECT = "SELECT versions, name, host_path, access, granted_at FROM grants WHERE tool_id = ? ORDER BY rowid";
const INSERT = `INSERT OR REPLACE INTO grants (tool_id, versions, name, host_path, access, granted_at)
  VALUES (?, ?, ?, ?, ?, ?)`;

/** The grants of a registry. */
export class Grants {
  readonly #source: GrantSource;
  /** By tool and package, at a revision. */
  #weighed: { readonly revision: number; readonly byTool: Map<string, Weighed> } = { revision: 0, byTool: new Map() };

  constructor(source: GrantSource) {
    this.#source = source;
  }

  /** Directories of KAMI's that no tool may get. */
  get own(): readonly string[] {
    return this.#source.own;
  }

  /** Lists what a tool was granted, for all its versions, the oldest first. A row that today's rules do not read is left out. */
  of(id: string): readonly StoredGrant[] {
    const { database } = this.#source;
    return reading(database, () => database.query<GrantRow, [string]>(SELECT).all(id)).flatMap(toGrant);
  }

  /**
   * Grants capabilities to an installed tool. What was granted under the same name and range is replaced.
   *
   * @param versions - Default: the installed version and later ones that are compatible with it.
   * @throws {Failure} `TOOL_UNKNOWN`, `GRANT_REFUSED`, `REGISTRY_BUSY`, `REGISTRY_UNWRITABLE`; then nothing is granted
   */
  add(id: string, capabilities: readonly Capability[], versions?: string): void {
    writeTransaction(this.#source.database, () => this.write(id, capabilities, versions));
  }

  /** Does what {@link add} does, inside a transaction. */
  write(id: string, capabilities: readonly Capability[], versions?: string): void {
    const tool = this.#source.catalog.load(id);
    if (tool === undefined) throw refuse("TOOL_UNKNOWN", { id, nearest: undefined });
    const range = versions ?? defaultRange(tool.version);
    checkRange(tool, range);
    const names = new Set(capabilities.map(nameOf));
    const kept = this.of(id).flatMap((grant) => (names.has(nameOf(grant.capability)) ? [] : [grant.capability]));
    for (const capability of capabilities) checkGrant(tool, capability, [...kept, ...capabilities]);
    // There is one directory at a path, whatever the version.
    const mounts = capabilities.filter(({ kind }) => kind === "mount").map(nameOf);
    for (const name of mounts) this.#delete(id, name);
    const insert = this.#source.database.query<never, [string, string, string, string | null, string | null, number]>(
      INSERT,
    );
    for (const capability of capabilities) {
      const { hostPath, access } = capability.kind === "mount" ? capability : { hostPath: null, access: null };
      insert.run(id, range, nameOf(capability), hostPath, access, Date.now());
    }
    if (this.of(id).length <= GRANTS_LIMIT) return;
    throw refuse("GRANT_REFUSED", {
      tool: id,
      capability: "more",
      reason: `a tool has at most ${GRANTS_LIMIT} grants`,
    });
  }

  /**
   * Takes back what was granted under these names, for all versions.
   *
   * @param names - Canonical; undefined: all.
   * @returns The names of what was taken back, each once.
   * @throws {Failure} `REGISTRY_BUSY`, `REGISTRY_UNWRITABLE`
   */
  remove(id: string, names?: readonly string[]): readonly string[] {
    const { database } = this.#source;
    return writeTransaction(database, () => {
      const rows = database
        .query<{ name: string }, [string]>("SELECT DISTINCT name FROM grants WHERE tool_id = ?")
        .all(id);
      const removed = rows.map(({ name }) => name).filter((name) => names?.includes(name) ?? true);
      for (const name of removed) this.#delete(id, name);
      return removed;
    });
  }

  /** Weighs what a tool asks for against what it was granted for its version. From memory when nothing has changed. */
  weigh(tool: InstalledTool): Weighed {
    const revision = this.#source.catalog.revision();
    if (revision !== this.#weighed.revision) this.#weighed = { revision, byTool: new Map() };
    const key = `${tool.id}:${tool.packageDigest}`;
    const known = this.#weighed.byTool.get(key) ?? this.preview(tool.manifest);
    this.#weighed.byTool.set(key, known);
    return known;
  }

  /** Weighs what a tool asks for with what the user grants for one call beside. */
  weighFor(tool: InstalledTool, forThisCall: readonly Capability[] = []): Weighed {
    return forThisCall.length === 0 ? this.weigh(tool) : this.preview(tool.manifest, forThisCall);
  }

  /**
   * Makes the policy of a call; makes the tool's own directory when it was granted and is not there.
   *
   * @param environment - The host's variables.
   * @param forThisCall - What the user granted for this call beside the tool's own. As always, it has what it asks for and no more.
   * @throws {Failure} `MOUNT_REFUSED` when a granted directory is gone or another one; `REGISTRY_UNWRITABLE`
   */
  policyFor(
    tool: InstalledTool,
    environment: ReadonlyMap<string, string>,
    forThisCall: readonly Capability[] = [],
  ): Policy {
    const weighed = this.weighFor(tool, forThisCall);
    const sandboxPath = join(this.#source.store.sandboxes, tool.id);
    if (weighed.hasSandbox) makeSandbox(sandboxPath);
    for (const { hostPath } of weighed.mounts) checkMount(hostPath, this.#source.own);
    return effectivePolicy(weighed, { sandboxPath, environment });
  }

  /** Weighs what a manifest asks for, also of a version that is not installed yet, against what its tool was granted. */
  preview({ tool: { id, version }, security }: Manifest, more: readonly Capability[] = []): Weighed {
    const inForce = this.of(id).filter(({ versions }) => isInRange(version, versions));
    return weigh(security, [...inForce.map(({ capability }) => capability), ...more]);
  }

  #delete(id: string, name: string): void {
    const { database } = this.#source;
    database.query<never, [string, string]>("DELETE FROM grants WHERE tool_id = ? AND name = ?").run(id, name);
  }
}

function checkRange(tool: InstalledTool, range: string): void {
  const fail = (reason: string): never => {
    throw refuse("GRANT_REFUSED", { tool: tool.id, capability: range, reason });
  };
  if (!isRange(range)) fail("a range of versions is written 1.2.3, ^1.2.3 or *");
  if (!isInRange(tool.version, range)) fail(`the installed version, ${tool.version}, is not in that range`);
}

function checkGrant(tool: InstalledTool, capability: Capability, all: readonly Capability[]): void {
  const fail = (reason: string): never => {
    throw refuse("GRANT_REFUSED", { tool: tool.id, capability: nameOf(capability), reason });
  };
  if (isIdle(capability, tool.manifest.security)) fail("the tool does not ask for it");
  if (capability.kind !== "mount") return;
  const others = all.flatMap((other) => (other.kind === "mount" && other !== capability ? [other.guestPath] : []));
  const problem = placeProblem(capability.guestPath, others);
  if (problem !== undefined) fail(`where the tool sees it ${problem}`);
}

function makeSandbox(path: string): void {
  makeDirectory(path);
  // Whoever can put a link here is the user, and has been misled: a tool's files go nowhere else.
  if (!lstatSync(path).isDirectory()) throw refuse("REGISTRY_UNWRITABLE", { path, reason: "it is no directory" });
}

function toGrant({ versions, name, host_path: hostPath, access, granted_at: grantedAt }: GrantRow): StoredGrant[] {
  if (hostPath === null || access === null) {
    const parsed = parseCapability(name);
    return parsed.ok && nameOf(parsed.capability) === name
      ? [{ capability: parsed.capability, versions, grantedAt }]
      : [];
  }
  const guestPath = name.replace(/^fs:/, "");
  const isKnown = access === "read-only" || access === "read-write";
  if (!isKnown || guestPathProblem(guestPath) !== undefined || `fs:${guestPath}` !== name) return [];
  return [{ capability: { kind: "mount", guestPath, hostPath, access }, versions, grantedAt }];
}
