/**
 * The bytes of a manifest as text, for the parser. The bytes themselves are what is hashed and kept.
 */
import { Failure, refuse } from "../errors.ts";
import { findNode, locateAll } from "../manifest/locate.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { parseManifest } from "../manifest/parse.ts";
import { positionAt } from "../position.ts";
import { checkForeignSchema } from "../schema/foreign.ts";
import type { ForeignSchema } from "../schema/references.ts";

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

/**
 * Parses a manifest from its bytes, and checks the schemas that it declares.
 *
 * @throws {Failure} what {@link decodeManifest} and {@link parseManifest} throw; `MANIFEST_INVALID` for a schema that KAMI does not take.
 */
export function parseManifestBytes(bytes: Uint8Array, file: string): Manifest {
  const text = decodeManifest(bytes, file);
  const manifest = parseManifest(text, file);
  const { inputSchema, outputSchema } = manifest.mcp;
  if (inputSchema === undefined && outputSchema === undefined) return manifest;
  const check = (schema: unknown, key: string): ForeignSchema => checkDeclared(schema, key, { text, file });
  return {
    ...manifest,
    mcp: {
      ...manifest.mcp,
      ...(inputSchema !== undefined && { inputSchema: check(inputSchema, "input_schema") }),
      ...(outputSchema !== undefined && { outputSchema: check(outputSchema, "output_schema") }),
    },
  };
}

function checkDeclared(
  schema: unknown,
  key: string,
  { text, file }: { readonly text: string; readonly file: string },
): ForeignSchema {
  try {
    return checkForeignSchema(schema, key);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const source = text.replaceAll("\r\n", "\n");
    const offset = findNode(locateAll(source), ["mcp", key])?.keyOffset ?? 0;
    const rule = `is no schema that KAMI takes: ${error.message.replace(/^[^:]*: /, "")}`;
    throw refuse("MANIFEST_INVALID", { file, ...positionAt(source, offset), key: `mcp.${key}`, rule }, error);
  }
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
