/**
 * What must hold between the keys of a `tool.toml`.
 */
import { checkDeclarations } from "./arguments.ts";
import type { BrokenRule } from "./problem.ts";
import { checkPrompts } from "./prompts.ts";
import { checkResources } from "./resources.ts";
import { checkSchemas } from "./schemas.ts";
import { isTable } from "./value.ts";

/**
 * Checks what a document declares against itself. Keys of a wrong shape are skipped: the shape's check reports them.
 *
 * @returns One problem for each broken rule.
 */
export function checkAgreement({ tool, mcp }: Readonly<Record<string, unknown>>): BrokenRule[] {
  if (!isTable(mcp)) return [];
  return [
    ...checkDeclarations(mcp["arguments"]),
    ...checkPrompts(mcp["prompts"], mcp["resources"]),
    ...checkSchemas(mcp),
    ...checkResources(mcp, isTable(tool) ? tool["wasm"] : undefined),
  ];
}
