/**
 * What a `kami:tool/tool` component says of itself, read and checked; and what was recorded of it.
 */
import { clean, Failure, refuse } from "../errors.ts";
import { checkForeignSchema, type Described } from "./foreign.ts";
import { findDepth } from "./json.ts";

/** Most bytes of what it says. */
const TEXT_LIMIT_BYTES = 98_304;

/** Most levels of it. */
const DEPTH_LIMIT = 60;

/**
 * Reads what a component says. Its name, description and version are the manifest's to say, which the user has seen.
 *
 * @throws {Failure} `DESCRIBE_REFUSED`
 */
export function readDescription(text: string): Described {
  const bytes = Buffer.byteLength(text);
  if (bytes > TEXT_LIMIT_BYTES) fail(`it has ${bytes} bytes, the limit is ${TEXT_LIMIT_BYTES}`);
  if (findDepth(text, DEPTH_LIMIT) !== -1) fail(`it nests deeper than ${DEPTH_LIMIT} levels`);
  const value = parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return fail("it is not a JSON object");
  const { inputSchema, outputSchema }: Readonly<Record<string, unknown>> = { ...value };
  return {
    ...(inputSchema !== undefined && { inputSchema: checkForeignSchema(inputSchema, "inputSchema") }),
    ...(outputSchema !== undefined && { outputSchema: checkForeignSchema(outputSchema, "outputSchema") }),
  };
}

/** Reads what was recorded: by today's rules, and nothing when these do not take it. */
export function readRecorded(text: string | null): Described | undefined {
  if (text === null) return undefined;
  try {
    return readDescription(text);
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw refuse("DESCRIBE_REFUSED", { reason: "it is not JSON" }, error);
  }
}

function fail(reason: string): never {
  throw refuse("DESCRIBE_REFUSED", { reason: clean(reason, 300) });
}
