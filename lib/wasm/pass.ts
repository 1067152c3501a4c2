/**
 * Passes over what stays as it is: immediates, and straight code, the instructions that most code is made of, which cost one unit and move
 * no control.
 */
import { type IndexMap, requireGlobal, requireMemory } from "./indices.ts";
import { Kind, ONE_BYTE } from "./opcodes.ts";
import type { Reader } from "./reader.ts";
import { readValueType } from "./types.ts";

/** How an instruction looks in its usual, shortest form. */
interface Form {
  /** Bytes of the whole instruction. */
  readonly bytes: number;
  /** Bits that are not set then in the two bytes behind the opcode, the first one below. */
  readonly clear: number;
}

const FORMS: ReadonlyMap<number, Form> = new Map([
  [Kind.plain, { bytes: 1, clear: 0 }],
  [Kind.index, { bytes: 2, clear: 0x80 }],
  [Kind.i32, { bytes: 2, clear: 0x80 }],
  // Global 0, the stack's pointer: others are compared with how many there are.
  [Kind.globalIndex, { bytes: 2, clear: 0xff }],
  // Bit 6 of the alignment says that a memory index follows.
  [Kind.memoryArgument, { bytes: 3, clear: 0x80c0 }],
]);

const BYTES_MASK = 0xff;
const CLEAR_SHIFT = 8;

/** Forms by opcode; 0 for what is not straight. One look and no branch for each kind: nobody can predict which comes next. */
const STRAIGHT: Uint32Array = Uint32Array.from(ONE_BYTE, (kind) => {
  const { bytes, clear } = FORMS.get(kind) ?? { bytes: 0, clear: 0 };
  return bytes | (clear << CLEAR_SHIFT);
});

/** Whether an instruction is straight code. */
export function isStraight(opcode: number): boolean {
  return STRAIGHT[opcode] !== 0;
}

/**
 * Passes over straight code, from the reader's place on.
 *
 * @param most - Instructions to pass over.
 * @returns How many there were.
 * @throws {Failure} COMPONENT_INVALID
 */
export function passStraight(reader: Reader, indices: IndexMap, most: number): number {
  const { bytes, end } = reader;
  // Without a memory or a global there is nothing that the shortest forms may name.
  const lastShort = indices.memories > 0 && indices.globals > 0 ? end - 3 : -1;
  let { pos } = reader;
  let count = 0;
  for (; count < most && pos < end; count++) {
    const form = STRAIGHT[bytes[pos] ?? 0] ?? 0;
    if (form === 0) break;
    const following = (bytes[pos + 1] ?? 0) | ((bytes[pos + 2] ?? 0) << 8);
    if (pos <= lastShort && (following & (form >>> CLEAR_SHIFT)) === 0) pos += form & BYTES_MASK;
    else {
      reader.pos = pos;
      passOne(reader, indices);
      pos = reader.pos;
    }
  }
  reader.pos = pos;
  return count;
}

function passOne(reader: Reader, indices: IndexMap): void {
  const kind = ONE_BYTE[reader.u8()];
  if (kind === Kind.memoryArgument) passMemoryArgument(reader, indices);
  else if (kind === Kind.globalIndex) requireGlobal(indices, reader.u32());
  else if (kind !== Kind.plain) reader.skipLeb(32);
}

/** Passes over the immediates of an access to memory. @throws {Failure} COMPONENT_INVALID */
export function passMemoryArgument(reader: Reader, indices: IndexMap): void {
  // Bit 6 of the alignment says that a memory index follows.
  requireMemory(indices, (reader.u32() & 0x40) === 0 ? 0 : reader.u32());
  // 64 bits also where the memory has 32: an offset may be padded to ten bytes.
  reader.skipLeb(64);
}

/** Passes over a block type: a value type, empty, or a type index, each one signed 33-bit LEB128, a typed reference two. */
export function passBlockType(reader: Reader): void {
  const first = reader.bytes[reader.pos];
  if (first === 0x63 || first === 0x64) readValueType(reader);
  else reader.skipLeb(33);
}

/** Passes over two indices. */
export function passPair(reader: Reader): void {
  reader.u32();
  reader.u32();
}

/** Passes over a vector of value types. */
export function passValueTypes(reader: Reader): void {
  for (let count = reader.u32(); count > 0; count--) readValueType(reader);
}
