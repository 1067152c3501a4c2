/**
 * Watches a Worker that owes answers for calls that the host has ended without it: such a call may stand behind others of the thread for as long
 * as these run, but a thread that has nothing to do answers.
 */

/** Milliseconds in which an idle thread has to answer, and between two looks. */
const GRACE_MS = 250;
/** Looks in a row that find an idle thread and no answer: behind the first one, what waits for this thread of ours is read. */
const MOST_IDLE_LOOKS = 2;

/** What the vigil looks at, and what it does. */
export interface VigilOptions {
  /** Whether answers are owed. */
  readonly isOwing: () => boolean;
  /** Whether the thread has a call that is being watched by itself. */
  readonly isBusy: () => boolean;
  /** Told once, when the Worker is to be given up. */
  readonly giveUp: (reason: string) => void;
}

/** The vigil over one Worker. */
export class Vigil implements Disposable {
  readonly #options: VigilOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #idleLooks = 0;

  constructor(options: VigilOptions) {
    this.#options = options;
  }

  /** Begins to look, if it does not yet: an answer is owed. */
  start(): void {
    this.#timer ??= setTimeout(() => this.#look(), GRACE_MS);
  }

  /** Notes an answer: the thread is alive. */
  note(): void {
    this.#idleLooks = 0;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    this[Symbol.dispose]();
    const { isOwing, isBusy, giveUp } = this.#options;
    this.#idleLooks = isOwing() && !isBusy() ? this.#idleLooks + 1 : 0;
    if (this.#idleLooks >= MOST_IDLE_LOOKS) giveUp(`it did not answer an interrupt within ${GRACE_MS} ms`);
    else if (isOwing()) this.start();
  }
}
