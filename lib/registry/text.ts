/**
 * The bytes of a manifest as text, for the parser. The bytes themselves are what is hashed and kept.
 */
import { refuse } from "../errors.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { parseManifest } from "../manifest/parse.ts";
import { positionAt } from "../position.ts";

/**
 * Decodes a manifest for the parser; a byte order mark in front is left out.
 *
 * @param bytes - Bounded by the caller; the cost of a refusal is some twenty passes over them.
 * @param file - The manifest as the user named it.
 * @throws {Failure} `MANIFEST_SYNTAX` at the first byte that is not UTF-8.
 *
 * Source: TOML 1.0.0, "Spec": a TOML file must be a valid UTF-8 encoded document.
 */
export function decodeManifest(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    const before = validPrefix(bytes);
    const place = positionAt(before, before.length);
    throw refuse("MANIFEST_SYNTAX", { file, ...place, problem: "the byte here is not UTF-8" }, error);
  }
}

/** Parses a manifest from its bytes. @throws {Failure} what {@link decodeManifest} and {@link parseManifest} throw */
export function parseManifestBytes(bytes: Uint8Array, file: string): Manifest {
  return parseManifest(decodeManifest(bytes, file), file);
}

/** Finds the longest beginning that is sound. Whether a beginning is sound is monotonic in its length, so halving finds the end. */
function validPrefix(bytes: Uint8Array): string {
  let sound = 0;
  let unsound = bytes.length + 1;
  while (unsound - sound > 1) {
    const middle = (sound + unsound) >>> 1;
    if (isSoundBeginning(bytes.subarray(0, middle))) sound = middle;
    else unsound = middle;
  }
  return new TextDecoder().decode(bytes.subarray(0, sound), { stream: true });
}

function isSoundBeginning(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
