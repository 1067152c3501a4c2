/**
 * Runs calls in Workers: as many at once as it may, the others wait in a bounded queue in which clients take turns.
 */
import { Failure, refuse } from "../errors.ts";
import { type Bounds, Fleet, type FleetCall } from "./fleet.ts";
import { Pace } from "./pace.ts";
import { failed, type Settled } from "./settled.ts";
import { Turns } from "./turns.ts";
import type { WorkerOptions } from "./worker.ts";

/** How much an executor takes on. */
export interface ExecutorOptions {
  /** Calls that run at once, 1 to 256, beside those that wait in a call of the host. */
  readonly concurrency: number;
  /** Calls that may wait for their turn; more are refused with `BUSY`. */
  readonly queueLimit: number;
  /** How Workers are started. */
  readonly worker?: WorkerOptions | undefined;
  readonly bounds?: Partial<Bounds> | undefined;
}

/** One call. */
export interface ExecutorCall extends FleetCall {
  /** Whose turn in the queue this takes. */
  readonly client: string;
  /** Whose calls may share a Worker with it; default: those of the same component. */
  readonly tenant?: string | undefined;
}

/** A pool of Workers behind a queue. */
export class Executor implements Disposable {
  readonly #fleet: Fleet;
  readonly #turns: Turns;
  readonly #pace = new Pace();
  #isClosed = false;

  constructor({ concurrency, queueLimit, ...rest }: ExecutorOptions) {
    this.#fleet = new Fleet({ concurrency, ...rest, onChange: () => this.#turns.serve() });
    this.#turns = new Turns(this.#fleet, queueLimit, () => this.#pace.retryAfterMs(queueLimit, concurrency));
  }

  /** Runs a call when its turn comes. Never throws for what a guest does. */
  async call(call: ExecutorCall): Promise<Settled> {
    const { client, signal, artifact } = call;
    if (this.#isClosed || signal?.aborted === true) return failed(refuse("CANCELLED", {}));
    const wants = { tenant: call.tenant ?? artifact.digest, digest: artifact.digest };
    const worker = this.#fleet.take(wants) ?? (await this.#turns.wait({ client, wants, signal }));
    if (worker instanceof Failure) return failed(worker);
    const startedAt = performance.now();
    const settled = await this.#fleet.run(worker, call);
    this.#pace.note(performance.now() - startedAt);
    return settled;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#turns.clear();
    this.#fleet[Symbol.dispose]();
  }
}
