/**
 * What a tool brings beside itself, for people and for scripts: prompts, resources, and templates of these.
 */
import { clean } from "../errors.ts";
import type { Manifest } from "../manifest/manifest.ts";

type Mcp = Manifest["mcp"];

/** One row for each, without a heading; empty when there is nothing. */
export function bringRows({ prompts = [], resources = [], templates = [] }: Mcp): readonly [string, string][] {
  return [
    ...prompts.map(({ name, arguments: declared }): [string, string] => {
      const names = declared.map((argument) => argument.name).join(", ");
      return ["prompt", `${clean(name)}(${clean(names, 200)})`];
    }),
    ...resources.map(({ uri, mimeType, file }): [string, string] => {
      return ["resource", `${clean(uri, 200)}, ${clean(mimeType)}, from ${clean(file)}`];
    }),
    ...templates.map(({ uriTemplate }): [string, string] => {
      return ["template", `${clean(uriTemplate, 200)}, which the tool makes the content of`];
    }),
  ];
}

/** The same as JSON. */
export function bringsJson({ prompts = [], resources = [], templates = [] }: Mcp): Readonly<Record<string, unknown>> {
  return { prompts, resources, resourceTemplates: templates };
}
