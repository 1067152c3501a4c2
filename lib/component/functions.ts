/**
 * The functions of a component that can be called with JSON: what an agent has to know about them, and the check of what it sends.
 */
import { refuse } from "../errors.ts";
import { parseJson } from "../schema/json.ts";
import { toParametersSchema, toResultSchema, type WitSchema } from "../schema/wit-schema.ts";
import { toArguments } from "../schema/wit-value.ts";
import type { Artifact } from "./artifact.ts";
import { exportedType } from "./exported.ts";

/** What an agent has to know about a function. */
export interface FunctionDescription {
  /** Its name among the artifact's entries. */
  readonly name: string;
  readonly inputSchema: WitSchema;
  /** Undefined when it returns nothing. */
  readonly outputSchema: WitSchema | undefined;
}

/** What an artifact has of functions. */
type Callable = Pick<Artifact, "kind" | "entries" | "plan">;

/** Describes the functions of a component of functions; none for the other kinds. */
export function describeFunctions({ kind, entries, plan }: Callable): readonly FunctionDescription[] {
  if (kind !== "functions") return [];
  return entries.map(({ name, exported }) => {
    const type = exportedType(plan, exported);
    return { name, inputSchema: toParametersSchema(type), outputSchema: toResultSchema(type) };
  });
}

/**
 * Finds the function that a call is for, and checks the call's input by its types.
 *
 * @param name - As the caller named it; undefined for the only one.
 * @param input - JSON text.
 * @returns The function's name among the artifact's entries.
 * @throws {Failure} FUNCTION_UNKNOWN; INPUT_INVALID when a component of functions cannot take the input
 */
export function chooseFunction({ kind, entries, plan }: Callable, name: string | undefined, input: string): string {
  const known = kind === "functions" ? entries : entries.filter((entry) => entry.name === "run");
  const chosen = name === undefined ? known : known.filter((entry) => entry.name === name);
  const [entry, ...others] = chosen;
  if (entry === undefined || others.length > 0)
    throw refuse("FUNCTION_UNKNOWN", { name, known: known.map((each) => each.name) });
  if (kind === "functions") toArguments(exportedType(plan, entry.exported), parseJson(input, "the call"));
  return entry.name;
}
