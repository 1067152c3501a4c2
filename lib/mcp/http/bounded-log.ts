/**
 * KAMI's log, as far as clients can make it grow: whoever sends requests must not fill a disk.
 */
import { clean, type Failure } from "../../errors.ts";
import { explain } from "../result.ts";
import { Rates } from "./rates.ts";

/** Lines of one kind in a minute. */
const LINES_PER_MINUTE = 30;

/** Most code units of a line. */
const LINE_LIMIT = 700;

/** Logs lines of a kind, each kind only so often. */
export class BoundedLog {
  readonly #log: (line: string) => void;
  readonly #rates: Rates;
  readonly #hidden = new Map<string, number>();

  /**
   * @param log - Takes one clean line.
   * @param rates - Default: by the clock.
   */
  constructor(log: (line: string) => void, rates: Rates = new Rates()) {
    this.#log = log;
    this.#rates = rates;
  }

  /**
   * Logs a line, or counts it for the next line of its kind.
   *
   * @param kind - One of a few, chosen by KAMI.
   * @param text - Of any content.
   */
  add(kind: string, text: string): void {
    const hidden = this.#hidden.get(kind) ?? 0;
    if (this.#rates.take(kind, LINES_PER_MINUTE) > 0) {
      this.#hidden.set(kind, hidden + 1);
      return;
    }
    this.#hidden.delete(kind);
    const more = hidden === 0 ? "" : ` [and ${hidden} more like it that were not logged]`;
    this.#log(`${kind}: ${clean(text, LINE_LIMIT)}${more}`);
  }

  /** Logs a request that was refused. */
  addRefusal(failure: Failure): void {
    this.add(`HTTP: ${failure.code}`, explain(failure));
  }
}
