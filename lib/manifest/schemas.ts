/**
 * What must hold of `[mcp.input_schema]` and `[mcp.output_schema]` as TOML. Whether they are schemas that KAMI takes is looked at where packages are read.
 */
import { broken, type BrokenRule } from "./problem.ts";
import { isTable, toJsonValue } from "./value.ts";

/** Checks the declared schemas. Keys of a wrong shape are skipped: the shape's check reports them. */
export function checkSchemas(mcp: Readonly<Record<string, unknown>>): BrokenRule[] {
  const problems = ["input_schema", "output_schema"].flatMap((key): BrokenRule[] => {
    const converted = isTable(mcp[key]) ? toJsonValue(mcp[key]) : undefined;
    return converted?.ok === false ? [broken(["mcp", key], converted.rule)] : [];
  });
  const { arguments: declared, input_schema: schema } = mcp;
  if (schema === undefined || !Array.isArray(declared) || declared.length === 0) return problems;
  return [
    ...problems,
    broken(["mcp", "input_schema"], "must be left out: the tool has arguments, which say what it takes"),
  ];
}
