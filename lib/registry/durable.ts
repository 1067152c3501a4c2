/**
 * Files and directories that are on the disk, not only in its cache, when the function returns.
 */
import { closeSync, constants, fsyncSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Writes a new, read-only file, makes the directories that lead to it, and syncs them all.
 *
 * @param root - Exists.
 * @param segments - The way from there to the file: plain names, at least one.
 */
export function writeDurably(root: string, segments: readonly string[], bytes: Uint8Array): void {
  const directories = segments.map((_, depth) => join(root, ...segments.slice(0, depth)));
  for (const directory of directories.slice(1)) makeDirectory(directory);
  const fd = openSync(join(root, ...segments), "wx", 0o444);
  try {
    writeFileSync(fd, bytes);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  for (const directory of directories.toReversed()) syncDirectory(directory);
}

/** Makes a directory that only its owner may enter, and those above it, unless it is there. */
export function makeDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}

/** Makes the renames and new names in a directory durable. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
