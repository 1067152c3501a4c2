/**
 * The README of a package, which an agent may read: its author's words, bounded. One that is no text, or is too long, is not part of the package.
 */
import { join } from "node:path";
import { digestOf } from "../digest.ts";
import { Failure, refuse } from "../errors.ts";
import { readBeneath, type SizeLimit } from "./files.ts";

/** The file's name, as it is written. */
export const README_NAME = "README.md";

/** Most bytes of it. */
export const README_LIMIT_BYTES: number = 65_536;

const TOO_LARGE = "it is too large";

const SIZE: SizeLimit = {
  bytes: README_LIMIT_BYTES,
  refuse: (path) => refuse("FILE_UNREADABLE", { path, reason: TOO_LARGE }),
};

/** What is known of an installed package. */
interface Installed {
  readonly id: string;
  readonly manifest: { readonly tool: { readonly wasm: string } };
  readonly componentPath: string;
  readonly readmeDigest?: string | undefined;
}

/**
 * Reads the README of a package's directory.
 *
 * @returns Undefined when there is none that is part of the package.
 * @throws {Failure} `PACKAGE_PATH` for a link or anything but a file; `FILE_UNREADABLE`
 */
export function readReadmeIn(root: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return usableReadme(readBeneath(root, README_NAME, SIZE));
  } catch (error) {
    const isLeftOut =
      error instanceof Failure && (error.code === "FILE_NOT_FOUND" || error.message.includes(TOO_LARGE));
    if (isLeftOut) return undefined;
    throw error;
  }
}

/** Keeps a README that is text within the limit. */
export function usableReadme(bytes: Uint8Array<ArrayBuffer> | undefined): Uint8Array<ArrayBuffer> | undefined {
  if (bytes === undefined || bytes.length === 0 || bytes.length > README_LIMIT_BYTES) return undefined;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return bytes;
  } catch {
    return undefined;
  }
}

/**
 * Reads the README of an installed tool. Not cleaned.
 *
 * @returns Undefined when its package has none.
 * @throws {Failure} `PACKAGE_CHANGED` when it is not what was installed.
 */
export function readInstalledReadme(tool: Installed): string | undefined {
  if (tool.readmeDigest === undefined) return undefined;
  const root = join(tool.componentPath, ...tool.manifest.tool.wasm.split("/").map(() => ".."));
  try {
    const bytes = readBeneath(root, README_NAME, SIZE);
    if (digestOf(bytes) === tool.readmeDigest) return new TextDecoder().decode(bytes);
  } catch (error) {
    throw refuse("PACKAGE_CHANGED", { tool: tool.id }, error);
  }
  throw refuse("PACKAGE_CHANGED", { tool: tool.id });
}
