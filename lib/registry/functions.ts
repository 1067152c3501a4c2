/**
 * The functions of installed tools, as they were described when the tool was installed: an agent's list of tools must not wait for components to
 * be loaded.
 */
import { isJsonObject } from "../json-type.ts";
import type { Database } from "bun:sqlite";
import type { FunctionDescription } from "../component/functions.ts";

interface FunctionRow {
  readonly name: string;
  readonly input_schema: string;
  readonly output_schema: string | null;
}

const INSERT = "INSERT INTO functions (tool_id, position, name, input_schema, output_schema) VALUES (?, ?, ?, ?, ?)";
const SELECT = "SELECT name, input_schema, output_schema FROM functions WHERE tool_id = ? ORDER BY position";

/** Replaces the functions of a tool, inside the transaction of its installation. */
export function writeFunctions(database: Database, toolId: string, functions: readonly FunctionDescription[]): void {
  database.query("DELETE FROM functions WHERE tool_id = ?").run(toolId);
  const insert = database.query(INSERT);
  for (const [position, { name, inputSchema, outputSchema }] of functions.entries()) {
    const output = outputSchema === undefined ? null : JSON.stringify(outputSchema);
    insert.run(toolId, position, name, JSON.stringify(inputSchema), output);
  }
}

/** Reads the functions of a tool, in the component's order. A row that cannot be read is left out. */
export function readFunctions(database: Database, toolId: string): readonly FunctionDescription[] {
  return database
    .query<FunctionRow, [string]>(SELECT)
    .all(toolId)
    .flatMap((row) => {
      const inputSchema = parseSchema(row.input_schema);
      const outputSchema = row.output_schema === null ? undefined : parseSchema(row.output_schema);
      return inputSchema === undefined ? [] : [{ name: row.name, inputSchema, outputSchema }];
    });
}

function parseSchema(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const schema: unknown = JSON.parse(text);
    return isJsonObject(schema) ? schema : undefined;
  } catch {
    return undefined;
  }
}
