/**
 * The resources that packages bring: their READMEs, their files, and what their tools make of a URI.
 *
 * Source: MCP 2026-07-28 and 2025-11-25, "Server features / Resources".
 */
import type { Resource, ResourceTemplateType } from "@modelcontextprotocol/server";
import { clean } from "../errors.ts";
import type { ManifestResource, ManifestTemplate } from "../manifest/manifest.ts";
import { matchTemplate, parseTemplate } from "../manifest/uri.ts";
import type { InstalledTool } from "../registry/registry.ts";
import { isTextType, readInstalledResource } from "../registry/resources.ts";
import type { CatalogView, NamedTool } from "./catalog.ts";

/** What stands at a URI. */
export type ResourceContent = { readonly uri: string; readonly mimeType: string } & (
  { readonly text: string } | { readonly blob: string }
);

/** A template that a URI is of, and its variables. */
export interface TemplateMatch {
  readonly named: NamedTool;
  readonly template: ManifestTemplate;
  readonly values: ReadonlyMap<string, string>;
}

interface Owned<T> {
  readonly tool: InstalledTool;
  readonly each: T;
}

const README = /^kami:\/\/tool\/([a-z0-9.-]{1,128})\/readme$/;

/** The tools of a catalog, each once: a component of several functions is one package. */
export function packagesOf(catalog: Pick<CatalogView, "enabled">): readonly InstalledTool[] {
  return [...new Map(catalog.enabled().map(({ tool }) => [tool.id, tool])).values()];
}

/** Lists what packages bring. */
export function listPackageResources(catalog: CatalogView): readonly Resource[] {
  const readmes = packagesOf(catalog).filter(({ readmeDigest }) => readmeDigest !== undefined);
  return [...readmes.map(describeReadme), ...resourcesOf(catalog).map(describeResource)];
}

/** Lists the templates. */
export function listTemplates(catalog: CatalogView): readonly ResourceTemplateType[] {
  return templatesOf(catalog).map(describeTemplate);
}

/** Finds whose README a URI names. */
export function findReadme(catalog: CatalogView, uri: string): InstalledTool | undefined {
  const id = README.exec(uri)?.[1];
  return packagesOf(catalog).find((tool) => tool.id === id && tool.readmeDigest !== undefined);
}

/**
 * Reads a resource of a package by its URI.
 *
 * @returns Undefined when there is none, or more than one: no URI is two packages' unless somebody else has written to the registry.
 * @throws {Failure} `PACKAGE_CHANGED`
 */
export function readByUri(catalog: CatalogView, uri: string): ResourceContent | undefined {
  const [found, ...others] = resourcesOf(catalog).filter(({ each }) => each.uri === uri);
  return found === undefined || others.length > 0 ? undefined : readResourceOf(found.tool, found.each);
}

/** Reads a resource of a tool. @throws {Failure} `PACKAGE_CHANGED` */
export function readResourceOf(tool: InstalledTool, resource: ManifestResource): ResourceContent {
  const { uri, mimeType } = resource;
  const bytes = Buffer.from(readInstalledResource(tool, resource));
  return isTextType(mimeType)
    ? { uri, mimeType, text: bytes.toString() }
    : { uri, mimeType, blob: bytes.toString("base64") };
}

/** Finds the template that a URI is of; undefined when there is none, or more than one. */
export function findTemplate(catalog: CatalogView, uri: string): TemplateMatch | undefined {
  const [found, ...others] = catalog.enabled().flatMap((named): readonly TemplateMatch[] =>
    (named.tool.manifest.mcp.templates ?? []).flatMap((template) => {
      const values = matchTemplate(parseTemplate(template.uriTemplate), uri);
      return values === undefined ? [] : [{ named, template, values }];
    }),
  );
  return others.length > 0 ? undefined : found;
}

/** Finds the template itself. */
export function findTemplateByText(catalog: CatalogView, text: string): Owned<ManifestTemplate> | undefined {
  return templatesOf(catalog).find(({ each }) => each.uriTemplate === text);
}

/**
 * Says of each resource what it is now: when that changes, so has the resource.
 *
 * @returns By URI. What tools make of a URI is not among it: that is made anew at every read.
 */
export function stampsOf(catalog: Pick<CatalogView, "enabled">): ReadonlyMap<string, string> {
  const tools = packagesOf(catalog);
  const readmes = tools.flatMap(({ id, readmeDigest }): readonly (readonly [string, string])[] =>
    readmeDigest === undefined ? [] : [[readmeUri(id), readmeDigest]],
  );
  const files = resourcesOf(catalog).map(({ tool, each }): readonly [string, string] => {
    return [each.uri, `${tool.id} ${each.mimeType} ${tool.fileDigests?.get(each.file) ?? ""}`];
  });
  return new Map([...readmes, ...files]);
}

function resourcesOf(catalog: Pick<CatalogView, "enabled">): readonly Owned<ManifestResource>[] {
  return packagesOf(catalog).flatMap((tool) => (tool.manifest.mcp.resources ?? []).map((each) => ({ tool, each })));
}

function templatesOf(catalog: CatalogView): readonly Owned<ManifestTemplate>[] {
  return packagesOf(catalog).flatMap((tool) => (tool.manifest.mcp.templates ?? []).map((each) => ({ tool, each })));
}

function describeReadme({ id, name }: InstalledTool): Resource {
  const description = `What the author of ${clean(name, 100)} (${id}) says about it`;
  return { uri: readmeUri(id), name: `${id}/README.md`, description, mimeType: "text/markdown" };
}

function describeResource({
  tool,
  each: { uri, name, title, description, mimeType },
}: Owned<ManifestResource>): Resource {
  return {
    uri,
    name,
    title: titleOf(title ?? name, tool),
    ...(description !== undefined && { description: clean(description, 1000) }),
    mimeType,
  };
}

function describeTemplate({ tool, each }: Owned<ManifestTemplate>): ResourceTemplateType {
  const { uriTemplate, name, title, description, mimeType } = each;
  return {
    uriTemplate,
    name,
    title: titleOf(title ?? name, tool),
    ...(description !== undefined && { description: clean(description, 1000) }),
    ...(mimeType !== undefined && { mimeType }),
  };
}

/** A reader is told whose words they are. */
function titleOf(text: string, { id }: InstalledTool): string {
  return `${clean(text, 128)} (${id})`;
}

function readmeUri(id: string): string {
  return `kami://tool/${id}/readme`;
}
