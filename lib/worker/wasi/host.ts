/**
 * One call's share of the WASI host: its policy, its clock, what it holds, and what must be released when it ends. The guest's side of the
 * trust boundary.
 */
import type { HostFunction, HostInterface } from "../../component/link/host.ts";
import type { Policy } from "../../policy/policy.ts";
import type { CallContext } from "../context.ts";
import { Requests } from "../net/http/rehearsal.ts";
import type { Resource } from "./resource.ts";

/** Resources that one call may hold at once. */
export const HANDLE_LIMIT: number = 4096;

/** Bytes that one call may have in the buffers of its streams, bodies and sockets, all together: 16 MiB. */
export const BUFFER_LIMIT_BYTES: number = 16_777_216;

/** Bytes that one unit of fuel pays for, as in bulk operations of guests. */
const BYTES_A_UNIT = 16;

/** The reading that a call's monotonic clock starts from, 1 s: some runtimes (Go's) refuse a clock that reads zero. */
const CLOCK_ORIGIN_NS = 1_000_000_000;

/** An interface of WASI's, as this host serves it. */
export type WasiInterface = HostInterface<Host>;

/** The functions of an interface, by WIT name. */
export type Functions = Readonly<Record<string, HostFunction<Host>>>;

/** Makes an interface. @param resources - WIT names of its resources. */
export function serve(name: string, functions: Functions, resources: readonly string[] = []): WasiInterface {
  return { name, functions: new Map(Object.entries(functions)), resources: new Set(resources) };
}

/** What the imports of one call share. Nothing of it outlives the call. */
export class Host implements Disposable {
  readonly context: CallContext;
  readonly policy: Policy;
  /** The call's HTTP requests, when they are rehearsed. */
  readonly rehearsed: Requests | undefined;
  readonly #startedMs: number = performance.now();
  readonly #resources = new Set<Resource>();
  readonly #cleanups = new Set<() => void>();
  #bufferedBytes = 0;
  #ending: AbortController | undefined;
  #isEnded = false;

  constructor(context: CallContext, policy: Policy) {
    this.context = context;
    this.policy = policy;
    this.rehearsed = policy.rehearsal && new Requests(policy.rehearsal);
  }

  /** Aborted when the call ends, however it ends: what works for the call beside it must end then. */
  get signal(): AbortSignal {
    this.#ending ??= new AbortController();
    if (this.#isEnded) this.#ending.abort();
    return this.#ending.signal;
  }

  /** How many resources the call holds. */
  get handles(): number {
    return this.#resources.size;
  }

  /**
   * Reads the call's monotonic clock.
   *
   * @returns Nanoseconds, a multiple of the policy's tick, rounded down; the origin is the start of the call.
   *
   * Source: W3C High Resolution Time §4: `performance.now` never goes back.
   */
  now(): bigint {
    const ns = (performance.now() - this.#startedMs) * 1e6 + CLOCK_ORIGIN_NS;
    return BigInt(Math.floor(ns / this.policy.clockTickNs) * this.policy.clockTickNs);
  }

  /** Counts a new resource; traps when the call holds {@link HANDLE_LIMIT} already. */
  hold(resource: Resource): void {
    if (this.#resources.size >= HANDLE_LIMIT) this.context.trap(`it holds more than ${HANDLE_LIMIT} handles`);
    this.#resources.add(resource);
  }

  /** Forgets a resource that was dropped. */
  release(resource: Resource): void {
    this.#resources.delete(resource);
  }

  /**
   * Takes room for bytes that are kept for the guest beside its memory.
   *
   * @returns False when the call has no such room: wait until some is given back, or fail.
   */
  takeBuffer(size: number): boolean {
    if (this.#bufferedBytes + size > BUFFER_LIMIT_BYTES) return false;
    this.#bufferedBytes += size;
    return true;
  }

  /** Gives room back. */
  giveBuffer(size: number): void {
    this.#bufferedBytes -= size;
  }

  /**
   * Has something done when the call ends, if it has not been done before.
   *
   * @param cleanup - Must not throw, and not wait.
   * @returns Takes it back.
   */
  atEnd(cleanup: () => void): () => void {
    this.#cleanups.add(cleanup);
    return () => void this.#cleanups.delete(cleanup);
  }

  /** Charges for bytes that an import is given or gives. */
  chargeBytes(length: number): void {
    this.context.charge(Math.ceil(length / BYTES_A_UNIT));
  }

  /** Ends all that the call still has: the newest first. */
  [Symbol.dispose](): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#ending?.abort();
    for (const resource of [...this.#resources].toReversed()) resource.end();
    for (const cleanup of [...this.#cleanups].toReversed()) cleanup();
    this.#resources.clear();
    this.#cleanups.clear();
  }
}
