/**
 * The control block of a call: 64 bytes of shared memory that the host writes to interrupt a call, and the Worker writes to tell
 * how far it got. Both sides touch it only through Atomics. The host takes what the Worker wrote as a claim.
 *
 * Layout: int32 at 0 interrupt, at 4 state; int64 at 8 fuel granted, at 16 fuel used, at 24 memory in use, at 32 peak memory, at 40 start
 * in microseconds, at 48 CPU time in microseconds, at 56 host calls.
 */

/** Why a call is interrupted. Several may fall together: the first one stands. */
export type InterruptReason = "cancelled" | "deadline" | "shutdown";

/** How far a call is: the Worker sets `running` when the call's own clock starts, `settled` when only its answer is left to send. */
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
const STARTED_AT = 5;
const CPU_TIME = 6;
const HOST_CALLS = 7;

/** Tells the time by a clock that host and Worker share, in milliseconds since the Unix epoch. It never goes back. */
export function clockMs(): number {
  return performance.timeOrigin + performance.now();
}

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

  /** Tells how far the call is; `running` also notes the time. */
  set state(state: CallState) {
    if (state === "running") Atomics.store(this.#counters, STARTED_AT, BigInt(Math.round(clockMs() * 1000)));
    Atomics.store(this.#words, STATE, STATES.indexOf(state));
  }

  /** When the call's own clock started, by {@link clockMs}; undefined while the Worker has not started on it. */
  get startedAtMs(): number | undefined {
    return this.state === "waiting" ? undefined : this.#count(STARTED_AT) / 1000;
  }

  /** Units of fuel, as last published. */
  get fuelUsed(): number {
    return this.#count(FUEL_USED);
  }

  /** Bytes at the highest point, as last published. */
  get peakMemoryBytes(): number {
    return this.#count(PEAK_MEMORY);
  }

  /** Milliseconds of CPU time, as last published. */
  get cpuMs(): number {
    return this.#count(CPU_TIME) / 1000;
  }

  /** Calls into KAMI's imports, as last published. */
  get hostCalls(): number {
    return this.#count(HOST_CALLS);
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

  /** Publishes the CPU time of the call, in milliseconds, and its calls into KAMI's imports. */
  publishEffort(cpuMs: number, hostCalls: number): void {
    Atomics.store(this.#counters, CPU_TIME, BigInt(Math.round(cpuMs * 1000)));
    Atomics.store(this.#counters, HOST_CALLS, BigInt(hostCalls));
  }

  /** A counter as a number from 0 to 2^53 - 1, whatever was written there. */
  #count(index: number): number {
    return Math.min(Math.max(Number(Atomics.load(this.#counters, index)), 0), Number.MAX_SAFE_INTEGER);
  }
}
