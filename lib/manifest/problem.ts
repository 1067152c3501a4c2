/**
 * A rule that a manifest breaks, at a key path: what the checks report, before it has a line and a column.
 */

/** Keys and array indices from the document's root. */
export type KeyPath = readonly (string | number)[];

/** One broken rule. */
export type Problem = UnknownKey | BrokenRule;

/** A key that the format does not have. */
export interface UnknownKey {
  readonly kind: "unknown";
  readonly path: KeyPath;
}

/** A key that is missing, or whose value is not allowed. */
export interface BrokenRule {
  readonly kind: "invalid";
  readonly path: KeyPath;
  /** Reads on from the key's name: `must be a string, got an integer`. */
  readonly rule: string;
}

/** Says that a rule is broken. */
export function broken(path: KeyPath, rule: string): BrokenRule {
  return { kind: "invalid", path, rule };
}

/** Writes a path as `mcp.arguments[0].name`; indices count from 0, keys that are not bare are quoted. */
export function formatPath(path: KeyPath): string {
  return path.map(formatSegment).join("");
}

function formatSegment(segment: string | number, index: number): string {
  if (typeof segment === "number") return `[${segment}]`;
  const key = /^[A-Za-z0-9_-]+$/.test(segment) ? segment : JSON.stringify(segment);
  return index === 0 ? key : `.${key}`;
}
