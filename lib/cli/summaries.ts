/**
 * The commands and what each does, for the general help, which loads none of them.
 */

/** What each command does, in one line, in the order of the help. */
export const SUMMARIES = {
  install: "Install a tool from its directory",
  list: "List the installed tools, by id",
  inspect: "Show what an installed tool is, takes and asks for, and its recent calls",
  uninstall: "Remove an installed tool and its files",
  grant: "Let an installed tool use what it asks for, or a directory of yours",
  revoke: "Take back what an installed tool was granted",
  grants: "Show what installed tools were granted, and what they ask for beside it",
  enable: "Let an installed tool be called again",
  disable: "Keep an installed tool from being called",
  run: "Call a component file that is not installed",
  exec: "Call an installed tool",
  serve: "Serve the installed tools to agents: MCP over stdin and stdout, or HTTP",
  connect: "Add KAMI to an agent's configuration",
  doctor: "Say what is wrong with this installation, and how to mend it",
  token: "Make, list and revoke the tokens of serve --http",
  init: "Start a new tool in a directory",
  build: "Build the tool of a directory, and package it",
  validate: "Check a tool before others do",
  test: "Run a tool's test cases, and measure what it needs",
  dev: "Rebuild a tool at every save, and serve it to a connected agent",
  bench: "Measure a tool: cold, warm, at once, and its fuel",
  config: "Show every setting, its value, and where that came from",
  completion: "Print a script that completes commands and flags in a shell",
} as const;

/** The name of a command: what follows `kami`. */
export type CommandName = keyof typeof SUMMARIES;

/** Whether a word is a command's name. */
export function isCommandName(word: string): word is CommandName {
  return Object.hasOwn(SUMMARIES, word);
}

/** Names the commands, in the order of the help. */
export function commandNames(): readonly CommandName[] {
  return Object.keys(SUMMARIES).filter(isCommandName);
}
