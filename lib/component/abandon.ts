/**
 * Waits for shared work only as long as the caller wants it: the work goes on for others.
 */
import { refuse } from "../errors.ts";

/**
 * Waits for work.
 *
 * @param work - Starts or joins it; not called when a signal is aborted already.
 * @param signals - Aborting one ends the waiting at once.
 * @throws {Failure} CANCELLED when a signal was aborted; what the work throws.
 */
export async function unlessAborted<T>(
  work: () => Promise<T>,
  signals: readonly (AbortSignal | undefined)[],
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const cancel = (): void => reject(refuse("CANCELLED", {}));
  if (signals.some((signal) => signal?.aborted === true)) throw refuse("CANCELLED", {});
  for (const signal of signals) signal?.addEventListener("abort", cancel, { once: true });
  try {
    return await Promise.race([work(), promise]);
  } finally {
    for (const signal of signals) signal?.removeEventListener("abort", cancel);
  }
}

/** Waits for work, and no longer than so many milliseconds. */
export async function settleWithin(ms: number, work: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([work, promise]);
  clearTimeout(timer);
}
