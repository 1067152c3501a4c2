/**
 * What happens when the user or the system asks `kami` to end.
 */
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { EndSignal, Host } from "./host.ts";

/** Milliseconds that a command gets to end by itself after the first signal. */
const GRACE_MS = 3000;

/** Thrown by {@link EndWatch.interruptible} so that a command unwinds and releases what it holds. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** Watches for signals while a command runs. The first aborts {@link EndWatch.signal}; a second, or no end in time, ends the process. */
export class EndWatch implements Disposable {
  readonly #controller = new AbortController();
  readonly #stopWatching: () => void;
  #received: EndSignal | undefined;
  #force: ReturnType<typeof setTimeout> | undefined;
  #graceMs = GRACE_MS;

  constructor(host: Host) {
    this.#stopWatching = host.onEndSignal((signal) => {
      if (this.#received !== undefined) host.exit(this.exitCode ?? EXIT.interrupted);
      this.#received = signal;
      this.#force = setTimeout(() => host.exit(this.exitCode ?? EXIT.interrupted), this.#graceMs);
      this.#force.unref();
      this.#controller.abort(new Interrupted(`ended by ${signal}`));
    });
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Gives a command longer to end than others need, because it lets work finish that somebody waits for. Counts from the signal on. */
  allowGrace(ms: number): void {
    this.#graceMs = Math.max(GRACE_MS, ms);
  }

  /** The exit code that stands for the signal that came; undefined when none did. */
  get exitCode(): ExitCode | undefined {
    if (this.#received === undefined) return undefined;
    return this.#received === "SIGINT" ? EXIT.interrupted : EXIT.terminated;
  }

  /**
   * Waits for work that takes no signal, and no longer once a signal came.
   *
   * @throws {Interrupted} When a signal came first. The work may still go on.
   */
  async interruptible<T>(work: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const interrupt = (): void => reject(new Interrupted("ended by a signal"));
    if (this.signal.aborted) interrupt();
    this.signal.addEventListener("abort", interrupt, { once: true });
    try {
      return await Promise.race([work, promise]);
    } finally {
      this.signal.removeEventListener("abort", interrupt);
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#force);
    this.#stopWatching();
  }
}
