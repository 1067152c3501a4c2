/**
 * The budget of one running call: fuel, memory and time. It is what the metered code imports, and the only thing that ends a call.
 *
 * Fuel burns from a slice in a mutable global that all core modules of the call share. When the slice is used up the guest calls
 * `refill`, which looks for an interrupt and the deadline, and grants the next slice or refuses. Once the budget is stopped the counter
 * stays below zero: a guest that catches the exception of a refused import traps at its next check.
 */
import type { FailureCode, FailureDetail } from "../errors.ts";
import type { ControlBlock } from "../protocol/control.ts";
import type { Limits } from "../protocol/limits.ts";

/** Why a call was stopped from outside the guest. */
export interface Stop<C extends FailureCode = FailureCode> {
  readonly code: C;
  readonly detail: FailureDetail<C>;
}

/** Thrown through the guest when an import refuses. What it means is in the budget's `stopped`. */
export class StopSignal extends Error {}

/** Units between two looks at the interrupt flag: well under 10 ms even in the engine's interpreter. */
const SLICE = 50_000;
/** What a call into the host costs, in units. */
const HOST_CALL_COST = 100;
const PAGE_BYTES = 65_536;
/** What a page of new memory costs, in units: it has to be zeroed, 16 bytes a unit like any bulk operation. */
const PAGE_COST = PAGE_BYTES / 16;
/** What an element of a table counts as, in bytes. */
const ELEMENT_BYTES = 8;
/** More code units than a copy can have without leaving its memory are charged as this many: the counter cannot wrap. */
const LONGEST_COPY = 2 ** 29;
const REFUSED = -1;

/** The budget of one call. */
export class Budget {
  /** The counter that the guest's code burns from. */
  readonly fuel: WebAssembly.Global;
  readonly limits: Limits;
  /** Why the call was stopped, once it was. */
  stopped: Stop | undefined;
  /** Whether the guest was ever refused memory: explains a crash that follows. */
  memoryRefused = false;
  hostCalls = 0;
  peakMemoryBytes = 0;
  readonly #control: ControlBlock;
  readonly #deadlineAt: number;
  readonly #memories = new Set<WebAssembly.Memory>();
  #tableElements = 0;
  #granted: number;
  #usedAtStop: number | undefined;

  /** @param startedAt - `performance.now()` of this Worker when the call began, in milliseconds. */
  constructor(limits: Limits, control: ControlBlock, startedAt: number) {
    this.limits = limits;
    this.#control = control;
    this.#deadlineAt = startedAt + limits.timeoutMs;
    this.#granted = Math.min(SLICE, limits.fuel);
    this.fuel = new WebAssembly.Global({ value: "i32", mutable: true }, this.#granted);
  }

  /** Units used so far, at most the limit. */
  get fuelUsed(): number {
    return Math.min(this.#usedAtStop ?? this.#granted - this.#left(), this.limits.fuel);
  }

  /** The metered code's import `refill`: 0 when the call must end. */
  refill(): number {
    return this.#mayGoOn() ? 1 : 0;
  }

  /** Charges for a call into the host. @throws {StopSignal} when the call must end. */
  enterHost(): void {
    this.hostCalls += 1;
    this.#charge(HOST_CALL_COST);
    this.checkInterrupt();
  }

  /**
   * Charges for a string that the host copies between two parts of the guest, one unit for each code unit.
   *
   * @param length - Code units, 0 to 2^32 - 1; more than a memory can hold counts as what it can.
   * @throws {StopSignal} when the call must end.
   */
  enterCopy(length: number): void {
    this.#charge(Math.min(length, LONGEST_COPY));
    this.enterHost();
  }

  /** Looks whether the call must end, and charges nothing. @throws {StopSignal} when it must. */
  checkInterrupt(): void {
    if (!this.#mayGoOn()) throw new StopSignal();
  }

  /** Ends the call: from now on every check refuses. The first reason stands. */
  stop<C extends FailureCode>(code: C, detail: FailureDetail<C>): void {
    this.#usedAtStop ??= this.#granted - this.#left();
    this.stopped ??= { code, detail };
    this.fuel.value = REFUSED;
  }

  /** Looks once more when the guest has returned, for what it used since its last check. */
  settle(): void {
    this.#mayGoOn();
    this.#control.publishFuel(this.#granted, this.fuelUsed);
  }

  /** Looks whether a new memory fits, before it is made. @throws {StopSignal} when everything together is over the limit. */
  reserve(pages: number): void {
    if (!this.#hasRoom(pages * PAGE_BYTES)) this.#refuseMemory();
  }

  /** Makes a memory of the call count. */
  addMemory(memory: WebAssembly.Memory): void {
    this.#memories.add(memory);
    this.#account();
  }

  /** Makes the elements of new tables count. @throws {StopSignal} when everything together is over the limit. */
  addTableElements(elements: number): void {
    if (!this.#hasRoom(elements * ELEMENT_BYTES)) this.#refuseMemory();
    this.#tableElements += elements;
    this.#account();
  }

  /** The metered code's `memory.grow`: the old size in pages, or -1. `delta` is in pages, read as unsigned. */
  grow(memory: WebAssembly.Memory, delta: number): number {
    const pages = delta >>> 0;
    this.#charge(HOST_CALL_COST);
    if (!this.#hasRoom(pages * PAGE_BYTES)) return REFUSED;
    try {
      const before = memory.grow(pages);
      this.#charge(pages * PAGE_COST);
      this.#account();
      return before;
    } catch (error) {
      if (error instanceof RangeError) return REFUSED;
      throw error;
    }
  }

  /** The metered code's look before `table.grow`: `delta`, or -1 (more than any table can grow by) when there is no room. */
  growTable(delta: number): number {
    const elements = delta >>> 0;
    this.#charge(HOST_CALL_COST);
    if (!this.#hasRoom(elements * ELEMENT_BYTES)) return REFUSED;
    this.#tableElements += elements;
    this.#charge(elements);
    this.#account();
    return delta;
  }

  #left(): number {
    return Number(this.fuel.value);
  }

  /** At most 2^29 units at once and, by the memory limit, 2^30 between two checks: the 32-bit counter cannot wrap. */
  #charge(units: number): void {
    if (this.stopped === undefined) this.fuel.value = this.#left() - units;
  }

  #mayGoOn(): boolean {
    if (this.stopped !== undefined) return false;
    const left = this.#left();
    const used = this.#granted - left;
    this.#findReason(used);
    if (this.#isStopped()) return false;
    if (left < 0) {
      this.#granted = Math.min(this.limits.fuel, used + SLICE);
      this.fuel.value = this.#granted - used;
    }
    this.#control.publishFuel(this.#granted, used);
    return true;
  }

  #findReason(used: number): void {
    if (used > this.limits.fuel) return this.stop("FUEL_EXHAUSTED", { fuelLimit: this.limits.fuel });
    const reason = this.#control.interrupted;
    if (reason === "cancelled" || reason === "shutdown") return this.stop("CANCELLED", {});
    if (reason === "deadline" || performance.now() >= this.#deadlineAt) {
      this.stop("DEADLINE_EXCEEDED", { limitMs: this.limits.timeoutMs });
    }
  }

  #isStopped(): boolean {
    return this.stopped !== undefined;
  }

  #inUse(): number {
    let bytes = this.#tableElements * ELEMENT_BYTES;
    for (const memory of this.#memories) bytes += memory.buffer.byteLength;
    return bytes;
  }

  #hasRoom(bytes: number): boolean {
    if (this.#inUse() + bytes <= this.limits.memoryBytes) return true;
    this.memoryRefused = true;
    return false;
  }

  #account(): void {
    const inUse = this.#inUse();
    this.peakMemoryBytes = Math.max(this.peakMemoryBytes, inUse);
    this.#control.publishMemory(inUse, this.peakMemoryBytes);
  }

  #refuseMemory(): never {
    this.stop("MEMORY_EXHAUSTED", { limitBytes: this.limits.memoryBytes });
    throw new StopSignal();
  }
}
