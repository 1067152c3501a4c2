/**
 * Watches the time of one call that was given to an executor process. The process watches its Workers itself; the host does as well, by its
 * own clock, for the process that does not: it may be stopped, or belong to a guest by now.
 */
import { clockMs, type InterruptReason } from "../protocol/control.ts";

/** What a watch looks at, and what it does. */
export interface FarWatchOptions {
  /** Milliseconds from the moment that a Worker starts on the call. */
  readonly timeoutMs: number;
  /** Milliseconds that it may take until a Worker starts on the call. */
  readonly startLimitMs: number;
  /** Asks the process how far the call is; {@link FarWatch.told} takes the answer. */
  readonly look: () => void;
  /** Tells the process to interrupt the call. */
  readonly interrupt: (reason: InterruptReason) => void;
  /** The longest time that other calls may take behind which it stands, in milliseconds, when the process says that it stands behind others. */
  readonly mostBehindMs: () => number;
  /** Told once, when the process is to be given up. */
  readonly giveUp: (reason: string) => void;
}

/** Milliseconds that a Worker has to answer an interrupt before it is given up. */
const GRACE_MS = 250;
/** Milliseconds beyond that until the host does what the process should have done. */
const SLACK_MS = 15;
/** Milliseconds after that, so that an answer is read which waits in the pipe while this thread was busy. */
const LAST_READ_MS = 15;
/** Milliseconds between two looks at a call that is late to start. */
const LOOK_MS = 100;
/** The longest time that a timer takes. */
const TIMER_LIMIT_MS = 2 ** 31 - 1;

/** The watch over one call; starts at once. */
export class FarWatch implements Disposable {
  readonly #options: FarWatchOptions;
  readonly #givenAtMs = clockMs();
  /** From when on the process has to start on the call. */
  #isNextSinceMs = this.#givenAtMs;
  #startedAtMs: number | undefined;
  #interrupted: InterruptReason | undefined;
  #isLooking = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: FarWatchOptions) {
    this.#options = options;
    this.#arm(Math.min(options.timeoutMs, options.startLimitMs), () => this.#look());
  }

  /** Why the call was interrupted, if it was. */
  get interrupted(): InterruptReason | undefined {
    return this.#interrupted;
  }

  /** Milliseconds since a Worker started on the call, as far as the process has told; 0 when it has not. */
  get wallMs(): number {
    return this.#startedAtMs === undefined ? 0 : clockMs() - this.#startedAtMs;
  }

  /**
   * Takes the answer to a look.
   *
   * @param ageMs - Milliseconds since a Worker started on the call; null when none has.
   * @param isBehind - Whether its Worker runs another call first.
   * @returns False when nobody asked.
   */
  told(ageMs: number | null, isBehind: boolean): boolean {
    if (!this.#isLooking) return false;
    this.#isLooking = false;
    // The others have deadlines too: a process that says this for longer than these last is not believed.
    if (isBehind && clockMs() < this.#givenAtMs + this.#options.mostBehindMs()) this.#isNextSinceMs = clockMs();
    if (ageMs !== null) this.#startedAtMs ??= Math.max(clockMs() - ageMs, this.#givenAtMs);
    if (this.#interrupted === undefined) this.#plan();
    return true;
  }

  /** Asks the guest to end, and gives the process up when it does not answer in time. */
  interrupt(reason: InterruptReason): void {
    if (this.#interrupted !== undefined) return;
    this.#interrupted = reason;
    this.#options.interrupt(reason);
    // From the deadline on, and not from when it was found out: the process knows the deadline, and should have ended the call by itself.
    const endsAtMs = (this.#startedAtMs ?? clockMs()) + this.#options.timeoutMs;
    const lateMs = reason === "deadline" ? Math.max(clockMs() - endsAtMs, 0) : 0;
    this.#expectAnswer(`it did not answer an interrupt within ${GRACE_MS} ms`, lateMs);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #plan(): void {
    const { timeoutMs, startLimitMs, giveUp } = this.#options;
    const hasStarted = this.#startedAtMs !== undefined;
    const leftMs = (this.#startedAtMs ?? this.#isNextSinceMs) + (hasStarted ? timeoutMs : startLimitMs) - clockMs();
    if (hasStarted) this.#arm(Math.max(leftMs, 0), () => this.interrupt("deadline"));
    else if (leftMs <= 0) giveUp(`it did not start on the call within ${startLimitMs} ms`);
    else this.#arm(Math.min(leftMs, LOOK_MS), () => this.#look());
  }

  #look(): void {
    this.#isLooking = true;
    this.#options.look();
    this.#expectAnswer(`it did not say within ${GRACE_MS} ms how far the call is`);
  }

  #expectAnswer(otherwise: string, lateMs = 0): void {
    const giveUp = (): void => this.#options.giveUp(otherwise);
    this.#arm(Math.max(GRACE_MS + SLACK_MS - lateMs, 0), () => this.#arm(LAST_READ_MS, giveUp));
  }

  #arm(afterMs: number, act: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, Math.min(Math.ceil(afterMs), TIMER_LIMIT_MS));
  }
}
