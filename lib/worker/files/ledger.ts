/**
 * Keeps a directory within its quota, however many calls of however many processes change it at once. What it holds is written down beside it, in a
 * file that the guest does not see, under that file's lock: each change takes the lock, is made, and is written down. The guest's side of the trust
 * boundary.
 *
 * A process that dies in the middle of a change leaves a mark, and who comes next counts anew. So does the first change of a call when
 * the last count is older than a minute, and whoever would be refused: what others changed by hand is not forgotten for good.
 */
import { readSync, writeSync } from "node:fs";
import type { Quota } from "../../policy/policy.ts";
import { usageRecordPath } from "../../policy/usage-record.ts";
import { openAmbientRecord } from "./ambient.ts";
import { closeDescriptor } from "./close.ts";
import { attempt, FileError } from "./error.ts";
import type { System } from "./system.ts";
import { countUsage, type Usage } from "./usage.ts";

/** How long a count is believed by calls that begin. */
const COUNT_AGE_MS = 60_000;
/** A refusal makes the directory be counted anew, but not more often. */
const RECOUNT_AGE_MS = 1000;
/** Waiting for the lock keeps the Worker from everything else: it must answer an interrupt within 250 ms. */
const LOCK_WAIT_MS = 150;

/** Each try to take the lock waits a bit longer than the one before, up to this. */
const LOCK_PAUSE_MS = 1;

/** "kamiuse1", the first word of a record: those of another version of KAMI's are counted anew. */
const MAGIC = 0x31_65_73_75_69_6d_61_6bn;
const CLEAN = 0n;
const CHANGING = 1n;
const neverNotified = new Int32Array(new SharedArrayBuffer(4));

/** What the directory held when it was last written down. */
interface Record {
  readonly usage: Usage;
  /** When all of it was last counted, in milliseconds since 1970. */
  readonly countedMs: number;
}

/** The directory that is kept within its quota. */
export interface Ruled {
  /** The record lies beside it. */
  readonly hostPath: string;
  readonly quota: Quota;
  /** Gives the open directory. */
  readonly root: () => number;
  /** Bytes that this call keeps from being freed: of files that were deleted while it has them open. */
  readonly heldBytes: () => number;
}

/** What a change takes and gives, while the directory is locked. */
export interface Balance {
  /** Takes room; to be called once, in front of what needs it. @throws {FileError} `quota` when there is not enough. */
  take(demand: Usage): void;
  /** Gives room back. */
  give(freed: Usage): void;
}

/** A directory without a quota. */
export const UNRULED: Balance = { take: () => undefined, give: () => undefined };

/** A directory under a quota, for one call. */
export class Ledger implements Disposable {
  readonly #system: System;
  readonly #ruled: Ruled;
  readonly #words = new BigUint64Array(5);
  readonly #bytes = new Uint8Array(this.#words.buffer);
  #fd: number | undefined;
  /** Whether this call has seen how old the count is. */
  #isTrusted = false;

  constructor(system: System, ruled: Ruled) {
    this.#system = system;
    this.#ruled = ruled;
  }

  /**
   * Changes the directory while nobody else under the same quota does.
   *
   * @param act - Throws only when it has changed nothing.
   * @throws {FileError} `quota`; `busy` when others keep the lock for too long.
   */
  change<T>(act: (balance: Balance) => T): T {
    const fd = this.#open();
    this.#lock(fd);
    try {
      const account = new Account(this.#read(fd) ?? this.#count(), this.#ruled, () => this.#count());
      this.#write(fd, account.record, CHANGING);
      try {
        return act(account);
      } catch (error) {
        account.undo();
        throw error;
      } finally {
        this.#write(fd, account.record, CLEAN);
      }
    } finally {
      this.#system.unlock(fd);
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeDescriptor(this.#fd);
    this.#fd = undefined;
  }

  #open(): number {
    this.#fd ??= openAmbientRecord(usageRecordPath(this.#ruled.hostPath));
    return this.#fd;
  }

  #lock(fd: number): void {
    const startedMs = performance.now();
    for (let pauseMs = LOCK_PAUSE_MS / 32; !this.#system.lock(fd); pauseMs = Math.min(2 * pauseMs, LOCK_PAUSE_MS)) {
      if (performance.now() - startedMs > LOCK_WAIT_MS) throw new FileError("busy");
      Atomics.wait(neverNotified, 0, 0, pauseMs);
    }
  }

  /** @returns Undefined when the directory must be counted. */
  #read(fd: number): Record | undefined {
    const length = attempt(() => readSync(fd, this.#bytes, 0, this.#bytes.length, 0));
    const [magic, state, bytes, files, countedMs] = [...this.#words].map((word, n) => (n < 2 ? word : Number(word)));
    if (length < this.#bytes.length || magic !== MAGIC || state !== CLEAN) return undefined;
    const record = { usage: { bytes: Number(bytes), files: Number(files) }, countedMs: Number(countedMs) };
    const ageMs = Date.now() - record.countedMs;
    if (!this.#isTrusted && !(ageMs >= 0 && ageMs < COUNT_AGE_MS)) return undefined;
    this.#isTrusted = true;
    return record;
  }

  #write(fd: number, { usage, countedMs }: Record, state: bigint): void {
    this.#words.set([MAGIC, state, BigInt(usage.bytes), BigInt(usage.files), BigInt(countedMs)]);
    attempt(() => writeSync(fd, this.#bytes, 0, this.#bytes.length, 0));
  }

  #count(): Record {
    this.#isTrusted = true;
    return { usage: countUsage(this.#system, this.#ruled.root()), countedMs: Date.now() };
  }
}

class Account implements Balance {
  record: Record;
  #counted: Record;
  readonly #ruled: Ruled;
  readonly #recount: () => Record;

  constructor(record: Record, ruled: Ruled, recount: () => Record) {
    this.record = record;
    this.#counted = record;
    this.#ruled = ruled;
    this.#recount = recount;
  }

  take(demand: Usage): void {
    if (!this.#hasRoom(demand) && Date.now() - this.record.countedMs > RECOUNT_AGE_MS) {
      this.#counted = this.#recount();
      this.record = this.#counted;
    }
    if (!this.#hasRoom(demand)) throw new FileError("quota");
    this.#add(demand.bytes, demand.files);
  }

  give(freed: Usage): void {
    this.#add(-freed.bytes, -freed.files);
  }

  /** What was to be changed was not. */
  undo(): void {
    this.record = this.#counted;
  }

  /** What takes nothing always has room, also in a directory that holds too much already. */
  #hasRoom(demand: Usage): boolean {
    const { usage } = this.record;
    const { quota, heldBytes } = this.#ruled;
    if (demand.files > 0 && usage.files + demand.files > quota.files) return false;
    return demand.bytes <= 0 || usage.bytes + heldBytes() + demand.bytes <= quota.bytes;
  }

  #add(bytes: number, files: number): void {
    const { usage, countedMs } = this.record;
    this.record = {
      usage: { bytes: Math.max(0, usage.bytes + bytes), files: Math.max(0, usage.files + files) },
      countedMs,
    };
  }
}
