/**
 * A call's input: JSON text from outside, bounded, and read once.
 */
import { refuse } from "../errors.ts";
import { type ArgumentSpec, checkArguments } from "./arguments.ts";
import { parseJson, withoutMark } from "./json.ts";
import { appendMembers, findRepeatedName } from "./members.ts";

/** Most bytes of UTF-8 of a call's input. */
export const INPUT_LIMIT_BYTES: number = 4 * 1_048_576;

/**
 * Reads a call's input and checks it against the declared arguments.
 *
 * @param input - Text of any content and length.
 * @param specs - The declared arguments; none: any JSON value passes.
 * @returns The text for the guest: as it came, with every digit that was sent, but without a byte order mark; and with the defaults of
 *   absent arguments at the end of the object.
 * @throws {Failure} `INPUT_TOO_LARGE`, `INPUT_NOT_JSON`; `INPUT_INVALID` when an object has a name twice, and as
 *   {@link checkArguments} does.
 */
export function readInput(input: string, specs: readonly ArgumentSpec[] = []): string {
  const bytes = Buffer.byteLength(input);
  if (bytes > INPUT_LIMIT_BYTES) throw refuse("INPUT_TOO_LARGE", { bytes, limitBytes: INPUT_LIMIT_BYTES });
  const value = parseJson(input, "the call");
  const text = withoutMark(input);
  const repeated = findRepeatedName(text);
  if (repeated !== undefined) throw refuse("INPUT_INVALID", { field: repeated, problem: "comes twice in one object" });
  return specs.length === 0 ? text : appendMembers(text, checkArguments(specs, value));
}
