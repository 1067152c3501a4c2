/**
 * The budget of one running call: fuel, memory and time. It is what the metered code imports, and the only thing that ends a call.
 *
 * Each core module of the call counts down a slice of its own; when it is used up, the guest takes it off the call's fuel in the control block, and
 * traps when none is left or the host interrupts. Both without a call. Here the host charges for its own work, and finds out why the
 * guest trapped. An import that refuses ends the guest by a trap as well, and once the budget is stopped no fuel is left.
 */
import { ARRAY_LIMIT_BYTES } from "../component/instantiate.ts";
import type { FailureCode, FailureDetail } from "../errors.ts";
import { type ControlBlock, SLICE } from "../protocol/control.ts";
import type { Limits } from "../protocol/limits.ts";
import { abortGuest } from "./abort.ts";
import { threadCpuMicroseconds } from "./cpu-clock.ts";
import type { HeapCounter } from "./heap-counter.ts";
import { MemoryAccount, PAGE_BYTES } from "./memory-account.ts";

/** Why a call was stopped from outside the guest. */
export interface Stop<C extends FailureCode = FailureCode> {
  readonly code: C;
  readonly detail: FailureDetail<C>;
}

/** Milliseconds between two reports of the CPU time: reading it costs as much as a slice. */
const REPORT_MS = 10;
/** What a call into the host costs, in units. */
const HOST_CALL_COST = 100;
/** What it costs to make a core instance, in units. */
const INSTANCE_COST = 1000;
/** Core instances that one call may make. A component of many parts has a few dozen. */
const MOST_INSTANCES = 256;
/** Memories that one call may make. Each may take 4 GiB of the process's addresses. */
const MOST_MEMORIES = 64;
/** Bytes that a memory may have that is copied as a whole to grow: the copying cannot be interrupted. */
const MOST_MOVED_BYTES = 16 * 1_048_576;
/** Bytes that are zeroed or copied for a unit, as in any bulk operation. */
const BYTES_A_UNIT = 16;
/** What a page of new memory costs, in units: it has to be zeroed. */
const PAGE_COST = PAGE_BYTES / BYTES_A_UNIT;

/** The counters of an instance, by the functions that the meter exports. */
export interface InstanceFuel {
  /** Units left of its slice. */
  readonly read: () => number;
  readonly write: (left: number) => void;
  /** Bytes of stack left; negative when a call of the guest found too little. */
  readonly stack: () => number;
}

/** What an instance starts with. */
interface Room {
  /** Memories of its own. */
  readonly memories: number;
  /** Of all of them. */
  readonly pages: number;
  readonly tableElements: number;
  readonly heapBytes: number;
}

/** The budget of one call. */
export class Budget {
  readonly limits: Limits;
  readonly memory: MemoryAccount;
  /** Why the call was stopped, once it was. */
  stopped: Stop | undefined;
  hostCalls = 0;
  readonly #control: ControlBlock;
  readonly #deadlineAt: number;
  /** Microseconds of CPU time of the thread's, up to the last wait. */
  #cpuBefore = 0;
  /** What the thread's clock said when the call got the thread; undefined while it waits. */
  #cpuSince: number | undefined = threadCpuMicroseconds();
  #reportAt: number;
  readonly #fuel: InstanceFuel[] = [];
  #instances = 0;
  #memories = 0;
  #usedAtStop: number | undefined;

  /** @param startedAt - `performance.now()` of this Worker when the call began, in milliseconds. */
  constructor(limits: Limits, control: ControlBlock, startedAt: number) {
    this.limits = limits;
    this.memory = new MemoryAccount(limits.memoryBytes);
    this.#control = control;
    control.grantFuel(limits.fuel);
    this.#deadlineAt = startedAt + limits.timeoutMs;
    this.#reportAt = startedAt + REPORT_MS;
  }

  /** Units used so far, at most the limit. */
  get fuelUsed(): number {
    return Math.min(this.#usedAtStop ?? this.#used(), this.limits.fuel);
  }

  /** Milliseconds of CPU time that this thread has spent on the call so far. */
  get cpuMs(): number {
    const slice = this.#cpuSince === undefined ? 0 : threadCpuMicroseconds() - this.#cpuSince;
    return (this.#cpuBefore + slice) / 1000;
  }

  /** Whether the host has asked the call to end. */
  get isInterrupted(): boolean {
    return this.#control.interrupted !== undefined;
  }

  /** Whether the guest was ever refused memory: explains a crash that follows. */
  get memoryRefused(): boolean {
    return this.memory.wasRefused;
  }

  /** The memory in which the guest settles its fuel. */
  get signal(): WebAssembly.Memory {
    return this.#control.memory;
  }

  /** Takes over the counters of one more instance. */
  addFuel(fuel: InstanceFuel): void {
    this.#fuel.push(fuel);
    if (this.stopped !== undefined) fuel.write(-1);
  }

  /** Charges for a call into the host. @throws {WebAssembly.RuntimeError} that no guest can catch, when the call must end. */
  enterHost(): void {
    this.hostCalls += 1;
    this.charge(HOST_CALL_COST);
    this.checkInterrupt();
  }

  /** Charges units; whether there were enough is found out at the next check. */
  charge(units: number): void {
    this.#control.burnFuel(units);
  }

  /** Looks whether the call must end, and charges nothing. @throws {WebAssembly.RuntimeError} that no guest can catch, when it must. */
  checkInterrupt(): void {
    if (!this.#mayGoOn(this.#used())) abortGuest();
  }

  /** The call waits and lets the thread go: what the thread does meanwhile is not counted, and the host is told what was used so far. */
  suspend(): void {
    this.#cpuBefore = Math.round(this.cpuMs * 1000);
    this.#cpuSince = undefined;
    this.#control.publishEffort(this.cpuMs, this.hostCalls);
    this.#publishMemory();
    this.#control.suspend();
  }

  /**
   * The call has the thread again.
   *
   * @throws {WebAssembly.RuntimeError} that no guest can catch, when it must end: it was interrupted, its time is up, or the host has abandoned it.
   */
  resume(): void {
    this.#cpuSince = threadCpuMicroseconds();
    if (!this.#control.resume()) this.stop("CANCELLED", {});
    this.checkInterrupt();
  }

  /** Ends the call: from now on every check refuses. The first reason stands. */
  stop<C extends FailureCode>(code: C, detail: FailureDetail<C>): void {
    if (this.stopped !== undefined) return;
    this.#usedAtStop = this.#used();
    this.stopped = { code, detail };
    this.#control.exhaustFuel();
    for (const { write } of this.#fuel) write(-1);
  }

  /** Ends the call from inside one of its imports. @throws {WebAssembly.RuntimeError} that no guest can catch, always. */
  end<C extends FailureCode>(code: C, detail: FailureDetail<C>): never {
    this.stop(code, detail);
    return abortGuest();
  }

  /** Looks once more when the guest has returned, for what it used since its last check. */
  settle(): void {
    if (this.#fuel.some(({ stack }) => stack() < 0)) this.stop("STACK_OVERFLOW", {});
    this.#mayGoOn(this.#used());
    this.#publishMemory();
  }

  /** Makes the counter of the bytes of one more instance's objects. It ends the guest when they do not fit. */
  addHeap(): HeapCounter {
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
  reserve(room: Room): void {
    this.charge(INSTANCE_COST + Math.floor(room.heapBytes / 16));
    this.checkInterrupt();
    this.#instances += 1;
    if (this.#instances > MOST_INSTANCES) {
      this.stop("GUEST_TRAP", { reason: `it makes more than ${MOST_INSTANCES} core instances` });
      abortGuest();
    }
    this.#memories += room.memories;
    if (this.#memories > MOST_MEMORIES) {
      this.stop("GUEST_TRAP", { reason: `it makes more than ${MOST_MEMORIES} memories` });
      abortGuest();
    }
    if (!this.memory.start(room.pages * PAGE_BYTES + room.heapBytes, room.tableElements)) this.#exhaustMemory();
  }

  /**
   * The metered code's `memory.grow`: the old size in pages, or -1.
   *
   * @param delta - Pages, read as unsigned.
   * @param mayMove - Whether the engine may have to copy what the memory holds: that is paid for, and bounded.
   */
  grow(memory: WebAssembly.Memory, delta: number, mayMove = false): number {
    const pages = delta >>> 0;
    const held = mayMove && pages > 0 ? memory.buffer.byteLength : 0;
    this.charge(HOST_CALL_COST + held / BYTES_A_UNIT);
    this.checkInterrupt();
    if (mayMove && held + pages * PAGE_BYTES > MOST_MOVED_BYTES) return -1;
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
    let used = this.limits.fuel - this.#control.fuelLeft;
    for (const { read } of this.#fuel) used += SLICE - read();
    return used;
  }

  #mayGoOn(used: number): boolean {
    if (this.stopped !== undefined) return false;
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
