/**
 * `kami completion`: prints a script that completes commands and flags in a shell.
 */
import { quote, refuse } from "../../errors.ts";
import { type Command, command } from "../command.ts";
import { completionScript, SHELLS } from "../completion.ts";
import { EXIT } from "../exit-codes.ts";
import { commandNames } from "../summaries.ts";

/** `kami completion <shell>`. */
export const completion: Command = command({
  name: "completion",
  args: { shell: { type: "positional", description: "bash, zsh or fish" } },
  examples: [
    { line: "source <(kami completion bash)", meaning: "for this shell; in ~/.bashrc for all" },
    { line: "kami completion zsh > ~/.zfunc/_kami", meaning: "in a directory of $fpath" },
    { line: "kami completion fish > ~/.config/fish/completions/kami.fish", meaning: "for fish" },
  ],
  run: async ({ shell }, { host }) => {
    const known = SHELLS.find((each) => each === shell);
    if (known === undefined)
      throw refuse("USAGE", {
        problem: `Cannot complete in ${quote(shell)}: it is not a shell that kami knows`,
        hint: `name one of ${SHELLS.join(", ")}`,
      });
    // Loads all commands: only here is that wanted.
    const { loadCommand } = await import("../program.ts");
    const commands = await Promise.all(commandNames().map((name) => loadCommand(name)));
    await host.stdout.write(completionScript(known, commands));
    return EXIT.ok;
  },
});
