/**
 * Keeps the cache of artifacts within bounds, and clears away what killed writers left. Any number of processes may do so at once, while
 * others read and write: an artifact goes in one rename, and whoever misses it compiles it again.
 */
import { lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { artifactName, discardArtifact, type StorePaths } from "./store.ts";

/** The most that the cache keeps. */
interface CacheBounds {
  /** Artifacts. */
  readonly count: number;
  /** Bytes of their files. */
  readonly bytes: number;
}

/** What the cache keeps: 512 artifacts, 1 GiB. */
const CACHE_BOUNDS: CacheBounds = Object.freeze({ count: 512, bytes: 1_073_741_824 });

/** An artifact that was written or used less than a minute ago is in use: in milliseconds. */
const FRESH_MS = 60_000;
/** An unfinished artifact older than this was left by a process that was killed: an hour, in milliseconds. */
const STALE_MS = 60 * 60 * 1000;

const UNFINISHED = /^artifact-[0-9a-f]{16}-[0-9a-f-]{36}$/;
const ARTIFACT = /^([0-9a-f]{64})-[\w.-]+$/;

interface Entry {
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly usedAt: number;
  readonly bytes: number;
}

/** Deletes unfinished artifacts that are older than an hour. @throws The file system's error. */
export async function sweepUnfinished({ unfinished }: StorePaths): Promise<void> {
  for (const name of await namesIn(unfinished)) {
    const path = join(unfinished, name);
    if (!UNFINISHED.test(name) || Date.now() - (await usedAt(path)) <= STALE_MS) continue;
    await rm(path, { recursive: true, force: true });
  }
}

/**
 * Deletes the artifacts that other versions of KAMI made of a component, then those used longest ago until the cache is within its bounds.
 * Those of the last minute stay, whatever the bounds.
 *
 * @param digest - The component whose artifact was just written.
 * @throws The file system's error.
 */
export async function trimArtifacts(
  paths: StorePaths,
  digest: string,
  bounds: CacheBounds = CACHE_BOUNDS,
): Promise<void> {
  const names = (await namesIn(paths.artifacts)).filter((name) => ARTIFACT.test(name));
  const isOutdated = (name: string): boolean => name.startsWith(`${digest}-`) && name !== artifactName(digest);
  for (const name of names.filter(isOutdated)) await discardArtifact(paths, name);
  const entries = await Promise.all(names.filter((name) => !isOutdated(name)).map((name) => measure(paths, name)));
  let count = entries.length;
  let bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  for (const entry of entries.toSorted((a, b) => a.usedAt - b.usedAt)) {
    const isWithin = count <= bounds.count && bytes <= bounds.bytes;
    if (isWithin || Date.now() - entry.usedAt < FRESH_MS) return;
    await discardArtifact(paths, entry.name);
    count -= 1;
    bytes -= entry.bytes;
  }
}

async function measure({ artifacts }: StorePaths, name: string): Promise<Entry> {
  const directory = join(artifacts, name);
  const files = await namesIn(directory);
  const sizes = await Promise.all(files.map((file) => sizeOf(join(directory, file))));
  return { name, usedAt: await usedAt(directory), bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

/** @returns The time of the last change in milliseconds since the epoch; now for what is gone. */
async function usedAt(path: string): Promise<number> {
  return (await statOrNothing(path))?.mtimeMs ?? Date.now();
}

async function sizeOf(path: string): Promise<number> {
  return (await statOrNothing(path))?.size ?? 0;
}

async function statOrNothing(path: string): Promise<{ readonly mtimeMs: number; readonly size: number } | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/** Whether another process was faster; or there is a file in a directory's place. */
function isGone(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOENT" || code === "ENOTDIR";
}
