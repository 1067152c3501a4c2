/**
 * A component instance's table of handles, and the codecs of `own<T>` and `borrow<T>`.
 *
 * Source: WebAssembly Component Model, CanonicalABI.md, `Table`, `ResourceHandle`, `lift_own`, `lift_borrow`, `lower_own`, `lower_borrow`.
 */
import type { Codec, CoreType, CoreValues } from "./codec.ts";
import type { Context, CoreValue } from "./context.ts";
import type { ResourceId } from "../../schema/value-type.ts";

/** Handles that all instances of one call may hold together. */
export const HANDLE_LIMIT: number = 65_536;

/** What a handle stands for: the host's object, or a number that the defining guest chose. */
type Representation = object | number;

/** A handle in a table. */
export interface Handle {
  readonly resource: ResourceId;
  readonly representation: Representation;
  /** Undefined for one that is owned; else the call that lent it, which may not end before it is dropped. */
  readonly scope: Scope | undefined;
  /** Calls to which it is lent right now. */
  lent: number;
}

/** A call's borrowed handles that have not been dropped. */
export interface Scope {
  borrowed: number;
}

/** How many handles a call holds, in all tables. */
export interface HandleCount {
  held: number;
}

/** The handles of one component instance. */
export class Handles {
  readonly #count: HandleCount;
  readonly #entries: (Handle | undefined)[] = [undefined];
  readonly #free: number[] = [];

  constructor(count: HandleCount) {
    this.#count = count;
  }

  /** Adds a handle. @returns Its number, from 1. */
  add(context: Pick<Context, "payer">, handle: Handle): number {
    this.#count.held += 1;
    if (this.#count.held > HANDLE_LIMIT) context.payer.trap(`it holds more than ${HANDLE_LIMIT} handles`);
    const index = this.#free.pop() ?? this.#entries.length;
    this.#entries[index] = handle;
    return index;
  }

  /** Finds a handle of a type. Traps when there is none. */
  get(context: Pick<Context, "payer">, index: number, resource: ResourceId): Handle {
    const found = this.#entries[index];
    if (found?.resource === resource) return found;
    return context.payer.trap("it broke the component ABI: a handle that it does not have");
  }

  /** Takes a handle out. Traps when there is none, or it is lent. */
  remove(context: Pick<Context, "payer">, index: number, resource: ResourceId): Handle {
    const found = this.get(context, index, resource);
    if (found.lent > 0) context.payer.trap("it broke the component ABI: a resource that is still borrowed");
    this.#entries[index] = undefined;
    this.#free.push(index);
    this.#count.held -= 1;
    return found;
  }
}

abstract class HandleCodec implements Codec {
  readonly size = 4;
  readonly align = 4;
  readonly weight = 16;
  readonly flat: readonly CoreType[] = ["i32"];
  protected readonly resource: ResourceId;

  constructor(resource: ResourceId) {
    this.resource = resource;
  }

  load(context: Context, at: number): unknown {
    return this.take(context, context.view.getUint32(at, true));
  }

  store(context: Context, value: unknown, at: number): void {
    const index = this.give(context, requireRepresentation(value));
    context.view.setUint32(at, index, true);
  }

  lift(context: Context, values: CoreValues): unknown {
    return this.take(context, values.number(context) >>> 0);
  }

  lower(context: Context, value: unknown, out: CoreValue[]): void {
    out.push(this.give(context, requireRepresentation(value)));
  }

  protected abstract take(context: Context, index: number): Representation;
  protected abstract give(context: Context, representation: Representation): number;
}

/** `own<T>`: the handle leaves one table, and enters another. */
class OwnCodec extends HandleCodec {
  protected override take(context: Context, index: number): Representation {
    const handle = context.instance.handles.remove(context, index, this.resource);
    if (handle.scope !== undefined) context.refuse("a borrowed handle in the place of an owned one");
    return handle.representation;
  }

  protected override give(context: Context, representation: Representation): number {
    const handle = { resource: this.resource, representation, scope: undefined, lent: 0 };
    return context.instance.handles.add(context, handle);
  }
}

/** `borrow<T>`: the handle stays, and cannot be dropped until the call ends. */
class BorrowCodec extends HandleCodec {
  protected override take(context: Context, index: number): Representation {
    const handle = context.instance.handles.get(context, index, this.resource);
    context.lend(handle);
    return handle.representation;
  }

  protected override give(context: Context, representation: Representation): number {
    // Who defines a resource gets what it stands for.
    if (typeof representation === "number" && context.defines(this.resource)) return representation;
    const scope = context.scope;
    scope.borrowed += 1;
    return context.instance.handles.add(context, { resource: this.resource, representation, scope, lent: 0 });
  }
}

/** Makes the codec of a handle type. */
export function handleCodec(kind: "own" | "borrow", resource: ResourceId): Codec {
  return kind === "own" ? new OwnCodec(resource) : new BorrowCodec(resource);
}

function requireRepresentation(value: unknown): Representation {
  if (typeof value === "number" || (typeof value === "object" && value !== null)) return value;
  throw new Error(`BUG: a ${typeof value} in the place of a resource`);
}
