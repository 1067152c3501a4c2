/**
 * Artifacts on disk: one directory each, named `<digest of the component>-<ABI>`. Everything read is checked against digests over
 * the very bytes that are returned. That finds corruption and stale files, not a person who may write to KAMI_HOME: they could
 * replace KAMI's own state as well.
 */
import { mkdir, open, readdir, rename, rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { digestOf } from "../digest.ts";
import { ARTIFACT_ABI, type Artifact } from "./artifact.ts";
import { type ArtifactManifest, parseManifest, partSizes, putTogether, takeApart } from "./manifest.ts";

const MANIFEST_NAME = "artifact.json";
const PLAN_NAME = "plan.json";
const MANIFEST_LIMIT_BYTES = 4_194_304;
/** How often a writer tries to get past others that write the same artifact. */
const ATTEMPTS = 16;

const STORED = v.strictObject({
  abi: v.literal(ARTIFACT_ABI),
  digest: v.string(),
  /** SHA-256 of each part: the plan, then the core modules. */
  sha256: v.array(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))),
  artifact: v.unknown(),
});

interface StoredManifest {
  readonly manifest: ArtifactManifest;
  readonly sha256: readonly string[];
}

/** Where artifacts lie. */
export interface StorePaths {
  /** Absolute path of the directory of artifacts. */
  readonly artifacts: string;
  /** Absolute path of the directory of unfinished ones, on the same file system. */
  readonly unfinished: string;
}

/** Names the directory of a component's artifact. */
export function artifactName(digest: string): string {
  return `${digest}-${ARTIFACT_ABI}`;
}

/**
 * Reads an artifact, checks all of it, and marks it as used now: the directory's time is that of its last use.
 *
 * @param digest - SHA-256 of the component.
 * @returns Undefined when anything is missing, unreadable, or other than it was written.
 */
export async function readArtifact(paths: StorePaths, digest: string): Promise<Artifact | undefined> {
  const directory = join(paths.artifacts, artifactName(digest));
  const text = await readWhole(join(directory, MANIFEST_NAME), MANIFEST_LIMIT_BYTES);
  const stored = text && parseStored(new TextDecoder().decode(text), digest);
  if (stored === undefined) return undefined;
  const { manifest, sha256 } = stored;
  const sizes = partSizes(manifest);
  const parts = await Promise.all(
    partNames(manifest).map((name, index) => readPart(join(directory, name), sizes[index] ?? 0, sha256[index])),
  );
  const found = parts.filter((part) => part !== undefined);
  const compiled = found.length === parts.length ? putTogether(manifest, found) : undefined;
  if (compiled === undefined) return undefined;
  const now = new Date();
  // A home that cannot be written still gives its artifacts.
  await utimes(directory, now, now).catch(() => undefined);
  return { digest, ...compiled };
}

/**
 * Writes an artifact, in place of one that is damaged. One that is whole stays: it says the same.
 *
 * @throws The file system's error when the artifact cannot be written; nothing is left behind then, as far as that is possible.
 */
export async function writeArtifact(paths: StorePaths, artifact: Artifact): Promise<void> {
  await mkdir(paths.artifacts, { recursive: true, mode: 0o700 });
  await mkdir(paths.unfinished, { recursive: true, mode: 0o700 });
  const temporary = temporaryPath(paths, artifact.digest);
  try {
    await mkdir(temporary, { mode: 0o700 });
    await writeFiles(temporary, artifact);
    await moveIntoPlace(paths, artifact.digest, temporary);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Removes a component's artifacts, those of other versions of KAMI included. @throws The file system's error. */
export async function removeArtifacts(paths: StorePaths, digest: string): Promise<void> {
  const names = await readdir(paths.artifacts).catch(() => []);
  for (const name of names.filter((candidate) => candidate.startsWith(`${digest}-`))) {
    await rm(join(paths.artifacts, name), { recursive: true, force: true });
  }
}

/**
 * Deletes an artifact, if it is there. It is renamed away first: a directory that is being deleted must not be found under its name.
 *
 * @param name - Of a directory among the artifacts.
 * @throws The file system's error when it cannot be deleted.
 */
export async function discardArtifact(paths: StorePaths, name: string): Promise<void> {
  const away = temporaryPath(paths, name);
  await mkdir(paths.unfinished, { recursive: true, mode: 0o700 });
  try {
    await rename(join(paths.artifacts, name), away);
  } catch {
    // Another process was faster; the caller sees what it left.
  }
  await rm(away, { recursive: true, force: true });
}

async function writeFiles(directory: string, artifact: Artifact): Promise<void> {
  const { manifest, parts } = takeApart(artifact);
  const sha256 = parts.map((part) => digestOf(part));
  const json = JSON.stringify({ abi: ARTIFACT_ABI, digest: artifact.digest, sha256, artifact: manifest });
  const names = partNames(artifact);
  await Promise.all([
    ...parts.map((part, index) => writeDurably(join(directory, names[index] ?? ""), part)),
    writeDurably(join(directory, MANIFEST_NAME), seal(json)),
  ]);
  await syncDirectory(directory);
}

/** Renames onto a name that others may be writing too: whoever comes first wins, unless what they left is damaged. */
async function moveIntoPlace(paths: StorePaths, digest: string, temporary: string): Promise<void> {
  const target = join(paths.artifacts, artifactName(digest));
  for (let attempt = 1; ; attempt++) {
    try {
      await rename(temporary, target);
      return await syncDirectory(paths.artifacts);
    } catch (error) {
      if (!isTaken(error)) throw error;
      if ((await readArtifact(paths, digest)) !== undefined) return;
      if (attempt === ATTEMPTS) throw error;
    }
    await discardArtifact(paths, artifactName(digest));
  }
}

function parseStored(text: string, digest: string): StoredManifest | undefined {
  const json = text.split("\n", 1)[0] ?? "";
  if (text !== seal(json)) return undefined;
  const stored = v.safeParse(STORED, parseJson(json));
  if (!stored.success || stored.output.digest !== digest) return undefined;
  const manifest = parseManifest(stored.output.artifact);
  return manifest && { manifest, sha256: stored.output.sha256 };
}

/** The manifest as it is stored: one line of JSON, and the line's digest. */
function seal(json: string): string {
  return `${json}\n${digestOf(json)}\n`;
}

function partNames({ modules }: { readonly modules: readonly { readonly name: string }[] }): readonly string[] {
  return [PLAN_NAME, ...modules.map(({ name }) => name)];
}

async function readPart(path: string, size: number, sha256: string | undefined): Promise<Uint8Array | undefined> {
  const bytes = await readWhole(path, size);
  return bytes?.length === size && digestOf(bytes) === sha256 ? bytes : undefined;
}

async function readWhole(path: string, limitBytes: number): Promise<Uint8Array | undefined> {
  try {
    const file = Bun.file(path);
    const stats = await file.stat();
    return stats.isFile() && stats.size <= limitBytes ? await file.bytes() : undefined;
  } catch {
    return undefined;
  }
}

async function writeDurably(path: string, content: Uint8Array | string): Promise<void> {
  await using file = await open(path, "wx", 0o600);
  await file.writeFile(content);
  await file.sync();
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, "r");
  await directory.sync();
}

function temporaryPath(paths: StorePaths, name: string): string {
  return join(paths.unfinished, `artifact-${name.slice(0, 16)}-${crypto.randomUUID()}`);
}

function isTaken(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "EEXIST" || code === "ENOTEMPTY" || code === "ENOTDIR";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
