/**
 * What lifting and lowering work with: one side's memory, allocator and handles, and the call that pays.
 *
 * Source: WebAssembly Component Model, CanonicalABI.md, `LiftLowerContext`.
 */
import type { Handle, Handles, Scope } from "./handles.ts";
import type { ResourceId } from "../../schema/value-type.ts";

/** What core code takes and gives. */
export type CoreValue = number | bigint;

/** A core function, as JavaScript calls it. */
export type CoreCallable = (...values: CoreValue[]) => unknown;

/** How the guest's text is encoded. */
export type Encoding = "utf8" | "utf16" | "latin1+utf16";

/** What the linker needs of the call that it works for. */
export interface Payer {
  /** The component instance that defines a resource; undefined for the host's. */
  definerOf(resource: ResourceId): number | undefined;
  /** Charges for bytes that are copied or looked through. Ends nothing itself. */
  chargeBytes(count: number): void;
  /** Ends the call because the guest broke a rule. @param reason - In words that an agent can read. */
  trap(reason: string): never;
  /** Ends the call because a function returned more than {@link LIFT_LIMIT_BYTES}. */
  refuseResult(bytes: number): never;
}

/** A component instance: its handles, and whether it may be entered and left. */
export interface ComponentInstance {
  /** Its number in the plan. */
  readonly number: number;
  readonly handles: Handles;
  /** What runs of it that may call no import: its allocator, or a post-return function. */
  busy: "from its allocator" | "after it had returned" | undefined;
  /** Whether one of its exports runs. */
  isEntered: boolean;
}

/** Most bytes that one call of a function may copy out of a guest: 4 MiB. Views are not copies. */
export const LIFT_LIMIT_BYTES: number = 4_194_304;

/**
 * Where the values go that are lifted: to a function of the host's, to another component, or to whoever made the call. Only the host gets
 * views of the guest's memory, and it uses them at once.
 */
export type Destination = "host" | "guest" | "result";

/** One use of canonical options: a single call of a lifted or lowered function. */
export class Context {
  readonly payer: Payer;
  readonly instance: ComponentInstance;
  readonly encoding: Encoding;
  /** Where what is lifted goes. */
  readonly destination: Destination;
  readonly #memory: WebAssembly.Memory | undefined;
  readonly #realloc: CoreCallable | undefined;
  /** Handles that the guest was lent. */
  readonly scope: Scope = { borrowed: 0 };
  #view: DataView | undefined;
  #copiedBytes = 0;
  #lent: Handle[] | undefined;

  constructor(side: Side, payer: Payer, destination: Destination) {
    this.payer = payer;
    this.instance = side.instance;
    this.encoding = side.encoding;
    this.destination = destination;
    this.#memory = side.memory;
    this.#realloc = side.realloc;
  }

  /** The guest's memory. To be asked for again after anything of the guest has run: growing detaches it. */
  get view(): DataView {
    const { buffer } = this.#memory ?? this.payer.trap("it passes values in a memory that it does not have");
    if (this.#view?.buffer !== buffer) this.#view = new DataView(buffer);
    return this.#view;
  }

  /** Checks that a part of memory is there and aligned. @returns `at`. */
  check(at: number, size: number, align: number): number {
    if (at % align !== 0) this.payer.trap("it broke the component ABI: an address that is not aligned");
    if (at + size > this.view.byteLength)
      this.payer.trap("it broke the component ABI: an address or a length outside its memory");
    return at;
  }

  /** A part of memory, as a view. Who reads it or writes it pays. */
  bytes(at: number, size: number): Uint8Array {
    this.check(at, size, 1);
    return new Uint8Array(this.view.buffer, at, size);
  }

  /** Counts bytes that are copied out of the guest, or stand for the room that a value takes here. */
  count(bytes: number): void {
    this.#copiedBytes += bytes;
    // Not written the other way round: what is no number is too much.
    if (!(this.#copiedBytes <= LIFT_LIMIT_BYTES)) this.#refuseCopies();
    this.payer.chargeBytes(bytes);
  }

  /**
   * Asks the guest for memory. Runs the guest's code, which may not call out meanwhile.
   *
   * Source: CanonicalABI.md, `may_leave` is false while `realloc` runs.
   */
  allocate(size: number, align: number): number {
    const realloc = this.#realloc ?? this.payer.trap("it takes values and has no allocator for them");
    this.payer.chargeBytes(size);
    this.instance.busy = "from its allocator";
    const at = Number(realloc(0, 0, align, size)) >>> 0;
    this.instance.busy = undefined;
    return this.check(at, size, align);
  }

  /** Notes that a handle is lent for as long as the function runs. */
  lend(handle: Handle): void {
    handle.lent += 1;
    (this.#lent ??= []).push(handle);
  }

  /** The function has ended: what was lent is given back. */
  giveBack(): void {
    for (const handle of this.#lent ?? []) handle.lent -= 1;
  }

  /** Whether the guest defines a resource itself. */
  defines(resource: ResourceId): boolean {
    return this.payer.definerOf(resource) === this.instance.number;
  }

  /** Ends the call because a value is none of its type. */
  refuse(what: string): never {
    return this.payer.trap(`it broke the component ABI: ${what}`);
  }

  #refuseCopies(): never {
    if (this.destination === "result") this.payer.refuseResult(this.#copiedBytes);
    return this.payer.trap(`it passes more than ${LIFT_LIMIT_BYTES / 1_048_576} MiB in one call of a function`);
  }
}

/** Canonical options, resolved for one instance. */
export interface Side {
  readonly instance: ComponentInstance;
  readonly memory: WebAssembly.Memory | undefined;
  readonly realloc: CoreCallable | undefined;
  readonly encoding: Encoding;
}
