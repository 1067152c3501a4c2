/**
 * Tells a client that asked for it how far its call is: the fuel used against the fuel granted, with the guest's last line of log as the message. Each
 * line is the guest's word: cleaned, cut, and marked as the tool's.
 *
 * Source: MCP 2026-07-28 and 2025-11-25, "Utilities / Progress": the value increases with each notification, the receiver limits their rate, and
 * none comes after the answer.
 */
import type { ProgressNotification, ProgressToken, ServerContext } from "@modelcontextprotocol/server";
import { clean } from "../errors.ts";
import type { OnProgress } from "../executor/progress.ts";
import type { Limits, Progress } from "../protocol/limits.ts";

/** Notifications that may go out at once. */
export const PROGRESS_BURST = 10;

/** Milliseconds after which one more may. */
const PROGRESS_REFILL_MS = 200;

/** Most code units of a message. */
const PROGRESS_TEXT_LIMIT = 300;

/** What a client asked for, and how it is told. */
export interface ProgressOptions {
  readonly token: ProgressToken;
  /** Fuel that the call is granted. */
  readonly total: number;
  readonly notify: (notification: ProgressNotification) => Promise<void>;
}

/**
 * Runs a call, and tells its client of it when the client sent a token.
 *
 * @param context - Of the client's request.
 * @param limits - Of the call.
 */
export async function withProgress<T>(
  { mcpReq: { _meta: meta, notify } }: ServerContext,
  limits: Pick<Limits, "fuel">,
  call: (onProgress: OnProgress | undefined) => Promise<T>,
): Promise<T> {
  const token = meta?.progressToken;
  if (token === undefined) return call(undefined);
  using reporter = new ProgressReporter({ token, total: limits.fuel, notify });
  return await call((progress) => reporter.report(progress));
}

/** The progress notifications of one call. */
export class ProgressReporter implements Disposable {
  readonly #options: ProgressOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** What is to be told when there is room again: the newest. */
  #pending: Progress | undefined;
  #told = -1;
  #room = PROGRESS_BURST;
  #sinceMs = performance.now();
  #isOver = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  /** Tells, or keeps for later what is told too often; a newer word replaces it, but a line stays until it is told. */
  report(progress: Progress): void {
    if (this.#isOver) return;
    this.#pending = { fuel: progress.fuel, said: progress.said ?? this.#pending?.said };
    if (this.#timer === undefined) this.#flush();
  }

  /** Ends it, before the answer goes out: a line that waits is told first. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    if (this.#pending?.said !== undefined) this.#send(this.#pending);
    this.#isOver = true;
  }

  #flush(): void {
    this.#timer = undefined;
    if (this.#pending === undefined || this.#isOver) return;
    const nowMs = performance.now();
    this.#room = Math.min(this.#room + (nowMs - this.#sinceMs) / PROGRESS_REFILL_MS, PROGRESS_BURST);
    this.#sinceMs = nowMs;
    if (this.#room < 1) {
      this.#timer = setTimeout(() => this.#flush(), (1 - this.#room) * PROGRESS_REFILL_MS);
      this.#timer.unref();
      return;
    }
    this.#room -= 1;
    this.#send(this.#pending);
  }

  #send({ fuel, said }: Progress): void {
    this.#pending = undefined;
    const { token, total, notify } = this.#options;
    // Two lines may come at the same fuel, and the value has to increase: it is then a unit ahead of the fuel.
    const value = Math.min(Math.max(fuel, this.#told + 1), total);
    if (value <= this.#told) return;
    this.#told = value;
    const text = said === undefined ? "" : clean(said, PROGRESS_TEXT_LIMIT);
    const params = { progressToken: token, progress: value, total, ...(text !== "" && { message: text }) };
    // A client that has gone is found out by the call's own signal.
    notify({ method: "notifications/progress", params }).catch(() => undefined);
  }
}
