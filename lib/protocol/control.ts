/**
 * The control block of a call: shared memory by which the host interrupts a call, from which the metered code takes its fuel, and in which
 * the Worker tells how far the call got. Both sides touch it only through Atomics; the guest's code settles its fuel there without, on the
 * Worker's thread. The host takes what it reads there as a claim.
 *
 * Layout: what `wasm/signal.ts` says; then int32 at 16 state, int64 at 24 fuel granted, at 32 memory in use, at 40 peak memory, at 48 start in
 * microseconds, at 56 CPU time in microseconds, at 64 host calls.
 */
import { SIGNAL, STACK_BYTES } from "../wasm/signal.ts";

export { SLICE } from "../wasm/signal.ts";

/** Why a call is interrupted. Several may fall together: the first one stands. */
export type InterruptReason = "cancelled" | "deadline" | "shutdown";

/**
 * How far a call is. The Worker sets `running` when the call's own clock starts, `suspended` while it waits in a host call and the thread is
 * others' meanwhile, `settled` when only its answer is left to send. The host sets `abandoned` on a call that does not have the thread, and
 * from then on the call may not have it any more.
 */
export type CallState = "waiting" | "running" | "settled" | "suspended" | "abandoned";

const REASONS: readonly InterruptReason[] = ["cancelled", "deadline", "shutdown"];
const STATES: readonly CallState[] = ["waiting", "running", "settled", "suspended", "abandoned"];
const BYTES = 72;
const INTERRUPT = SIGNAL.interrupt / 4;
const FUEL_LEFT = SIGNAL.fuelLeft / 8;
const STACK_LEFT = SIGNAL.stackLeft / 4;
const STATE = 4;
const FUEL_GRANTED = 3;
const MEMORY_IN_USE = 4;
const PEAK_MEMORY = 5;
const STARTED_AT = 6;
const CPU_TIME = 7;
const HOST_CALLS = 8;
/** No fuel, whatever is given back. */
const EXHAUSTED = -(2n ** 62n);

/** Tells the time by a clock that host and Worker share, in milliseconds since the Unix epoch. It never goes back. */
export function clockMs(): number {
  return performance.timeOrigin + performance.now();
}

/** One side's view of a control block. */
export class ControlBlock {
  /** A shared memory of one page: metered modules import it. */
  readonly memory: WebAssembly.Memory;
  readonly #words: Int32Array;
  readonly #counters: BigInt64Array;

  /** @param memory - A block of the other side; without one a new block is made, in about a millisecond. */
  constructor(memory: WebAssembly.Memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })) {
    this.memory = memory;
    this.#words = new Int32Array(memory.buffer, 0, BYTES / 4);
    this.#counters = new BigInt64Array(memory.buffer, 0, BYTES / 8);
  }

  /** Makes it as new, for the next call. Only when nobody else has it any more. */
  reset(): void {
    for (let word = 0; word < this.#words.length; word++) Atomics.store(this.#words, word, 0);
  }

  /** Asks the call to end. A reason that is already there stays. */
  interrupt(reason: InterruptReason): void {
    Atomics.compareExchange(this.#words, INTERRUPT, 0, -1 - REASONS.indexOf(reason));
    Atomics.notify(this.#words, INTERRUPT);
  }

  /** Why the call was asked to end, if it was. */
  get interrupted(): InterruptReason | undefined {
    return REASONS[-1 - Atomics.load(this.#words, INTERRUPT)];
  }

  get state(): CallState {
    return STATES[Atomics.load(this.#words, STATE)] ?? "waiting";
  }

  /** Worker: starts on the call, and notes the time. @returns False when the host has abandoned it: then it may not run. */
  begin(): boolean {
    Atomics.store(this.#counters, STARTED_AT, BigInt(Math.round(clockMs() * 1000)));
    if (this.#move("waiting", "running")) return true;
    Atomics.store(this.#counters, STARTED_AT, 0n);
    return false;
  }

  /** Worker: the call waits, and lets the thread go. */
  suspend(): void {
    this.#move("running", "suspended");
  }

  /** Worker: the call has the thread again. @returns False when the host has abandoned it meanwhile: then it may not go on. */
  resume(): boolean {
    return this.#move("suspended", "running");
  }

  /** Worker: only the answer is left to send. An abandoned call stays that. */
  settle(): void {
    this.#move("running", "settled");
  }

  /**
   * Host: waits no longer for a call that does not have the thread. Interrupt it before, for the Worker ends it by that.
   *
   * @returns Whether it is abandoned by this. A call that runs or has settled cannot be.
   */
  abandon(): boolean {
    return this.#move("suspended", "abandoned") || this.#move("waiting", "abandoned");
  }

  /** When the call's own clock started, by {@link clockMs}; undefined when the Worker has not started on it. */
  get startedAtMs(): number | undefined {
    const startedAt = this.#count(STARTED_AT);
    return startedAt === 0 || this.state === "waiting" ? undefined : startedAt / 1000;
  }

  /** Units of fuel that have been settled. */
  get fuelUsed(): number {
    const left = Atomics.load(this.#counters, FUEL_LEFT);
    return Math.max(this.#count(FUEL_GRANTED) - Math.max(Number(left), 0), 0);
  }

  /** Units of fuel that are left, but for what modules have not settled yet; negative when more was used than granted. */
  get fuelLeft(): number {
    return Number(Atomics.load(this.#counters, FUEL_LEFT));
  }

  /** Bytes, as last published. */
  get memoryInUseBytes(): number {
    return this.#count(MEMORY_IN_USE);
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

  /** Gives the call its fuel, in units, and its stack. */
  grantFuel(units: number): void {
    Atomics.store(this.#counters, FUEL_GRANTED, BigInt(units));
    Atomics.store(this.#counters, FUEL_LEFT, BigInt(units));
    Atomics.store(this.#words, STACK_LEFT, STACK_BYTES);
  }

  /** Takes units off the call's fuel: what the host charges. */
  burnFuel(units: number): void {
    Atomics.sub(this.#counters, FUEL_LEFT, BigInt(units));
  }

  /** Leaves the call without fuel: the guest traps where it settles next. */
  exhaustFuel(): void {
    Atomics.store(this.#counters, FUEL_LEFT, EXHAUSTED);
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

  /** Changes the state in one step, so that of two sides only one can. */
  #move(from: CallState, to: CallState): boolean {
    const before = STATES.indexOf(from);
    return Atomics.compareExchange(this.#words, STATE, before, STATES.indexOf(to)) === before;
  }

  /** A counter as a number from 0 to 2^53 - 1, whatever was written there. */
  #count(index: number): number {
    return Math.min(Math.max(Number(Atomics.load(this.#counters, index)), 0), Number.MAX_SAFE_INTEGER);
  }
}
