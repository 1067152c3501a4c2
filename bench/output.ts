/**
 * What a call gave, however it was made.
 */

/** Takes the output text out of what a subject returned. */
export function outputOf(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if ("outcome" in value) return outputOf(value.outcome);
  // KAMI's linker gives results as they are; jco's glue throws the error of one.
  if ("tag" in value && value.tag === "ok" && "value" in value) return value.value;
  return "output" in value ? value.output : value;
}
