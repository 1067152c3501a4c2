/**
 * Test support: finds where the instructions of a function body begin and where their integers stand. Its own table: what the meter thinks
 * of an opcode plays no part here.
 *
 * Source: WebAssembly 3.0, 5.4 Instructions; garbage collection included.
 */

/** One instruction. */
export interface Instruction {
  readonly at: number;
  readonly end: number;
  readonly opcode: number;
  /** The sub-opcode behind a prefix. */
  readonly sub: number | undefined;
  /** Where each of its LEB128 integers begins and ends. */
  readonly integers: readonly (readonly [start: number, end: number])[];
}

/** A body taken apart. */
export interface Body {
  /** Offset of the first instruction, behind the locals. */
  readonly start: number;
  readonly instructions: readonly Instruction[];
}

/**
 * Shapes of immediates, a letter each: `u` an integer of any size and sign, `m` a memory argument, `b` a block type, `v` a vector of value
 * types, `t` a branch table, `c` catch clauses; a digit so many plain bytes (`g` is 16).
 */
type Shape = string;

const ONE_BYTE: ReadonlyMap<number, Shape> = shapes([
  [0x00, 0x01, ""],
  [0x02, 0x04, "b"],
  [0x05, 0x05, ""],
  [0x06, 0x06, "b"],
  [0x07, 0x09, "u"],
  [0x0a, 0x0b, ""],
  [0x0c, 0x0d, "u"],
  [0x0e, 0x0e, "t"],
  [0x0f, 0x0f, ""],
  [0x10, 0x10, "u"],
  [0x11, 0x11, "uu"],
  [0x12, 0x12, "u"],
  [0x13, 0x13, "uu"],
  [0x14, 0x15, "u"],
  [0x18, 0x18, "u"],
  [0x19, 0x1b, ""],
  [0x1c, 0x1c, "v"],
  [0x1f, 0x1f, "bc"],
  [0x20, 0x26, "u"],
  [0x28, 0x3e, "m"],
  [0x3f, 0x42, "u"],
  [0x43, 0x43, "4"],
  [0x44, 0x44, "8"],
  [0x45, 0xc4, ""],
  [0xd0, 0xd0, "u"],
  [0xd1, 0xd1, ""],
  [0xd2, 0xd2, "u"],
  [0xd3, 0xd4, ""],
  [0xd5, 0xd6, "u"],
]);

const PREFIXED: ReadonlyMap<number, ReadonlyMap<number, Shape>> = new Map([
  [
    0xfb,
    shapes([
      [0, 1, "u"],
      [2, 5, "uu"],
      [6, 7, "u"],
      [8, 10, "uu"],
      [11, 14, "u"],
      [15, 15, ""],
      [16, 16, "u"],
      [17, 19, "uu"],
      [20, 23, "u"],
      [24, 25, "1uuu"],
      [26, 30, ""],
    ]),
  ],
  [
    0xfc,
    shapes([
      [0, 7, ""],
      [8, 8, "uu"],
      [9, 9, "u"],
      [10, 10, "uu"],
      [11, 11, "u"],
      [12, 12, "uu"],
      [13, 13, "u"],
      [14, 14, "uu"],
      [15, 17, "u"],
    ]),
  ],
  [
    0xfd,
    shapes([
      [0, 11, "m"],
      [12, 13, "g"],
      [14, 20, ""],
      [21, 34, "1"],
      [35, 83, ""],
      [84, 91, "m1"],
      [92, 93, "m"],
      [94, 275, ""],
    ]),
  ],
]);

/** Takes a function body apart; undefined when it has something unknown or ends early. */
export function readBody(bytes: Uint8Array): Body | undefined {
  const cursor = new Cursor(bytes);
  for (let groups = cursor.integer(); groups > 0 && !cursor.isBroken; groups--) {
    cursor.integer();
    cursor.valueType();
  }
  const start = cursor.at;
  const instructions: Instruction[] = [];
  while (cursor.at < bytes.length) {
    const instruction = readInstruction(cursor);
    if (instruction === undefined) return undefined;
    instructions.push(instruction);
  }
  return cursor.isBroken ? undefined : { start, instructions };
}

function readInstruction(cursor: Cursor): Instruction | undefined {
  const { at } = cursor;
  const opcode = cursor.byte();
  const prefixed = PREFIXED.get(opcode);
  const sub = prefixed === undefined ? undefined : cursor.integer();
  const shape = sub === undefined ? ONE_BYTE.get(opcode) : prefixed?.get(sub);
  if (shape === undefined) return undefined;
  cursor.integers = [];
  for (const letter of shape) IMMEDIATES[letter]?.(cursor);
  return cursor.isBroken ? undefined : { at, end: cursor.at, opcode, sub, integers: cursor.integers };
}

const IMMEDIATES: Readonly<Record<string, (cursor: Cursor) => void>> = {
  u: (cursor) => cursor.noted(),
  m: (cursor) => {
    if ((cursor.noted() & 0x40) !== 0) cursor.noted();
    cursor.noted();
  },
  b: (cursor) => cursor.valueType(),
  v: (cursor) => {
    for (let count = cursor.noted(); count > 0 && !cursor.isBroken; count--) cursor.valueType();
  },
  t: (cursor) => {
    for (let count = cursor.noted(); count >= 0 && !cursor.isBroken; count--) cursor.noted();
  },
  c: (cursor) => {
    for (let count = cursor.noted(); count > 0 && !cursor.isBroken; count--) {
      if (cursor.byte() < 2) cursor.noted();
      cursor.noted();
    }
  },
  1: (cursor) => cursor.skip(1),
  4: (cursor) => cursor.skip(4),
  8: (cursor) => cursor.skip(8),
  g: (cursor) => cursor.skip(16),
};

class Cursor {
  at = 0;
  isBroken = false;
  integers: (readonly [start: number, end: number])[] = [];
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(): number {
    const byte = this.#bytes[this.at++];
    if (byte === undefined) this.isBroken = true;
    return byte ?? 0;
  }

  skip(count: number): void {
    this.at += count;
    if (this.at > this.#bytes.length) this.isBroken = true;
  }

  /** The lowest 35 bits; what lies above does not matter to anyone here. */
  integer(): number {
    let value = 0;
    for (let index = 0; index < 10; index++) {
      const byte = this.byte();
      if (index < 5) value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return value;
    }
    this.isBroken = true;
    return value;
  }

  noted(): number {
    const start = this.at;
    const value = this.integer();
    this.integers.push([start, this.at]);
    return value;
  }

  /** A value type, or a block type: an index is one LEB128 too. */
  valueType(): void {
    const first = this.#bytes[this.at];
    if (first === 0x63 || first === 0x64) this.at += 1;
    this.integer();
  }
}

function shapes(ranges: readonly (readonly [first: number, last: number, shape: Shape])[]): ReadonlyMap<number, Shape> {
  const byOpcode = new Map<number, Shape>();
  for (const [first, last, shape] of ranges) {
    for (let opcode = first; opcode <= last; opcode++) byOpcode.set(opcode, shape);
  }
  return byOpcode;
}
