/**
 * The files of a package that agents can read: its author's, hostile, bounded, and part of the package's digest.
 */
import { join } from "node:path";
import { digestOf } from "../digest.ts";
import { clean, refuse } from "../errors.ts";
import { forbiddenCharacter } from "../manifest/characters.ts";
import type { Manifest, ManifestResource } from "../manifest/manifest.ts";
import { mayOverlap } from "../manifest/uri.ts";
import { readBeneath, type SizeLimit } from "./files.ts";

/** Most bytes of one file. */
const RESOURCE_LIMIT_BYTES: number = 1_048_576;

/** Most bytes of all files of a package, each counted once. */
const RESOURCES_LIMIT_BYTES: number = 4 * 1_048_576;

/** Files by their paths. */
export type PackageFiles = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/** What is known of an installed package. */
interface Installed {
  readonly id: string;
  readonly manifest: Manifest;
  readonly componentPath: string;
  readonly fileDigests?: ReadonlyMap<string, string> | undefined;
}

const TEXT_TYPE =
  /^(?:text\/.+|application\/(?:json|xml|yaml|toml|javascript|sql|graphql|x-sh)|[a-z]+\/[a-z0-9.-]+\+(?:json|xml|yaml))$/;

/** Whether content of a media type is sent as text. */
export function isTextType(mimeType: string): boolean {
  return TEXT_TYPE.test(mimeType);
}

/**
 * Reads the files that a manifest names as resources.
 *
 * @param read - Reads a file of the package, wherever that is.
 * @returns Undefined when there are none.
 * @throws {Failure} `RESOURCE_REFUSED` for one that is too large or not what its type says; and what `read` throws.
 */
export function readResources(
  { mcp: { resources = [] } }: Manifest,
  read: (file: string, limit: SizeLimit) => Uint8Array<ArrayBuffer>,
): PackageFiles | undefined {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  let total = 0;
  for (const resource of resources) {
    const known = files.get(resource.file);
    const bytes = known ?? read(resource.file, sizeOf(resource));
    total += known === undefined ? bytes.length : 0;
    if (total > RESOURCES_LIMIT_BYTES)
      throw refused(resource, `with it the package's files have ${total} bytes, the limit is ${RESOURCES_LIMIT_BYTES}`);
    checkText(resource, bytes);
    files.set(resource.file, bytes);
  }
  return files.size === 0 ? undefined : files;
}

/**
 * Reads a resource of an installed tool.
 *
 * @throws {Failure} `PACKAGE_CHANGED` when it is not what was installed.
 */
export function readInstalledResource(tool: Installed, resource: ManifestResource): Uint8Array<ArrayBuffer> {
  const root = join(tool.componentPath, ...tool.manifest.tool.wasm.split("/").map(() => ".."));
  try {
    const bytes = readBeneath(root, resource.file, sizeOf(resource));
    if (digestOf(bytes) === tool.fileDigests?.get(resource.file)) return bytes;
  } catch (error) {
    throw refuse("PACKAGE_CHANGED", { tool: tool.id }, error);
  }
  throw refuse("PACKAGE_CHANGED", { tool: tool.id });
}

/**
 * Makes sure that no URI of a package is, or may be, another one's as well: an agent could not tell whose it reads.
 *
 * @param tools - All installed tools, the disabled ones too.
 * @throws {Failure} `RESOURCE_REFUSED`
 */
export function refuseTaken(manifest: Manifest, tools: Iterable<Pick<Installed, "id" | "manifest">>): void {
  const own = urisOf(manifest);
  if (own.length === 0) return;
  for (const other of tools) {
    if (other.id === manifest.tool.id) continue;
    const theirs = urisOf(other.manifest);
    const taken = own.find((uri) => theirs.some((each) => mayOverlap(uri, each)));
    if (taken === undefined) continue;
    const reason = `it is, or may be, one of the tool "${other.id}" as well`;
    throw refuse("RESOURCE_REFUSED", {
      uri: taken,
      reason,
      hint: `give it another URI, or run: kami uninstall ${other.id}`,
    });
  }
}

/**
 * Makes sure that what a manifest says can be said of a component: with functions of its own, nothing says of which.
 *
 * @throws {Failure} `RESOURCE_REFUSED`, `COMPONENT_UNSUPPORTED`
 */
export function refuseUncallable({ mcp }: Manifest, functions: readonly unknown[]): void {
  if (functions.length === 0) return;
  if (mcp.inputSchema !== undefined || mcp.outputSchema !== undefined)
    throw refuse("COMPONENT_UNSUPPORTED", { what: "functions of its own beside schemas in its manifest" });
  const [first] = mcp.templates ?? [];
  if (first === undefined) return;
  const reason = "the component has functions of its own, and no run that could make its content";
  throw refuse("RESOURCE_REFUSED", { uri: first.uriTemplate, reason, hint: "leave out [[mcp.resource_templates]]" });
}

/** Lists the URIs of a package's resources, and of its templates. */
function urisOf({ mcp: { resources = [], templates = [] } }: Manifest): readonly string[] {
  return [...resources.map(({ uri }) => uri), ...templates.map(({ uriTemplate }) => uriTemplate)];
}

function sizeOf(resource: ManifestResource): SizeLimit {
  return {
    bytes: RESOURCE_LIMIT_BYTES,
    refuse: (_, bytes) =>
      refused(resource, `${resource.file} has ${bytes} bytes, the limit is ${RESOURCE_LIMIT_BYTES}`),
  };
}

/** A model reads it: what a person does not see must not be in it. */
function checkText(resource: ManifestResource, bytes: Uint8Array): void {
  if (!isTextType(resource.mimeType)) return;
  const text = decode(bytes);
  if (text === undefined)
    throw refused(resource, `${resource.file} is not UTF-8, and its type is ${resource.mimeType}`);
  const rule = forbiddenCharacter(text.replaceAll("\r\n", "\n"), "lines");
  if (rule !== undefined) throw refused(resource, `${resource.file} ${rule}`);
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function refused({ uri }: ManifestResource, reason: string) {
  return refuse("RESOURCE_REFUSED", {
    uri,
    reason: clean(reason, 300),
    hint: "mend the file, or the table that names it",
  });
}
