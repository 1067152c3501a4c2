/**
 * The lines that a person types at a terminal, one after the other.
 */
import { createInterface, type Interface } from "node:readline";
import type { Session } from "./session.ts";

/** Reads standard input from now on, until it is disposed of. */
export class TerminalLines implements Disposable {
  readonly #session: Session;
  readonly #lines: Interface;
  readonly #typed: string[] = [];
  #wake: () => void = () => {};
  #isOver = false;

  constructor(session: Session) {
    this.#session = session;
    this.#lines = createInterface({ input: session.host.stdin(), crlfDelay: Infinity });
    this.#lines.on("line", (line) => {
      this.#typed.push(line);
      this.#wake();
    });
    this.#lines.on("close", () => {
      this.#isOver = true;
      this.#wake();
    });
  }

  /**
   * Waits for the next line.
   *
   * @returns Undefined when standard input has ended.
   * @throws {Interrupted} when a signal comes first.
   */
  async next(): Promise<string | undefined> {
    while (this.#typed.length === 0 && !this.#isOver) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await this.#session.end.interruptible(promise);
    }
    return this.#typed.shift();
  }

  [Symbol.dispose](): void {
    this.#lines.close();
  }
}
