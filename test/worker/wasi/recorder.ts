/**
 * A call for tests of the imports: it keeps what they do to it, and ends as a real one does, by throwing.
 */
import type { CallContext } from "../../../lib/worker/context.ts";
import { createImports } from "../../../lib/worker/imports.ts";
import type { GuestStream, LogLevel } from "../../../lib/protocol/limits.ts";

/** Thrown when an import ends the call in another way than by a trap. */
export class Ended extends Error {}

/** One piece of output, decoded. */
export interface Piece {
  readonly stream: GuestStream;
  readonly text: string;
  readonly level?: LogLevel;
}

export class Recorder implements CallContext {
  readonly stdin: Uint8Array;
  readonly pieces: Piece[] = [];
  /** How the call ended, in words; the first stands, as in a real call. */
  ending: string | undefined;
  /** Calls of `enter`. */
  entered = 0;
  /** Units that were charged for sizes. */
  charged = 0;
  /** Calls of `checkInterrupt`. */
  checked = 0;
  /** The check at which an interrupt arrives. */
  interruptAt: number = Number.POSITIVE_INFINITY;

  constructor(stdin = "") {
    this.stdin = new TextEncoder().encode(stdin);
  }

  enter(): void {
    this.entered += 1;
  }

  charge(units: number): void {
    this.charged += units;
  }

  checkInterrupt(): void {
    this.checked += 1;
    if (this.checked >= this.interruptAt) this.#end("interrupted");
  }

  deny(capability: string): never {
    return this.#end(`denied: ${capability}`);
  }

  trap(reason: string): never {
    this.ending ??= `trap: ${reason}`;
    throw new Ended();
  }

  exit(exitCode: number): never {
    return this.#end(`exit: ${exitCode}`);
  }

  capture(stream: GuestStream, bytes: Uint8Array, level?: LogLevel): void {
    const text = new TextDecoder().decode(bytes);
    this.pieces.push(level === undefined ? { stream, text } : { stream, text, level });
  }

  /** Calls a function of an interface as the glue does. */
  call(interfaceName: string, name: string, ...args: readonly unknown[]): unknown {
    return invoke(Reflect.get(this.imports, interfaceName), name, args);
  }

  /** Calls a function that has to end the call, and says how it did. */
  endOf(action: () => unknown): string {
    try {
      action();
    } catch (error) {
      if (error instanceof Ended) return this.ending ?? "";
      throw error;
    }
    return "returned";
  }

  /** The imports of the call. */
  get imports(): object {
    return (this.#imports ??= createImports(this));
  }
  #imports: object | undefined;

  #end(ending: string): never {
    this.ending ??= ending;
    throw new Ended(ending);
  }
}

/** Calls a method of a resource, or a function of an interface, by name. */
export function invoke(target: unknown, name: string, args: readonly unknown[] = []): unknown {
  if ((typeof target !== "object" && typeof target !== "function") || target === null) throw new Error("no target");
  const method: unknown = Reflect.get(target, name);
  if (typeof method !== "function") throw new Error(`no ${name}`);
  return Reflect.apply(method, target, args);
}

/** A resource class as the glue sees it. */
export type ResourceClass = new () => object;

/** Takes a resource class from an interface as the glue does. */
export function takeClass(call: Recorder, interfaceName: string, name: string): ResourceClass {
  const found: unknown = Reflect.get(Object(Reflect.get(call.imports, interfaceName)), name);
  if (!isClass(found)) throw new Error(`no class ${name}`);
  return found;
}

/** Makes what the glue makes for a handle that is not in its tables. */
export function forgeHandle(resource: ResourceClass): object {
  const forged: object = Object.create(resource.prototype);
  return forged;
}

function isClass(value: unknown): value is ResourceClass {
  return typeof value === "function";
}
