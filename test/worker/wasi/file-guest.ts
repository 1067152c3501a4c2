/**
 * Test support: a guest that calls `wasi:filesystem` as the linker would, without a linker.
 */
import { ResultError } from "../../../lib/component/link/host.ts";
import { DENY_ALL, type Mount } from "../../../lib/policy/policy.ts";
import type { CallContext } from "../../../lib/worker/context.ts";
import { FILESYSTEM_PREOPENS, FILESYSTEM_TYPES } from "../../../lib/worker/wasi/filesystem.ts";
import { Descriptor, EntryStream } from "../../../lib/worker/wasi/filesystem/descriptor.ts";
import { makeAmbientSystem } from "../../../lib/worker/files/ambient.ts";
import { openRoot } from "../../../lib/worker/files/open-file.ts";
import { OpenFiles, Tree } from "../../../lib/worker/files/tree.ts";
import { makeWalkResolver } from "../../../lib/worker/files/walk-resolver.ts";
import { Host } from "../../../lib/worker/wasi/host.ts";
import { IO_ERROR, STREAMS } from "../../../lib/worker/wasi/io.ts";

/** Bits of `descriptor-flags`. */
export const READ = 1;
export const WRITE = 2;
export const MUTATE = 32;

/** Bits of `open-flags`. */
export const CREATE = 1;
export const DIRECTORY = 2;
export const EXCLUSIVE = 4;
export const TRUNCATE = 8;

/** `path-flags`. */
export const NOFOLLOW = 0;
export const FOLLOW = 1;

/** How a file is opened. */
export interface How {
  readonly flags: number;
  readonly open: number;
  readonly follow: number;
}

/** A context that keeps what was done with it. */
export class FakeContext implements CallContext {
  readonly denials: string[] = [];
  charged = 0;

  charge(units: number): void {
    this.charged += units;
  }

  noteDenial(capability: string, target: string): void {
    this.denials.push(`${capability} ${target}`);
  }

  takeInput(): Uint8Array {
    return new Uint8Array();
  }

  trap(reason: string): never {
    throw new WebAssembly.RuntimeError(reason);
  }

  exit(): never {
    throw new WebAssembly.RuntimeError("exit");
  }

  capture(): void {}
}

/** Makes a mount. */
export function mountOf(hostPath: string, more: Partial<Mount> = {}): Mount {
  return { guestPath: "/", hostPath, access: "read-write", quota: undefined, ...more };
}

/** A guest with directories. */
export class FileGuest implements Disposable {
  readonly context: FakeContext = new FakeContext();
  readonly host: Host;

  constructor(...mounts: readonly Mount[]) {
    this.host = new Host(this.context, { ...DENY_ALL, mounts });
  }

  /** Calls a function. */
  call(name: string, ...values: readonly unknown[]): unknown {
    for (const { functions } of [FILESYSTEM_TYPES, FILESYSTEM_PREOPENS, STREAMS, IO_ERROR]) {
      const run = functions.get(name)?.run;
      if (run !== undefined) return Reflect.apply(run, undefined, [this.host, ...values]);
    }
    throw new Error(`no ${name}`);
  }

  /** Calls a method of a descriptor. */
  on(self: Descriptor, method: string, ...values: readonly unknown[]): unknown {
    return this.call(`[method]descriptor.${method}`, self, ...values);
  }

  /** Calls a method of a descriptor, and tells how it ended: `ok`, or the error. */
  code(self: Descriptor, method: string, ...values: readonly unknown[]): string {
    return codeOf(() => this.on(self, method, ...values));
  }

  get roots(): Descriptor[] {
    const preopens = this.call("get-directories");
    if (!Array.isArray(preopens)) throw new TypeError("no list");
    return preopens.map(([descriptor]) => take(Descriptor, descriptor));
  }

  get root(): Descriptor {
    return take(Descriptor, this.roots[0]);
  }

  open(base: Descriptor, path: string, how: Partial<How> = {}): Descriptor {
    const { flags = READ, open = 0, follow = FOLLOW } = how;
    return take(Descriptor, this.on(base, "open-at", follow, path, open, flags));
  }

  /** Writes a file as a program does. */
  write(base: Descriptor, path: string, content: string): string {
    return codeOf(() => {
      const file = this.open(base, path, { flags: WRITE, open: CREATE | TRUNCATE });
      try {
        this.on(file, "write", new TextEncoder().encode(content), 0n);
      } finally {
        file[Symbol.dispose]();
      }
    });
  }

  /** Reads a file; an error in angle brackets. */
  read(base: Descriptor, path: string, follow: number = FOLLOW): string {
    let text = "";
    const code = codeOf(() => {
      const file = this.open(base, path, { follow });
      const bytes = readPiece(this.on(file, "read", 65_536n, 0n));
      file[Symbol.dispose]();
      text = new TextDecoder().decode(bytes);
    });
    return code === "ok" ? text : `<${code}>`;
  }

  /** Lists a directory, sorted by name. */
  list(directory: Descriptor): unknown[][] {
    const stream = take(EntryStream, this.on(directory, "read-directory"));
    const entries: unknown[][] = [];
    for (let entry = this.next(stream); Array.isArray(entry); entry = this.next(stream)) entries.push(entry);
    stream[Symbol.dispose]();
    return entries.toSorted(([, one], [, other]) => (String(one) < String(other) ? -1 : 1));
  }

  next(stream: EntryStream): unknown {
    return this.call("[method]directory-entry-stream.read-directory-entry", stream);
  }

  [Symbol.dispose](): void {
    this.host[Symbol.dispose]();
  }
}

/** Opens a directory for a guest as on systems whose kernel does not resolve paths for us. */
export function openByWalking(guest: FileGuest, mount: Mount): Descriptor {
  const system = makeAmbientSystem();
  const files = new OpenFiles();
  const tree = new Tree(mount, files, { system, resolver: makeWalkResolver(system) });
  guest.host.atEnd(() => {
    files[Symbol.dispose]();
    tree[Symbol.dispose]();
  });
  return new Descriptor(guest.host, openRoot(tree), { guestPath: mount.guestPath, syncFlags: 0 });
}

/** Tells how something ended: `ok`, or the error's payload. */
export function codeOf(act: () => unknown): string {
  try {
    act();
    return "ok";
  } catch (error) {
    if (error instanceof ResultError)
      return typeof error.payload === "string" ? error.payload : JSON.stringify(error.payload);
    throw error;
  }
}

/** Takes a value that must be of a class. */
export function take<T>(kind: new (...values: never[]) => T, value: unknown): T {
  if (value instanceof kind) return value;
  throw new TypeError(`not a ${kind.name}`);
}

/** The bytes that `read` gave. */
export function readPiece(value: unknown): Uint8Array {
  return take(Uint8Array, Array.isArray(value) ? value[0] : undefined);
}
