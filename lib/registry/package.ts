/**
 * Reads tool packages and components from where the user keeps them. Everything in them is hostile: sizes are bounded before a
 * byte is read, and what is opened is decided by `files.ts`.
 */
import { lstatSync, statSync } from "node:fs";
import type { Stats } from "node:fs";
import { basename, dirname, join } from "node:path";
import { digestOf } from "../digest.ts";
import { Failure, refuse } from "../errors.ts";
import { MANIFEST_DEFAULTS, MANIFEST_LIMIT_BYTES } from "../manifest/defaults.ts";
import type { Manifest, ManifestSecurity } from "../manifest/manifest.ts";
import { readZip, type ZipLimits } from "../zip/read.ts";
import { errorCode, fileFailure, readAmbient, readBeneath, segmentsOf } from "./files.ts";
import type { SizeLimit } from "./files.ts";
import { README_NAME, readReadmeIn, usableReadme } from "./readme.ts";
import { type PackageFiles, readResources } from "./resources.ts";
import { parseManifestBytes } from "./text.ts";

/** The most bytes that a component may have: 64 MiB, five times the largest guest that the known toolchains make. */
export const COMPONENT_LIMIT_BYTES: number = 64 * 1024 * 1024;

/** Packages that a process remembers as verified. */
const VERIFIED_LIMIT = 1024;

/** The file that makes a directory a package. */
export const MANIFEST_NAME = "tool.toml";

/** A package that has been read and checked, and that nothing can change any more. */
export interface PackageSource {
  readonly manifest: Manifest;
  /** Exact bytes of tool.toml. */
  readonly manifestBytes: Uint8Array<ArrayBuffer>;
  /** Exact bytes of the component. */
  readonly component: Uint8Array<ArrayBuffer>;
  /** Exact bytes of `README.md`, when there is one of text within the limit. */
  readonly readme?: Uint8Array<ArrayBuffer> | undefined;
  /** Exact bytes of the files that agents can read, by their paths; undefined when there are none. */
  readonly files?: PackageFiles | undefined;
  /** SHA-256, lower-case hex: see {@link digestPackage}. */
  readonly packageDigest: string;
  /** SHA-256, lower-case hex, of the component. */
  readonly componentDigest: string;
}

/** What a package's digest is made from. */
export interface PackageContent {
  readonly manifestBytes: Uint8Array;
  /** As the manifest has it. */
  readonly wasmPath: string;
  /** SHA-256, lower-case hex. */
  readonly componentDigest: string;
  /** SHA-256, lower-case hex, of `README.md`, when it is part of the package. */
  readonly readmeDigest?: string | undefined;
  /** SHA-256, lower-case hex, of the files that agents can read, by their paths. */
  readonly fileDigests?: ReadonlyMap<string, string> | undefined;
}

/** The bound for {@link readBeneath} on a manifest. */
export const MANIFEST_SIZE: SizeLimit = {
  bytes: MANIFEST_LIMIT_BYTES,
  refuse: (path, bytes) => refuse("MANIFEST_TOO_LARGE", { path, bytes, limitBytes: MANIFEST_LIMIT_BYTES }),
};

/** The bound for {@link readBeneath} on a component. */
export const COMPONENT_SIZE: SizeLimit = {
  bytes: COMPONENT_LIMIT_BYTES,
  refuse: (path, bytes) => refuse("COMPONENT_TOO_LARGE", { path, bytes, limitBytes: COMPONENT_LIMIT_BYTES }),
};

/** The bound on a package that is one file. */
const ARCHIVE_SIZE: SizeLimit = {
  bytes: COMPONENT_LIMIT_BYTES + 1_048_576,
  refuse: (path, bytes) =>
    refuse("ZIP_REFUSED", { path, reason: `it has ${bytes} bytes, the limit is ${COMPONENT_LIMIT_BYTES + 1_048_576}` }),
};

/** A package is a manifest, a component, and what its author puts beside them. */
const ZIP_LIMITS: ZipLimits = { entries: 256, totalBytes: COMPONENT_LIMIT_BYTES + 4 * 1_048_576 };

/** What is known of an installed package: enough to find its component and to tell whether it is still the same. */
export interface InstalledPackage {
  readonly id: string;
  readonly manifest: Manifest;
  /** Absolute path of the component. */
  readonly componentPath: string;
  /** SHA-256 of the component, lower-case hex. */
  readonly componentDigest: string;
}

/**
 * Reads a package, following no symbolic link below its directory and opening nothing but regular files.
 *
 * @param path - A directory that holds a `tool.toml`, that file, or a `.zip` with both at its top.
 * @throws {Failure} `FILE_NOT_FOUND` or `FILE_UNREADABLE` for the path or the component, `MANIFEST_*` for the manifest, `PACKAGE_PATH` for
 *   a link, a pipe, a device or a way out, `RESOURCE_REFUSED`, `ZIP_REFUSED`, `COMPONENT_TOO_LARGE`, `COMPONENT_NOT_WASM`, `COMPONENT_IS_CORE_MODULE`, `COMPONENT_UNSUPPORTED`.
 */
export async function readPackage(path: string): Promise<PackageSource> {
  if (isZipPath(path)) return readZipPackage(path);
  const root = packageRoot(path);
  return makeSource(path, {
    manifestPath: join(root, MANIFEST_NAME),
    manifestBytes: readManifest(root, path),
    read: (file, limit) => readBeneath(root, file, limit),
    readReadme: () => readReadmeIn(root),
  });
}

/** A package, wherever it is. */
interface PackagePlace {
  /** What messages call the manifest. */
  readonly manifestPath: string;
  readonly manifestBytes: Uint8Array<ArrayBuffer>;
  readonly read: (file: string, limit: SizeLimit) => Uint8Array<ArrayBuffer>;
  readonly readReadme: () => Uint8Array<ArrayBuffer> | undefined;
}

function makeSource(path: string, { manifestPath, manifestBytes, read, readReadme }: PackagePlace): PackageSource {
  const manifest = parseManifestBytes(manifestBytes, manifestPath);
  const wasmPath = manifest.tool.wasm;
  const component = read(wasmPath, COMPONENT_SIZE);
  checkHeader(component, join(path, wasmPath));
  const componentDigest = digestOf(component);
  const readme = readReadme();
  const readmeDigest = readme === undefined ? undefined : digestOf(readme);
  const files = readResources(manifest, read);
  const fileDigests = digestFiles(files);
  const packageDigest = digestPackage({ manifestBytes, wasmPath, componentDigest, readmeDigest, fileDigests });
  return { manifest, manifestBytes, component, readme, files, packageDigest, componentDigest };
}

/**
 * Reads a component that the user named by its file; links to it are followed.
 *
 * @throws {Failure} `FILE_NOT_FOUND`, `FILE_UNREADABLE` for anything but a regular file, `COMPONENT_TOO_LARGE`, `COMPONENT_NOT_WASM`,
 *   `COMPONENT_IS_CORE_MODULE`, `COMPONENT_UNSUPPORTED`.
 */
export async function readComponent(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const component = readAmbient(path, COMPONENT_SIZE);
  checkHeader(component, path);
  return component;
}

/** Whether a package is one file: a ZIP archive with a `tool.toml` at its top. */
function isZipPath(path: string): boolean {
  return /\.zip$/i.test(path) && statOrNothing(path)?.isFile() === true;
}

/** Reads a package that is one file, in memory: what the archive calls its files is looked up, never opened. */
function readZipPackage(path: string): PackageSource {
  const files = readZip(readAmbient(path, ARCHIVE_SIZE), path, ZIP_LIMITS);
  const find = (name: string): Uint8Array<ArrayBuffer> | undefined => files.find((file) => file.name === name)?.bytes;
  const manifestBytes = find(MANIFEST_NAME);
  if (manifestBytes === undefined) throw refuse("MANIFEST_MISSING", { path });
  const manifestPath = join(path, MANIFEST_NAME);
  if (manifestBytes.length > MANIFEST_SIZE.bytes) throw MANIFEST_SIZE.refuse(manifestPath, manifestBytes.length);
  return makeSource(path, {
    manifestPath,
    manifestBytes,
    readReadme: () => usableReadme(find(README_NAME)),
    read: (name, limit) => {
      segmentsOf(name);
      const bytes = find(name);
      if (bytes === undefined) throw refuse("PACKAGE_PATH", { path: name, reason: "the archive has no such file" });
      if (bytes.length > limit.bytes) throw limit.refuse(name, bytes.length);
      return bytes;
    },
  });
}

/** A component without a manifest. */
export interface LooseComponent {
  readonly component: Uint8Array<ArrayBuffer>;
  /** SHA-256, lower-case hex. */
  readonly digest: string;
  /** What a manifest that says nothing asks for. */
  readonly security: ManifestSecurity;
}

/** Reads a component as {@link readComponent} does, with what stands in for its manifest. */
export async function readLooseComponent(path: string): Promise<LooseComponent> {
  const component = await readComponent(path);
  return { component, digest: digestOf(component), security: MANIFEST_DEFAULTS.security };
}

/**
 * Hashes a package: the SHA-256 of the JSON text of `[[path, digest], …]` of its files: the manifest first, then the component, a README, and what
 * agents can read, by path. JSON because a path may hold any character, so that no other package has the same listing.
 *
 * @returns 64 lower-case hexadecimal digits.
 */
export function digestPackage(content: PackageContent): string {
  const listing = [
    [MANIFEST_NAME, digestOf(content.manifestBytes)],
    [content.wasmPath, content.componentDigest],
    ...(content.readmeDigest === undefined ? [] : [[README_NAME, content.readmeDigest]]),
    ...[...(content.fileDigests ?? [])].toSorted(([left], [right]) => (left < right ? -1 : 1)),
  ];
  return digestOf(JSON.stringify(listing));
}

/** Hashes the files that agents can read. */
export function digestFiles(files: PackageFiles | undefined): ReadonlyMap<string, string> | undefined {
  return files && new Map([...files].map(([path, bytes]) => [path, digestOf(bytes)]));
}

/**
 * Reads an installed component again and compares it with what was installed.
 *
 * @returns Its bytes.
 * @throws {Failure} `PACKAGE_CHANGED` when it is missing, cannot be read, or is not what was installed; also after another process has
 *   uninstalled or replaced the tool: look the tool up again before giving up.
 */
export function verifyPackage(tool: InstalledPackage): Uint8Array<ArrayBuffer> {
  const wasmPath = tool.manifest.tool.wasm;
  const root = join(tool.componentPath, ...wasmPath.split("/").map(() => ".."));
  try {
    const component = readBeneath(root, wasmPath, COMPONENT_SIZE);
    if (digestOf(component) === tool.componentDigest) return component;
  } catch (error) {
    throw refuse("PACKAGE_CHANGED", { tool: tool.id }, error);
  }
  throw refuse("PACKAGE_CHANGED", { tool: tool.id });
}

/** The packages that this process has compared with what was installed: the latest {@link VERIFIED_LIMIT}. */
export class VerifiedPackages {
  /** Digests, the oldest first. */
  readonly #digests = new Set<string>();

  /** Compares a package unless that has been done. @throws {Failure} `PACKAGE_CHANGED` */
  verify(tool: InstalledPackage & { readonly packageDigest: string }): void {
    if (this.#digests.has(tool.packageDigest)) return;
    verifyPackage(tool);
    this.#digests.add(tool.packageDigest);
    const [oldest] = this.#digests;
    if (this.#digests.size > VERIFIED_LIMIT && oldest !== undefined) this.#digests.delete(oldest);
  }
}

function packageRoot(path: string): string {
  if (statOrNothing(path)?.isDirectory() === true) return path;
  try {
    lstatSync(path);
  } catch (error) {
    throw fileFailure(error, path);
  }
  if (basename(path) === MANIFEST_NAME) return dirname(path);
  throw refuse("FILE_UNREADABLE", { path, reason: "it is neither a directory nor a tool.toml" });
}

function statOrNothing(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}

function readManifest(root: string, path: string): Uint8Array<ArrayBuffer> {
  try {
    return readBeneath(root, MANIFEST_NAME, MANIFEST_SIZE);
  } catch (error) {
    const isMissing = error instanceof Failure && error.code === "FILE_NOT_FOUND";
    throw isMissing ? refuse("MANIFEST_MISSING", { path }, error) : error;
  }
}

/**
 * Source: WebAssembly core 3.0 §5.5.16 (magic, version 1), Component Model `design/mvp/Binary.md` "Component Definitions": the version
 * field is split into a 16-bit version, 13, and a 16-bit layer, 1.
 */
function checkHeader(bytes: Uint8Array<ArrayBuffer>, path: string): void {
  if (bytes.length < 8) throw refuse("COMPONENT_NOT_WASM", { path });
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
  if (view.getUint32(0) !== 0x00_61_73_6d) throw refuse("COMPONENT_NOT_WASM", { path });
  const version = view.getUint16(4, true);
  const layer = view.getUint16(6, true);
  if (version === 13 && layer === 1) return;
  if (version === 1 && layer === 0) throw refuse("COMPONENT_IS_CORE_MODULE", { path });
  throw refuse("COMPONENT_UNSUPPORTED", { what: `binary format version ${version}, layer ${layer}` });
}
