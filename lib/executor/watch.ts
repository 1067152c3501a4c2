/**
 * Watches the time of one call that was given to a Worker. The Worker ends a guest at its deadline by itself; the host looks as well, for
 * the Worker that does not.
 */
import { clockMs, type ControlBlock, type InterruptReason } from "../protocol/control.ts";

/** What a watch looks at, and what it does. */
export interface WatchOptions {
  readonly control: ControlBlock;
  /** Milliseconds from the moment that the Worker starts on the call. */
  readonly timeoutMs: number;
  /** Milliseconds that the Worker may take to start on the call. */
  readonly startLimitMs: number;
  /** Tells the Worker to break the call's wait. */
  readonly wake: () => void;
  /** Whether the Worker runs another call, and this one stands behind it. */
  readonly isBehind: () => boolean;
  /** Told once, when the call was abandoned: it does not have the Worker's thread, and is not going to have it any more. */
  readonly abandoned: () => void;
  /** Told once, when the Worker is to be given up. */
  readonly giveUp: (reason: string) => void;
}

/** Milliseconds that a Worker has to answer an interrupt before it is given up. */
const GRACE_MS = 250;
/** Milliseconds of that until a call is abandoned that stands behind another one, and between two looks whether it does. */
const ABANDON_MS = 20;
/** Milliseconds between two looks at a Worker that is late to start. */
const LOOK_MS = 20;
/** The longest time that a timer takes. */
const TIMER_LIMIT_MS = 2 ** 31 - 1;

/** The watch over one call; starts at once. */
export class Watch implements Disposable {
  readonly #options: WatchOptions;
  readonly #givenAtMs = clockMs();
  /** From when on the Worker has to start on the call. */
  #isNextSinceMs = this.#givenAtMs;
  #startedAtMs: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isInterrupted = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#arm(Math.min(options.timeoutMs, options.startLimitMs), () => this.#look());
  }

  /** Milliseconds since the Worker started on the call; 0 when it has not. */
  get wallMs(): number {
    const startedAtMs = this.#seeStart();
    return startedAtMs === undefined ? 0 : clockMs() - startedAtMs;
  }

  /**
   * Asks the guest to end. A call that waits for something, or for its thread, is abandoned when it cannot answer soon; for one that runs
   * the Worker is given up when it does not answer in time.
   */
  interrupt(reason: InterruptReason): void {
    const { control, wake } = this.#options;
    control.interrupt(reason);
    if (this.#isInterrupted) return;
    this.#isInterrupted = true;
    wake();
    const endsAtMs = clockMs() + GRACE_MS;
    this.#arm(ABANDON_MS, () => this.#press(endsAtMs));
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #look(): void {
    const { startLimitMs, timeoutMs, giveUp, isBehind } = this.#options;
    const startedAtMs = this.#seeStart();
    if (startedAtMs === undefined) {
      if (isBehind()) this.#isNextSinceMs = clockMs();
      const leftMs = this.#isNextSinceMs + startLimitMs - clockMs();
      if (leftMs <= 0) giveUp(`it did not start on the call within ${startLimitMs} ms`);
      else this.#arm(Math.min(leftMs, LOOK_MS), () => this.#look());
      return;
    }
    const leftMs = startedAtMs + timeoutMs - clockMs();
    if (leftMs <= 0) this.interrupt("deadline");
    else this.#arm(leftMs, () => this.#look());
  }

  /** Abandons a call that cannot answer because another one has the thread; one whose thread is idle gets the time to answer itself. */
  #press(endsAtMs: number): void {
    const { control, isBehind, abandoned } = this.#options;
    const leftMs = endsAtMs - clockMs();
    const hasThread = control.state === "running" || control.state === "settled";
    if (!hasThread && (leftMs <= 0 || isBehind())) {
      if (control.abandon()) abandoned();
      // It has got the thread this very moment.
      else this.#arm(ABANDON_MS, () => this.#press(clockMs() + GRACE_MS - ABANDON_MS));
    } else if (leftMs > 0) this.#arm(Math.min(leftMs, ABANDON_MS), () => this.#press(endsAtMs));
    // A guest that has ended is not wedged: only its answer waits, behind this timer when this thread was busy.
    else if (control.state === "settled") this.#arm(GRACE_MS, () => this.#giveUp());
    else this.#giveUp();
  }

  #giveUp(): void {
    this.#options.giveUp(`it did not answer an interrupt within ${GRACE_MS} ms`);
  }

  /** When the Worker started: its own claim, but not before it was given the call, nor in the future. */
  #seeStart(): number | undefined {
    const claimedMs = this.#options.control.startedAtMs;
    if (claimedMs !== undefined) this.#startedAtMs ??= Math.min(Math.max(claimedMs, this.#givenAtMs), clockMs());
    return this.#startedAtMs;
  }

  #arm(afterMs: number, act: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, Math.min(Math.ceil(afterMs), TIMER_LIMIT_MS));
  }
}
