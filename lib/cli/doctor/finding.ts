/**
 * What `kami doctor` found about one thing.
 */

/** One finding. Its texts may hold names of files and what others wrote: whoever prints them cleans them. */
export interface Finding {
  /** What was looked at, for scripts: `home`, `client.codex`. */
  readonly id: string;
  /** `bad`: something does not work; `odd`: something may not, or is not safe; `none`: there is nothing to judge. */
  readonly state: "good" | "odd" | "bad" | "none";
  readonly text: string;
  /** What to do about it, with the exact command where there is one. */
  readonly mend?: string | undefined;
}

/** Makes a finding that all is well. */
export function good(id: string, text: string): Finding {
  return { id, state: "good", text };
}

/** Makes a finding that something may not work, or is not safe. */
export function odd(id: string, text: string, mend: string): Finding {
  return { id, state: "odd", text, mend };
}

/** Makes a finding that something does not work. */
export function bad(id: string, text: string, mend: string): Finding {
  return { id, state: "bad", text, mend };
}
