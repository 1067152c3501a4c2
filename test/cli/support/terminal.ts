/**
 * The real `kami` on a real terminal, and a person at it who answers when they are asked.
 */
import { fileURLToPath } from "node:url";
import type { Surroundings } from "./kami.ts";

const KAMI = fileURLToPath(new URL("../../../bin/kami.ts", import.meta.url));
const ENTER = "\r";
const QUESTION = /(?:\[none\]|\[y\/N\]|:) $/;

/** What stands on the terminal at the end. */
export interface TerminalEnd {
  readonly exitCode: number;
  /** All that was shown, the answers included; lines end in line feeds. */
  readonly shown: string;
}

/**
 * Runs `kami` on a terminal.
 *
 * @param answers - Given one by one, each when the screen ends in a question: `[none] `, `[y/N] ` or a colon; what follows the last is Ctrl-C.
 */
export async function kamiOnTerminal(
  words: readonly string[],
  { home, environment }: Surroundings,
  answers: readonly string[],
): Promise<TerminalEnd> {
  const decoder = new TextDecoder();
  const waiting = [...answers];
  let shown = "";
  let answered = 0;
  const child = Bun.spawn([process.execPath, KAMI, ...words], {
    env: { PATH: process.env.PATH, HOME: `${home}/..`, KAMI_HOME: home, TERM: "dumb", ...environment },
    // Made here, not before: only then is it what Ctrl-C comes from for the child.
    terminal: {
      cols: 200,
      rows: 50,
      data: (terminal, bytes) => {
        shown += decoder.decode(bytes, { stream: true });
        // An answer is echoed on its line: what stands there then is no question.
        if (shown.length === answered || !QUESTION.test(shown.slice(answered))) return;
        answered = shown.length;
        const answer = waiting.shift() ?? "\u0003";
        terminal.write(/^\p{Cc}$/u.test(answer) ? answer : `${answer}${ENTER}`);
      },
    },
  });
  const exitCode = await child.exited;
  child.terminal?.close();
  return { exitCode, shown: shown.replaceAll("\r\n", "\n") };
}
