/**
 * One import as a guest's core code calls it: its memory, its allocator and its tables of handles. The guest's side of the
 * trust boundary.
 *
 * The glue's own lifting builds every argument before the host is asked, at a cost that the guest chooses and nobody
 * counts. So every import brings its own (jco's "optimized host bindings"), which looks before it builds and charges for what
 * it copies. A component declares the types of its imports itself: every value here may be any that core code can pass.
 *
 * Source: jco, Optimized Host Bindings; WebAssembly Component Model, CanonicalABI.md.
 */
import type { Host } from "./host.ts";

/** Where the glue looks for the function that makes an import's core function. */
export const LOWER: unique symbol = Symbol.for("cabiLower");

/** Where the glue looks for the function that it tells which resource was dropped. */
export const DISPOSE: unique symbol = Symbol.for("cabiDispose");

/** Set in a table's second number for a handle that is owned, in the first for an entry that is free. */
const FLAG = 2 ** 30;

/** Makes room in the guest's memory: of its old pointer and size, the alignment and the new size. */
type Realloc = (...values: readonly number[]) => number;

/**
 * The glue's table of a resource type's handles: two numbers for each, its scope and its resource; those at 0 and 1 head
 * the list of free entries.
 */
export type HandleTable = number[];

/** What the glue knows about an import: only what the component's declaration of it needs. */
export interface CanonicalOptions {
  readonly memory?: WebAssembly.Memory;
  readonly realloc?: Realloc;
  /** One for each resource type in the declaration, in no order that means anything. */
  readonly resourceTables?: readonly HandleTable[];
  /** Absent for UTF-8. */
  readonly stringEncoding?: string;
}

/** What core code takes and gives. */
export type CoreValue = number | bigint | undefined;

/** A function as the glue links it to core code. */
export type CoreFunction = (...values: readonly unknown[]) => CoreValue;

/** An import as one part of a component is linked to it. */
interface LoweredImport {
  readonly host: Host;
  readonly name: string;
  readonly options: CanonicalOptions;
}

/** One running call of an import. */
export class Frame {
  readonly host: Host;
  /** The import, for a trap's reason: `wasi:io/poll poll`. */
  readonly name: string;
  readonly #options: CanonicalOptions;
  readonly #values: readonly unknown[];
  /** The tables in which arguments were found. */
  readonly #seen = new Set<HandleTable>();
  #next = 0;

  constructor(lowered: LoweredImport, values: readonly unknown[]) {
    this.host = lowered.host;
    this.name = lowered.name;
    this.#options = lowered.options;
    this.#values = values;
  }

  /** How the guest's text is encoded: a label of the Encoding Standard, or jco's name for one that has none. */
  get encoding(): string {
    const { stringEncoding } = this.#options;
    return stringEncoding === undefined ? "utf-8" : stringEncoding.replace(/^utf16$/, "utf-16le");
  }

  /** Takes the next core value, an `i32`, as an unsigned number. */
  takeI32(): number {
    const value = this.#values[this.#next++];
    return typeof value === "number" ? value >>> 0 : this.refuse();
  }

  /** Takes the next core value, an `i64`, as an unsigned number. */
  takeI64(): bigint {
    const value = this.#values[this.#next++];
    return typeof value === "bigint" ? BigInt.asUintN(64, value) : this.refuse();
  }

  /** Traps because the function was declared, and called, with types that it does not have. */
  refuse(): never {
    return this.host.trapType(this.name);
  }

  /**
   * Finds a part of the guest's memory. A view: nothing is copied, and what runs the guest's code may detach it.
   *
   * @param pointer - Unsigned.
   * @param size - Bytes.
   */
  view(pointer: number, size: number): Uint8Array {
    const { buffer } = this.#options.memory ?? this.refuse();
    if (pointer + size > buffer.byteLength)
      this.host.context.trap(`it called ${this.name} with memory that it does not have`);
    return new Uint8Array(buffer, pointer, size);
  }

  /** Finds a part of the guest's memory for values of some alignment, as a place to write them. */
  place(pointer: number, size: number, align: number): DataView {
    if (pointer % align !== 0) this.host.context.trap(`it called ${this.name} with a pointer that is not aligned`);
    const { buffer, byteOffset } = this.view(pointer, size);
    return new DataView(buffer, byteOffset, size);
  }

  /**
   * Asks the guest for memory. Runs the guest's code: views from before may be detached, and what it returns is checked when
   * it is used.
   */
  allocate(size: number, align: number): number {
    const realloc = this.#options.realloc ?? this.refuse();
    const pointer = this.host.allocating(() => realloc(0, 0, align, size) >>> 0);
    this.place(pointer, size, align);
    return pointer;
  }

  /**
   * Finds the resource behind a handle.
   *
   * @param isWanted - Whether a resource is of the type that the parameter has.
   * @returns Undefined when the guest holds no such handle.
   */
  find(handle: number, isWanted: (resource: object) => boolean): object | undefined {
    for (const table of this.#options.resourceTables ?? []) {
      const resource = this.host.resourceAt(representation(table, handle));
      if (resource === undefined || !isWanted(resource)) continue;
      this.#seen.add(table);
      return resource;
    }
    return undefined;
  }

  /**
   * Gives the guest a new resource.
   *
   * @param resource - Its number at the host.
   * @returns The handle, in the only table in which no argument was found: functions here return one resource at most.
   */
  give(resource: number): number {
    const [table, ...others] = (this.#options.resourceTables ?? []).filter((candidate) => !this.#seen.has(candidate));
    return table === undefined || others.length > 0 ? this.refuse() : addHandle(table, resource);
  }
}

/** @returns Zero, which no resource has, for a handle that the table does not have. */
function representation(table: HandleTable, handle: number): number {
  const at = handle * 2;
  const isHeld = handle > 0 && at < table.length && ((table[at] ?? FLAG) & FLAG) === 0;
  return isHeld ? (table[at + 1] ?? 0) & ~FLAG : 0;
}

function addHandle(table: HandleTable, resource: number): number {
  const free = (table[0] ?? 0) & ~FLAG;
  if (free === 0) return table.push(0, resource | FLAG) / 2 - 1;
  table[0] = table[free * 2] ?? FLAG;
  table[free * 2] = 0;
  table[free * 2 + 1] = resource | FLAG;
  return free;
}
