/**
 * What must hold between the keys of `[[mcp.resources]]` and `[[mcp.resource_templates]]`, and of both with the rest of the manifest.
 */
import { broken, type BrokenRule, type KeyPath } from "./problem.ts";
import { mayOverlap, parseTemplate } from "./uri.ts";
import { isTable } from "./value.ts";

type Table = Readonly<Record<string, unknown>>;

/** Files of a package that have another part in it. */
const MANIFEST = "tool.toml";

/**
 * Checks the declared resources. Keys of a wrong shape are skipped: the shape's check reports them.
 *
 * @param mcp - `mcp` as parsed.
 * @param wasm - `tool.wasm` as parsed; anything.
 * @returns One problem for each broken rule.
 */
export function checkResources(mcp: Table, wasm: unknown): BrokenRule[] {
  const resources = tablesOf(mcp["resources"]);
  const templates = tablesOf(mcp["resource_templates"]);
  return [
    ...checkOverlaps([
      ...resources.map(([index, { uri }]): Place => [["mcp", "resources", index, "uri"], uri]),
      ...templates.map(([index, { uri_template: uri }]): Place => [
        ["mcp", "resource_templates", index, "uri_template"],
        uri,
      ]),
    ]),
    ...resources.flatMap(([index, { file }]) =>
      file === MANIFEST || (file === wasm && file !== undefined)
        ? [broken(["mcp", "resources", index, "file"], "must be a file of its own, not the manifest or the component")]
        : [],
    ),
    ...templates.flatMap(([index, template]) => checkVariables(template, tablesOf(mcp["arguments"]), index)),
  ];
}

type Place = readonly [path: KeyPath, uri: unknown];

function checkOverlaps(places: readonly Place[]): BrokenRule[] {
  return places.flatMap(([path, uri], index) => {
    const other = places.slice(0, index).find(([, before]) => isBoth(uri, before));
    return other === undefined
      ? []
      : [broken(path, `is, or may be, the URI of ${other[0].slice(1, 3).join(" ")} as well`)];
  });
}

function isBoth(left: unknown, right: unknown): boolean {
  return typeof left === "string" && typeof right === "string" && mayOverlap(left, right);
}

/** A read is a call with the variables as arguments: it must be one that can be made. */
function checkVariables({ uri_template: uri }: Table, declared: readonly Entry[], index: number): BrokenRule[] {
  if (typeof uri !== "string" || declared.length === 0) return [];
  const path = ["mcp", "resource_templates", index, "uri_template"];
  const { names } = parseTemplate(uri);
  const typeOf = new Map(declared.map(([, { name, type }]) => [name, type]));
  const odd = names.find((name) => typeOf.get(name) !== "string");
  if (odd !== undefined)
    return [broken(path, `has the variable {${odd}}, which is not an argument of the tool with the type "string"`)];
  const left = declared.find(([, { name, required }]) => required === true && !names.includes(String(name)));
  return left === undefined
    ? []
    : [broken(path, `has no variable for the argument "${String(left[1]["name"])}", which is required`)];
}

type Entry = readonly [index: number, table: Table];

function tablesOf(declared: unknown): readonly Entry[] {
  if (!Array.isArray(declared)) return [];
  return declared.flatMap((each: unknown, index): readonly Entry[] => (isTable(each) ? [[index, each]] : []));
}
