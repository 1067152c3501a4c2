/**
 * Control blocks for one call after another: a new one takes a millisecond, and 64 KiB of shared memory.
 */
import { ControlBlock } from "../protocol/control.ts";

/** Most blocks that are kept. */
const KEPT = 4096;

/** Control blocks that no call has. */
export class ControlPool {
  readonly #free: ControlBlock[] = [];

  /** Takes a block as new. */
  take(): ControlBlock {
    return this.#free.pop() ?? new ControlBlock();
  }

  /** Gives a block back that nobody else has any more: not one of a Worker that was given up, where the guest may go on. */
  give(control: ControlBlock): void {
    if (this.#free.length >= KEPT) return;
    control.reset();
    this.#free.push(control);
  }
}
