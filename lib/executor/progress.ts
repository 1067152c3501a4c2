/**
 * Tells whoever wants to hear how far a call is: what its guest logs, when it logs it, and the fuel it has used, twice a second.
 */
import type { ControlBlock } from "../protocol/control.ts";
import { type Limits, type Progress, SAID_LIMIT_LINES } from "../protocol/limits.ts";

/** Takes how far a call is. Must not throw. */
export type OnProgress = (progress: Progress) => void;

/** Milliseconds between two looks at the fuel. */
const LOOK_MS = 500;

/** Looks that may come beside those that time accounts for: a process that was stopped makes up for none. */
const SPARE_LOOKS = 16;

/** What is watched. */
interface Watched {
  readonly control: ControlBlock;
  readonly limits: Pick<Limits, "fuel">;
}

/** The progress of one call, from its control block and its Worker's words. */
export class ProgressWatch implements Disposable {
  readonly #watched: Watched;
  readonly #tell: OnProgress;
  readonly #timer: ReturnType<typeof setInterval>;
  #told = 0;
  #lines = 0;
  #isOver = false;

  constructor(watched: Watched, tell: OnProgress) {
    this.#watched = watched;
    this.#tell = tell;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  /**
   * Takes what the guest said.
   *
   * @returns False when that is more than a Worker may tell.
   */
  hear(said: string): boolean {
    this.#lines += 1;
    if (this.#lines > SAID_LIMIT_LINES) return false;
    if (!this.#isOver) this.#tell({ fuel: this.#fuel(), said });
    return true;
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearInterval(this.#timer);
  }

  #look(): void {
    const fuel = this.#fuel();
    if (fuel <= this.#told) return;
    this.#told = fuel;
    this.#tell({ fuel });
  }

  #fuel(): number {
    return Math.min(this.#watched.control.fuelUsed, this.#watched.limits.fuel);
  }
}

/** How often a process has told about one call, against how often it may have. */
export class ProgressCount {
  readonly #startedAtMs = performance.now();
  #lines = 0;
  #looks = 0;

  /** Counts one more. @returns False when that is more than an honest process tells. */
  add({ said }: Progress): boolean {
    if (said !== undefined) {
      this.#lines += 1;
      return this.#lines <= SAID_LIMIT_LINES;
    }
    this.#looks += 1;
    return this.#looks <= (performance.now() - this.#startedAtMs) / LOOK_MS + SPARE_LOOKS;
  }
}
