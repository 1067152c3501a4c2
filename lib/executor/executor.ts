/**
 * Runs calls in Workers: as many at once as it may, the others wait in a bounded queue in which clients take turns.
 */
import { Failure, refuse } from "../errors.ts";
import { type Bounds, Fleet, type FleetCall, type Wants } from "./fleet.ts";
import { Line } from "./line.ts";
import { Pace } from "./pace.ts";
import { failed, type Settled } from "./settled.ts";
import type { WorkerHandle, WorkerOptions } from "./worker.ts";

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
  readonly #line: Line<WorkerHandle, Wants>;
  readonly #pace = new Pace();
  #isClosed = false;

  constructor({ concurrency, queueLimit, ...rest }: ExecutorOptions) {
    this.#fleet = new Fleet({ concurrency, ...rest, onChange: () => this.#serve() });
    this.#line = new Line(queueLimit, () => this.#pace.retryAfterMs(queueLimit, concurrency));
  }

  /** Runs a call when its turn comes. Never throws for what a guest does. */
  async call(call: ExecutorCall): Promise<Settled> {
    const { client, signal, artifact } = call;
    if (this.#isClosed || signal?.aborted === true) return failed(refuse("CANCELLED", {}));
    const wants = { tenant: call.tenant ?? artifact.digest, digest: artifact.digest };
    const worker = this.#fleet.take(wants) ?? (await this.#wait({ client, wants, signal }));
    if (worker instanceof Failure) return failed(worker);
    const startedAt = performance.now();
    const settled = await this.#fleet.run(worker, call);
    this.#pace.note(performance.now() - startedAt);
    return settled;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#line.close();
    this.#fleet[Symbol.dispose]();
  }

  #wait(caller: Parameters<Line<WorkerHandle, Wants>["wait"]>[0]): Promise<WorkerHandle | Failure> {
    const turn = this.#line.wait(caller);
    this.#serve();
    return turn;
  }

  /** Gives turns for as long as there is room, and sees to it that this is done again when there is more. */
  #serve(): void {
    do {
      this.#giveTurns();
      if (this.#line.size === 0) return;
      this.#fleet.want();
      // A Worker may have parked before it saw the wish; and one that gets a call by that has not seen it either.
    } while (this.#giveTurns());
  }

  /** @returns Whether there was a turn to give. */
  #giveTurns(): boolean {
    /** Tenants for whom there is no Worker: it is not looked for again for each of their calls. */
    const without = new Set<string>();
    const choose = (wants: Wants): WorkerHandle | undefined => {
      if (without.has(wants.tenant)) return undefined;
      const worker = this.#fleet.take(wants);
      if (worker === undefined) without.add(wants.tenant);
      return worker;
    };
    let hasGiven = false;
    while (this.#fleet.hasRoom && this.#line.give(choose)) hasGiven = true;
    return hasGiven;
  }
}
