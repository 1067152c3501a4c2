/**
 * One call's share of the WASI host: its context, its clock, and how many handles it holds. The guest's side of the trust
 * boundary.
 *
 * A component names the types of its imports itself, and jco's glue does not compare them with WASI's. So nothing here
 * relies on an argument's type, and nothing that a guest can name reaches more than WASI's own functions.
 */
import type { CallContext } from "../context.ts";

/** Resources that one call may hold at once. */
export const HANDLE_LIMIT: number = 4096;

/** Nanoseconds in a tick of the guest's clocks, 1 ms: a finer clock lets a guest time what it may not see. */
export const TICK_NS: bigint = 1_000_000n;

/** The largest `u64`. */
const U64_MAX = 0xffff_ffff_ffff_ffffn;

/** Bytes that one unit of fuel pays for, as in bulk operations of guests. */
const BYTES_A_UNIT = 16;

/** The reading that a call's monotonic clock starts from, 1 s: some runtimes (Go's) refuse a clock that reads zero. */
const CLOCK_ORIGIN_MS = 1000;

/** An interface as the glue sees it: functions by camelCase name, resources by PascalCase name. */
export type Interface = Readonly<Record<string, unknown>>;

/** Makes an interface for one call. Runs when the glue first asks for it. */
export type InterfaceFactory = (host: Host) => Interface;

/** What the imports of one call share. Nothing of it outlives the call. */
export class Host {
  /** The call that is served. */
  readonly context: CallContext;
  /** Whether the guest's allocator runs for the host. */
  isAllocating = false;
  readonly #startedMs: number = performance.now();
  readonly #prototypes = new Map<object, object>();
  /** By number. Numbers are used again, so that nothing grows with how many resources a call has had. */
  readonly #resources: (object | undefined)[] = [undefined];
  readonly #free: number[] = [];

  constructor(context: CallContext) {
    this.context = context;
  }

  /**
   * Lets the guest's allocator run. It may call no import meanwhile: each level of such calls would hold a result of the host's that no
   * limit counts.
   *
   * Source: Component Model, CanonicalABI.md, `may_leave` is false while `realloc` runs.
   */
  allocating<T>(allocate: () => T): T {
    this.isAllocating = true;
    try {
      return allocate();
    } finally {
      this.isAllocating = false;
    }
  }

  /**
   * Reads the call's monotonic clock.
   *
   * @returns Nanoseconds, a multiple of {@link TICK_NS}, rounded down; the origin is the start of the call.
   *
   * Source: W3C High Resolution Time §4: `performance.now` never goes back.
   */
  now(): bigint {
    return BigInt(Math.floor(performance.now() - this.#startedMs) + CLOCK_ORIGIN_MS) * TICK_NS;
  }

  /**
   * Counts a new resource; traps when the call holds {@link HANDLE_LIMIT} already.
   *
   * @returns Its number, from 1: what the glue's tables of handles hold.
   */
  hold(resource: object): number {
    const number = this.#free.pop() ?? this.#resources.length;
    if (number > HANDLE_LIMIT) this.context.trap(`it holds more than ${HANDLE_LIMIT} handles`);
    this.#resources[number] = resource;
    return number;
  }

  /** Forgets a resource that was dropped. */
  release(number: number): void {
    this.#resources[number] = undefined;
    this.#free.push(number);
  }

  /** Finds a resource that the call holds. */
  resourceAt(number: number): object | undefined {
    return this.#resources[number];
  }

  /** Charges for bytes that an import is given or gives. */
  chargeBytes(length: number): void {
    this.context.charge(Math.ceil(length / BYTES_A_UNIT));
  }

  /**
   * Gives the prototype that this call's objects of a class have.
   *
   * @param base - The class's own prototype.
   * @param make - Makes it, once for the call.
   */
  prototypeOf(base: object, make: () => object): object {
    const known = this.#prototypes.get(base);
    if (known !== undefined) return known;
    const made = make();
    this.#prototypes.set(base, made);
    return made;
  }

  /**
   * Checks that an argument is a `u64`.
   *
   * @param value - What the glue passed: of any type, when the component declared the function with another.
   * @param name - The function, for the trap's reason.
   */
  takeU64(value: unknown, name: string): bigint {
    return typeof value === "bigint" && value >= 0n && value <= U64_MAX ? value : this.trapType(name);
  }

  /** Traps because a function was declared, and called, with types that it does not have. */
  trapType(name: string): never {
    return this.context.trap(`it called ${name} with arguments of the wrong type`);
  }
}
