/**
 * Who sends a request: whose turn in the queue it takes, which tools there are for them, and how often they may call.
 */

/** Somebody who may use the server. */
export interface Principal {
  /** Stands for them in rate limits, in the queue and as the owner of sessions: never a secret. */
  readonly id: string;
  /** Patterns of tool ids, see {@link coversTool}. */
  readonly tools: readonly string[];
  /** Calls a minute; undefined: as many as the server allows anybody. */
  readonly callsPerMinute: number | undefined;
}

/** Everything. */
export const ALL_TOOLS = "*";

/** An id, a prefix with all below it, or everything: `dev.example.fetch`, `dev.example.*`, `*`. */
const PATTERN = /^(?:\*|[a-z0-9-]+(?:\.[a-z0-9-]+)*(?:\.\*)?)$/;

/** Whether a text is a pattern of tool ids. */
export function isToolPattern(text: string): boolean {
  return text.length <= 130 && PATTERN.test(text);
}

/**
 * Whether patterns cover a tool.
 *
 * @param patterns - Each one that {@link isToolPattern} takes.
 * @param id - Of the tool.
 */
export function coversTool(patterns: readonly string[], id: string): boolean {
  return patterns.some((pattern) => {
    if (pattern === ALL_TOOLS || pattern === id) return true;
    return pattern.endsWith(".*") && id.startsWith(pattern.slice(0, -1));
  });
}
