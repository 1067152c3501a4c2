/**
 * Completion scripts for shells, generated from the commands' definitions. Pure. What they complete with is text of KAMI's own: nothing of a tool's,
 * a file's or a registry's gets into a script.
 */
import type { ArgDef } from "citty";
import { flagNames, positionalNames } from "./arguments.ts";
import type { Command } from "./command.ts";

/** The shells. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
/** A shell. */
export type Shell = (typeof SHELLS)[number];

/** Arguments, and values of flags, that are paths. */
const PATHS = new Set(["path", "file", "dir", "directory", "directory:/path[:ro|rw]"]);
/** Arguments with a few possible words. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  shell: SHELLS,
  action: ["create", "list", "revoke"],
};

/** What of a flag a shell has to know. */
interface Flag {
  readonly name: string;
  readonly text: string;
  /** Undefined for a switch. */
  readonly value: "path" | "text" | undefined;
}

const WRITERS: Readonly<Record<Shell, (commands: readonly Command[]) => string>> = {
  bash: writeBash,
  zsh: writeZsh,
  fish: writeFish,
};

/** Writes the script of a shell. */
export function completionScript(shell: Shell, commands: readonly Command[]): string {
  return WRITERS[shell](commands);
}

function flagsOf({ args }: Command): readonly Flag[] {
  const own = flagNames(args).map((name): Flag => {
    const { type, description = "", valueHint = "" }: ArgDef = args[name] ?? {};
    const value = PATHS.has(valueHint) ? "path" : "text";
    return { name, text: description, value: type === "boolean" ? undefined : value };
  });
  return [...own, { name: "help", text: "Show the help", value: undefined }];
}

function takesPath({ args }: Command): boolean {
  return positionalNames(args).some((name) => PATHS.has(name));
}

function wordsOf({ args }: Command): readonly string[] {
  return positionalNames(args).flatMap((name) => WORDS[name] ?? []);
}

function writeBash(commands: readonly Command[]): string {
  const cases = commands.map((command) => {
    const flags = flagsOf(command);
    const named = (value: Flag["value"]): string =>
      flags.flatMap((flag) => (flag.value === value ? [`--${flag.name}`] : [])).join("|") || "-";
    return `    ${command.name})
      words="${[...flags.map(({ name }) => `--${name}`), ...wordsOf(command)].join(" ")}"
      case "$previous" in ${named("path")}) files=1 words="" ;; ${named("text")}) return ;; esac
      ${takesPath(command) ? 'case "$word" in -*) ;; *) files=1 ;; esac' : ":"}
      ;;`;
  });
  return `# Completion of kami for bash. Load it with: source <(kami completion bash)
_kami() {
  local word="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}" words="" files=""
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(" ")} --help --version" -- "$word"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
  esac
  if [ -n "$words" ]; then COMPREPLY=($(compgen -W "$words" -- "$word")); fi
  if [ -n "$files" ]; then
    local path
    compopt -o filenames 2>/dev/null
    while IFS= read -r path; do COMPREPLY+=("$path"); done < <(compgen -f -- "$word")
  fi
}
complete -F _kami kami
`;
}

function writeZsh(commands: readonly Command[]): string {
  const names = commands.map(({ name, summary }) => `    ${quote(`${name}:${summary.replaceAll(":", "\\:")}`)}`);
  const cases = commands.map((command) => {
    const flags = flagsOf(command).map(({ name, text, value }) => {
      const action = value === undefined ? "" : `:value:${value === "path" ? "_files" : ""}`;
      return quote(`*--${name}[${text.replaceAll(/[[\]\\:]/g, "\\$&")}]${action}`);
    });
    const rest = takesPath(command) ? "_files" : `(${wordsOf(command).join(" ")})`;
    return `    ${command.name}) _arguments -s ${[...flags, quote(`*:argument:${rest}`)].join(" ")} ;;`;
  });
  return `#compdef kami
# Completion of kami for zsh. Write it to a file named _kami in a directory of $fpath, or load it with: source <(kami completion zsh)
_kami() {
  local -a commands
  commands=(
${names.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command="\${words[2]}"
  shift words
  (( CURRENT-- ))
  case "$command" in
${cases.join("\n")}
  esac
}
if [ "\${funcstack[1]}" = _kami ]; then _kami "$@"; else compdef _kami kami; fi
`;
}

function writeFish(commands: readonly Command[]): string {
  const lines = commands.flatMap((command) => {
    const { name, summary } = command;
    const when = `-n "__fish_seen_subcommand_from ${name}"`;
    const flags = flagsOf(command).map(({ name: flag, text, value }) => {
      const takes = { path: " -r -F", text: " -x", none: "" }[value ?? "none"];
      return `complete -c kami ${when} -l ${flag}${takes} -d ${quoteFish(text)}`;
    });
    const words = wordsOf(command);
    return [
      `complete -c kami -n __fish_use_subcommand -a ${name} -d ${quoteFish(summary)}`,
      ...flags,
      ...(takesPath(command) ? [`complete -c kami ${when} -F`] : []),
      ...(words.length > 0 ? [`complete -c kami ${when} -a ${quoteFish(words.join(" "))}`] : []),
    ];
  });
  return `# Completion of kami for fish. Write it to ~/.config/fish/completions/kami.fish
complete -c kami -f
${lines.join("\n")}
`;
}

/** As one word of a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function quoteFish(text: string): string {
  return `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`;
}
