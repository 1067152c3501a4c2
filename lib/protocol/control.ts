/**
 * The control block of a call: 64 bytes of shared memory that the host writes to interrupt a call, and the Worker writes to tell
 * how far it got. Both sides touch it only through Atomics.
 *
 * Layout: int32 at 0 interrupt, at 4 state; int64 at 8 fuel granted, at 16 fuel used, at 24 memory in use, at 32 peak memory.
 */

/** Why a call is interrupted. Several may fall together: the first one stands. */
export type InterruptReason = "cancelled" | "deadline" | "shutdown";

/** How far a call is. */
export type CallState = "waiting" | "running" | "settled";

const REASONS: readonly InterruptReason[] = ["cancelled", "deadline", "shutdown"];
const STATES: readonly CallState[] = ["waiting", "running", "settled"];
const BYTES = 64;
const INTERRUPT = 0;
const STATE = 1;
const FUEL_GRANTED = 1;
const FUEL_USED = 2;
const MEMORY_IN_USE = 3;
const PEAK_MEMORY = 4;

/** One side's view of a control block. */
export class ControlBlock {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #counters: BigInt64Array;

  /** @param buffer - A block of the other side; without one a new block is made. */
  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(BYTES)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
    this.#counters = new BigInt64Array(buffer);
  }

  /** Asks the call to end. A reason that is already there stays. */
  interrupt(reason: InterruptReason): void {
    Atomics.compareExchange(this.#words, INTERRUPT, 0, REASONS.indexOf(reason) + 1);
    Atomics.notify(this.#words, INTERRUPT);
  }

  /** Why the call was asked to end, if it was. */
  get interrupted(): InterruptReason | undefined {
    return REASONS[Atomics.load(this.#words, INTERRUPT) - 1];
  }

  get state(): CallState {
    return STATES[Atomics.load(this.#words, STATE)] ?? "waiting";
  }

  set state(state: CallState) {
    Atomics.store(this.#words, STATE, STATES.indexOf(state));
  }

  /** Fuel units. */
  get fuelUsed(): number {
    return Number(Atomics.load(this.#counters, FUEL_USED));
  }

  /** Publishes the fuel of the call, in units. */
  publishFuel(granted: number, used: number): void {
    Atomics.store(this.#counters, FUEL_GRANTED, BigInt(granted));
    Atomics.store(this.#counters, FUEL_USED, BigInt(used));
  }

  /** Publishes the memory of the call, in bytes. */
  publishMemory(inUse: number, peak: number): void {
    Atomics.store(this.#counters, MEMORY_IN_USE, BigInt(inUse));
    Atomics.store(this.#counters, PEAK_MEMORY, BigInt(peak));
  }
}
