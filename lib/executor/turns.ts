/**
 * Calls that wait for a Worker of a fleet: each has its turn when there is room and a Worker for it.
 */
import type { Failure } from "../errors.ts";
import type { Fleet, Wants } from "./fleet.ts";
import { type Caller, Line } from "./line.ts";
import type { WorkerHandle } from "./worker.ts";

/** Turns at the Workers of a fleet. */
export class Turns {
  readonly #fleet: Fleet;
  readonly #line: Line<WorkerHandle, Wants>;

  /**
   * @param limit - Calls that may wait.
   * @param retryAfterMs - When one that finds no room should try again.
   */
  constructor(fleet: Fleet, limit: number, retryAfterMs: () => number) {
    this.#fleet = fleet;
    this.#line = new Line(limit, retryAfterMs);
  }

  /** Calls that wait. */
  get size(): number {
    return this.#line.size;
  }

  /** Waits for a turn. @returns A Worker that is promised; or a failure: CANCELLED, or BUSY when too many wait. */
  wait(caller: Caller<Wants>): Promise<WorkerHandle | Failure> {
    const turn = this.#line.wait(caller);
    this.serve();
    return turn;
  }

  /** Gives turns for as long as there is room, and sees to it that the fleet tells when there is more. */
  serve(): void {
    do {
      this.#give();
      if (this.#line.size === 0) return;
      this.#fleet.want();
      // A Worker may have parked before it saw the wish; and one that gets a call by that has not seen it either.
    } while (this.#give());
  }

  /** Ends everyone's waiting. @param failure - Default: CANCELLED. */
  clear(failure?: Failure): void {
    this.#line.clear(failure);
  }

  /** @returns Whether there was a turn to give. */
  #give(): boolean {
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
