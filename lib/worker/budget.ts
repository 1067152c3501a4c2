/**
 * The budget of one running call: fuel, memory and time. It is what the metered code imports, and the only thing that ends a call.
 *
 * Fuel burns from slices. Each core module of the call has a counter of its own; when its slice is used up the guest calls
 * `refill`, which looks for an interrupt and the deadline, and grants the next slice or refuses. An import that refuses
 * ends the guest by a trap, and once the budget is stopped every counter stays below zero.
 */
import { ARRAY_LIMIT_BYTES } from "../component/instantiate.ts";
import type { FailureCode, FailureDetail } from "../errors.ts";
import type { ControlBlock } from "../protocol/control.ts";
import type { Limits } from "../protocol/limits.ts";
import { abortGuest } from "./abort.ts";
import { threadCpuMicroseconds } from "./cpu-clock.ts";
import { FuelCounter } from "./fuel-counter.ts";
import { MemoryAccount, PAGE_BYTES } from "./memory-account.ts";

/** Why a call was stopped from outside the guest. */
export interface Stop<C extends FailureCode = FailureCode> {
  readonly code: C;
  readonly detail: FailureDetail<C>;
}

/** Units between two looks at the interrupt flag: well under 10 ms even in the engine's interpreter. */
const SLICE = 50_000;
/** Milliseconds between two reports of the CPU time: reading it costs as much as a slice. */
const REPORT_MS = 10;
/** What a call into the host costs, in units. */
const HOST_CALL_COST = 100;
/** What it costs to make a core instance, in units. */
const INSTANCE_COST = 1000;
/** Core instances that one call may make. A component of many parts has a few dozen. */
const MOST_INSTANCES = 256;
/** What a page of new memory costs, in units: it has to be zeroed, 16 bytes a unit like any bulk operation. */
const PAGE_COST = PAGE_BYTES / 16;

/** The budget of one call. */
export class Budget {
  readonly limits: Limits;
  readonly memory: MemoryAccount;
  /** Why the call was stopped, once it was. */
  stopped: Stop | undefined;
  hostCalls = 0;
  readonly #control: ControlBlock;
  readonly #deadlineAt: number;
  readonly #cpuAtStart = threadCpuMicroseconds();
  #reportAt: number;
  readonly #counters: FuelCounter[] = [];
  /** Units used that no counter holds any more, or never held. */
  #settled = 0;
  #usedAtStop: number | undefined;

  /** @param startedAt - `performance.now()` of this Worker when the call began, in milliseconds. */
  constructor(limits: Limits, control: ControlBlock, startedAt: number) {
    this.limits = limits;
    this.memory = new MemoryAccount(limits.memoryBytes);
    this.#control = control;
    this.#deadlineAt = startedAt + limits.timeoutMs;
    this.#reportAt = startedAt + REPORT_MS;
  }

  /** Units used so far, at most the limit. */
  get fuelUsed(): number {
    return Math.min(this.#usedAtStop ?? this.#used(), this.limits.fuel);
  }

  /** Milliseconds of CPU time that this thread has spent on the call so far. */
  get cpuMs(): number {
    return (threadCpuMicroseconds() - this.#cpuAtStart) / 1000;
  }

  /** Whether the guest was ever refused memory: explains a crash that follows. */
  get memoryRefused(): boolean {
    return this.memory.wasRefused;
  }

  /** Makes the counter of one more instance. */
  addCounter(): FuelCounter {
    const counter = new FuelCounter((used) => this.#refill(used));
    this.#counters.push(counter);
    return counter;
  }

  /** Charges for a call into the host. @throws {WebAssembly.RuntimeError} that no guest can catch, when the call must end. */
  enterHost(): void {
    this.hostCalls += 1;
    this.charge(HOST_CALL_COST);
    this.checkInterrupt();
  }

  /** Charges units; whether there were enough is found out at the next check. */
  charge(units: number): void {
    this.#settled += units;
  }

  /** Looks whether the call must end, and charges nothing. @throws {WebAssembly.RuntimeError} that no guest can catch, when it must. */
  checkInterrupt(): void {
    if (!this.#mayGoOn(this.#used())) abortGuest();
  }

  /** Ends the call: from now on every check refuses. The first reason stands. */
  stop<C extends FailureCode>(code: C, detail: FailureDetail<C>): void {
    if (this.stopped !== undefined) return;
    this.#usedAtStop = this.#used();
    this.stopped = { code, detail };
    for (const counter of this.#counters) counter.exhaust();
  }

  /** Looks once more when the guest has returned, for what it used since its last check. */
  settle(): void {
    this.#mayGoOn(this.#used());
    this.#control.publishFuel(this.limits.fuel, this.fuelUsed);
    this.#publishMemory();
  }

  /** Makes the counter of the bytes of one more instance's objects. It ends the guest when they do not fit. */
  addHeap(): FuelCounter {
    return this.memory.addHeap((used) => {
      const slice = this.memory.grantHeap(used);
      this.#publishMemory();
      this.checkInterrupt();
      if (slice < 0) this.#exhaustMemory();
      return slice;
    });
  }

  /** The metered code's word that an array is larger than any may be. @throws {WebAssembly.RuntimeError} that no guest can catch, always. */
  refuseArray(): never {
    this.stop("GUEST_TRAP", { reason: `it makes an array of more than ${ARRAY_LIMIT_BYTES / 1_048_576} MiB` });
    return abortGuest();
  }

  /** Makes room for what an instance starts with, and charges for making it. @throws {WebAssembly.RuntimeError} that no guest can catch, when the call's memory would be over the limit. */
  reserve(room: { readonly pages: number; readonly tableElements: number; readonly heapBytes: number }): void {
    this.charge(INSTANCE_COST + Math.floor(room.heapBytes / 16));
    this.checkInterrupt();
    if (this.#counters.length >= MOST_INSTANCES) {
      this.stop("GUEST_TRAP", { reason: `it makes more than ${MOST_INSTANCES} core instances` });
      abortGuest();
    }
    if (!this.memory.start(room.pages * PAGE_BYTES + room.heapBytes, room.tableElements)) this.#exhaustMemory();
  }

  /** The metered code's `memory.grow`: the old size in pages, or -1. `delta` is in pages, read as unsigned. */
  grow(memory: WebAssembly.Memory, delta: number): number {
    const pages = delta >>> 0;
    this.charge(HOST_CALL_COST);
    this.checkInterrupt();
    const before = this.memory.grow(memory, pages);
    if (before !== -1) this.charge(pages * PAGE_COST);
    this.#publishMemory();
    return before;
  }

  /** The metered code's question before `table.grow`: `delta`, or -1 (more than any table can grow by) when there is no room. */
  growTable(delta: number): number {
    this.charge(HOST_CALL_COST);
    this.checkInterrupt();
    return this.memory.askTable(delta >>> 0) ? delta : -1;
  }

  /** The metered code's word on how `table.grow` went: the old size, or -1. */
  grewTable(before: number): number {
    this.charge(this.memory.grewTable(before !== -1));
    this.#publishMemory();
    return before;
  }

  #used(): number {
    let used = this.#settled;
    for (const counter of this.#counters) used += counter.used;
    return used;
  }

  /** Takes over what a counter burned, and returns its next slice; negative when the call must end. */
  #refill(used: number): number {
    this.#settled += used;
    if (!this.#mayGoOn(this.#settled)) return -1;
    return Math.min(SLICE, this.limits.fuel - this.#settled);
  }

  #mayGoOn(used: number): boolean {
    if (this.stopped !== undefined) return false;
    this.#control.publishFuel(this.limits.fuel, used);
    if (used > this.limits.fuel) this.stop("FUEL_EXHAUSTED", { fuelLimit: this.limits.fuel });
    else this.#heedInterrupt();
    return !this.#isStopped();
  }

  #heedInterrupt(): void {
    const reason = this.#control.interrupted;
    const now = performance.now();
    if (now >= this.#reportAt) this.#report(now);
    if (reason === "deadline" || (reason === undefined && now >= this.#deadlineAt)) {
      this.stop("DEADLINE_EXCEEDED", { limitMs: this.limits.timeoutMs });
    } else if (reason !== undefined) this.stop("CANCELLED", {});
  }

  /** Tells the host, for the case that it hears nothing more of this call. */
  #report(now: number): void {
    this.#reportAt = now + REPORT_MS;
    this.#control.publishEffort(this.cpuMs, this.hostCalls);
  }

  #isStopped(): boolean {
    return this.stopped !== undefined;
  }

  #exhaustMemory(): never {
    this.stop("MEMORY_EXHAUSTED", { limitBytes: this.limits.memoryBytes });
    return abortGuest();
  }

  #publishMemory(): void {
    this.#control.publishMemory(this.memory.inUseBytes, this.memory.peakBytes);
  }
}
