/**
 * A call for tests of the imports: it keeps what they do to it, and ends as a real one does, by throwing.
 */
import type { CoreInstance, LinkedCall } from "../../../lib/component/link/linked.ts";
import { DENY_ALL, type Policy } from "../../../lib/policy/policy.ts";
import type { GuestStream, LogLevel } from "../../../lib/protocol/limits.ts";
import type { CallContext } from "../../../lib/worker/context.ts";
import { describeUnserved } from "../../../lib/worker/failure.ts";
import { INTERFACES } from "../../../lib/worker/imports.ts";
import { Host } from "../../../lib/worker/wasi/host.ts";

/** Thrown when an import ends the call in another way than by a trap. */
export class Ended extends Error {}

/** One piece of output, decoded. */
export interface Piece {
  readonly stream: GuestStream;
  readonly text: string;
  readonly level?: LogLevel;
}

/** What was denied while the guest went on. */
export type Noted = readonly [capability: string, target: string];

export class Recorder implements CallContext, LinkedCall<Host> {
  readonly host: Host;
  readonly pieces: Piece[] = [];
  readonly denials: Noted[] = [];
  /** Core modules of the component that runs, by their numbers. */
  modules: readonly WebAssembly.Module[] = [];
  /** How the call ended, in words; the first stands, as in a real call. */
  ending: string | undefined;
  /** Calls of `enter`. */
  entered = 0;
  /** Units that were charged for sizes by the imports. */
  charged = 0;
  /** Bytes that were charged for by the linker. */
  copied = 0;
  /** How often the guest was suspended. */
  suspended = 0;
  /** The wait that an interrupt breaks. */
  interruptAt: number = Number.POSITIVE_INFINITY;
  #stdin: Uint8Array;

  constructor(stdin = "", policy: Policy = DENY_ALL) {
    this.#stdin = new TextEncoder().encode(stdin);
    this.host = new Host(this, policy);
  }

  takeInput(limit: number): Uint8Array {
    const piece = this.#stdin.slice(0, limit);
    this.#stdin = this.#stdin.subarray(piece.length);
    return piece;
  }

  enter(): void {
    this.entered += 1;
  }

  charge(units: number): void {
    this.charged += units;
  }

  chargeBytes(count: number): void {
    this.copied += count;
  }

  suspend<T>(wait: Promise<T>): Promise<T> {
    this.suspended += 1;
    if (this.suspended < this.interruptAt) return wait;
    return Promise.resolve().then(() => this.#end("interrupted"));
  }

  instantiateCore(module: number, imports: WebAssembly.Imports): CoreInstance {
    const compiled = this.modules[module];
    if (compiled === undefined) throw new Error(`no core module ${module}`);
    return { exports: new WebAssembly.Instance(compiled, imports).exports, start: undefined };
  }

  noteDenial(capability: string, target: string): void {
    this.denials.push([capability, target]);
  }

  deny(interfaceName: string, name: string): never {
    return this.#end(`denied: ${describeUnserved(interfaceName, name)}`);
  }

  trap(reason: string): never {
    return this.#end(`trap: ${reason}`);
  }

  refuseResult(bytes: number): never {
    return this.#end(`result too large: ${bytes}`);
  }

  exit(exitCode: number): never {
    return this.#end(`exit: ${exitCode}`);
  }

  capture(stream: GuestStream, bytes: Uint8Array, level?: LogLevel): void {
    const text = new TextDecoder().decode(bytes);
    this.pieces.push(level === undefined ? { stream, text } : { stream, text, level });
  }

  /** Calls a function of the host's as the linker does, with values that are lifted. */
  call(interfaceName: string, name: string, ...values: readonly unknown[]): unknown {
    const found = INTERFACES.get(interfaceName)?.functions.get(name);
    if (found === undefined) throw new Error(`no ${interfaceName} ${name}`);
    return Reflect.apply(found.run, undefined, [this.host, ...values]);
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

  /** The same of one that may wait. */
  async endOfWait(action: () => unknown): Promise<string> {
    try {
      await action();
    } catch (error) {
      if (error instanceof Ended) return this.ending ?? "";
      throw error;
    }
    return "returned";
  }

  #end(ending: string): never {
    this.ending ??= ending;
    throw new Ended(ending);
  }
}
