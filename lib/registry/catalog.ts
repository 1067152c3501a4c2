/**
 * The installed tools, from rows of the database. What a row says is checked again when it is read: the manifest must parse by today's
 * rules and hash to what the row is named by.
 */
import type { Database } from "bun:sqlite";
import { join } from "node:path";
import type { FunctionDescription } from "../component/functions.ts";
import { digestOf } from "../digest.ts";
import { Failure, refuse } from "../errors.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { Described } from "../schema/foreign.ts";
import { readRecorded } from "../schema/described.ts";
import { readFunctions, writeFunctions } from "./functions.ts";
import { digestFiles, digestPackage, MANIFEST_NAME, type PackageSource } from "./package.ts";
import type { Asks, InstalledTool } from "./registry.ts";
import { refuseTaken } from "./resources.ts";
import type { StorePaths } from "./store.ts";
import { parseManifestBytes } from "./text.ts";
import { reading, readTransaction } from "./transaction.ts";

/** A row without its manifest, which is large and rarely read. */
interface ToolRow {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly package_digest: string;
  readonly component_digest: string;
  readonly component_bytes: number;
  readonly enabled: 0 | 1;
  readonly installed_at: number;
  readonly described: string | null;
  readonly asks: Asks;
  readonly readme_digest: string | null;
  readonly file_digests: string | null;
}

interface Loaded {
  readonly revision: number;
  readonly tools: ReadonlyMap<string, InstalledTool>;
}

const COLUMNS =
  "id, name, version, package_digest, component_digest, component_bytes, enabled, installed_at, described, asks, readme_digest, file_digests";

const UPSERT = `
  INSERT INTO tools (id, name, version, package_digest, component_digest, component_bytes, enabled, installed_at, manifest,
    described, readme_digest, file_digests)
  VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET
    name = excluded.name, version = excluded.version, package_digest = excluded.package_digest,
    component_digest = excluded.component_digest, component_bytes = excluded.component_bytes,
    manifest = excluded.manifest, described = excluded.described, readme_digest = excluded.readme_digest,
    file_digests = excluded.file_digests`;

/** The tools of one database, kept in memory until its revision moves. */
export class Catalog {
  readonly #database: Database;
  readonly #store: StorePaths;
  #loaded: Loaded = { revision: 0, tools: new Map() };
  /** By the digests of a row, which together fix the manifest; undefined for one that does not hold. */
  #manifests: Map<string, Manifest | undefined> = new Map();

  constructor(database: Database, store: StorePaths) {
    this.#database = database;
    this.#store = store;
  }

  /** Reads the number that moves with every change of the tools, by any process. */
  revision(): number {
    const query = this.#database.query<{ revision: number }, []>("SELECT revision FROM state");
    const row = reading(this.#database, () => query.get());
    if (row === null) throw new Error("BUG: the registry has no state");
    return row.revision;
  }

  /** Reads all tools, in the order of their ids; from memory when nothing has changed. */
  tools(): ReadonlyMap<string, InstalledTool> {
    if (this.revision() !== this.#loaded.revision) {
      this.#loaded = readTransaction(this.#database, () => ({ revision: this.revision(), tools: this.#loadAll() }));
    }
    return this.#loaded.tools;
  }

  /** Finds one tool, without reading all the others for it. */
  find(id: string): InstalledTool | undefined {
    if (this.revision() === this.#loaded.revision) return this.#loaded.tools.get(id);
    return readTransaction(this.#database, () => this.load(id));
  }

  /** Makes sure that no resource of a package is another's. @throws {Failure} `RESOURCE_REFUSED` */
  refuseTaken(manifest: Manifest): void {
    refuseTaken(manifest, this.tools().values());
  }

  /** Records a tool, inside the transaction of its installation. */
  record(source: PackageSource, described: Described | undefined): void {
    const { manifest, manifestBytes, packageDigest, componentDigest, component } = source;
    const { id, name, version } = manifest.tool;
    const columns = [id, name, version, packageDigest, componentDigest, component.length, Date.now(), manifestBytes];
    const said = described === undefined ? null : JSON.stringify(described);
    const readmeDigest = source.readme === undefined ? null : digestOf(source.readme);
    const fileDigests = source.files === undefined ? null : JSON.stringify([...(digestFiles(source.files) ?? [])]);
    this.#database.query(UPSERT).run(...columns, said, readmeDigest, fileDigests);
  }

  /** Records the functions of a tool, inside the transaction of its installation. */
  recordFunctions(id: string, functions: readonly FunctionDescription[]): void {
    writeFunctions(this.#database, id, functions);
  }

  /** Reads one tool past the memory, for use inside a transaction. */
  load(id: string): InstalledTool | undefined {
    const query = this.#database.query<ToolRow, [string]>(`SELECT ${COLUMNS} FROM tools WHERE id = ?`);
    const row = query.get(id);
    return row === null ? undefined : this.#toTool(row);
  }

  #loadAll(): ReadonlyMap<string, InstalledTool> {
    const rows = this.#database.query<ToolRow, []>(`SELECT ${COLUMNS} FROM tools ORDER BY id`).all();
    const tools = new Map(rows.map((row) => [row.id, this.#toTool(row)]));
    const current = new Set(rows.map(cacheKey));
    this.#manifests = new Map([...this.#manifests].filter(([key]) => current.has(key)));
    return tools;
  }

  #toTool(row: ToolRow): InstalledTool {
    const sound = this.#manifestOf(row);
    const manifest = sound?.tool.id === row.id ? sound : damagedManifest(row);
    return {
      id: row.id,
      name: manifest.tool.name,
      version: manifest.tool.version,
      description: manifest.mcp.description,
      manifest,
      functions: readFunctions(this.#database, row.id),
      described: manifest === sound ? schemasOf(manifest, readRecorded(row.described)) : undefined,
      packageDigest: row.package_digest,
      componentDigest: row.component_digest,
      componentPath: join(this.#store.tools, row.package_digest, manifest.tool.wasm),
      componentBytes: row.component_bytes,
      enabled: manifest === sound && row.enabled === 1,
      readmeDigest: row.readme_digest ?? undefined,
      fileDigests: readDigests(row.file_digests),
      asks: row.asks,
      installedAt: row.installed_at,
    };
  }

  #manifestOf(row: ToolRow): Manifest | undefined {
    const key = cacheKey(row);
    if (this.#manifests.has(key)) return this.#manifests.get(key);
    const query = this.#database.query<{ manifest: Uint8Array }, [string]>("SELECT manifest FROM tools WHERE id = ?");
    const bytes = query.get(row.id)?.manifest ?? new Uint8Array();
    const manifest = checkedManifest(bytes, row);
    this.#manifests.set(key, manifest);
    return manifest;
  }
}

function cacheKey(row: ToolRow): string {
  return [row.package_digest, row.component_digest, row.readme_digest, row.file_digests].join(":");
}

function checkedManifest(manifestBytes: Uint8Array, row: ToolRow): Manifest | undefined {
  try {
    const manifest = parseManifestBytes(manifestBytes, MANIFEST_NAME);
    const wasmPath = manifest.tool.wasm;
    const [componentDigest, readmeDigest] = [row.component_digest, row.readme_digest ?? undefined];
    const fileDigests = readDigests(row.file_digests);
    const digest = digestPackage({ manifestBytes, wasmPath, componentDigest, readmeDigest, fileDigests });
    return digest === row.package_digest ? manifest : undefined;
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** What the manifest declares is what the user has seen, and stands above what the component says. */
function schemasOf(
  { mcp: { inputSchema, outputSchema } }: Manifest,
  said: Described | undefined,
): Described | undefined {
  if (inputSchema === undefined && outputSchema === undefined) return said;
  return { ...said, ...(inputSchema && { inputSchema }), ...(outputSchema && { outputSchema }) };
}

/** What is not as it was written makes no package's digest. */
function readDigests(text: string | null): ReadonlyMap<string, string> | undefined {
  if (text === null) return undefined;
  try {
    const pairs: unknown = JSON.parse(text);
    return new Map(Array.isArray(pairs) ? pairs.map(([path, digest]) => [String(path), String(digest)]) : []);
  } catch {
    return undefined;
  }
}

/**
 * Stands in for a manifest that does not hold, so that one bad row is seen and can be uninstalled. Asks for nothing, allows nothing, and
 * its path is none, so that `verifyPackage` refuses it.
 */
function damagedManifest(row: ToolRow): Manifest {
  const { message } = refuse("PACKAGE_CHANGED", { tool: row.id });
  return {
    tool: { id: row.id, name: row.name, version: row.version, wasm: "" },
    mcp: { description: message, arguments: [] },
    security: {
      netAllowList: [],
      fsAccess: "none",
      envAllowList: [],
      elicitation: "none",
      maxMemoryMb: 0,
      maxExecutionMs: 0,
      maxFuel: 0,
    },
  };
}
