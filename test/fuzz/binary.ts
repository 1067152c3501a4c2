/**
 * Test support: takes core modules and components apart into sections and puts them together again, with sizes that fit. Shares nothing
 * with what is being tested.
 *
 * Source: WebAssembly 3.0, 5.2 Values and 5.5.2 Sections; Component Model, Binary.md, whose sections are framed the same.
 */

/** What a core module begins with. */
export const MODULE_PREAMBLE: Uint8Array = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);
/** What a component begins with. */
export const COMPONENT_PREAMBLE: Uint8Array = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00);

/** The order of a core module's sections, custom ones aside. */
const ORDER = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];

/** One section, without its identifier and size. */
export interface Section {
  readonly id: number;
  readonly content: Uint8Array;
}

/** A number read from bytes. */
export interface Leb {
  readonly value: number;
  /** Offset behind it. */
  readonly next: number;
}

/** Writes an unsigned LEB128, 0 to 2^32 - 1. `padding` makes it up to that many bytes long. */
export function unsigned(value: number, padding = 0): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  } while (rest > 0 || bytes.length < padding);
  bytes.push((bytes.pop() ?? 0) & 0x7f);
  return Uint8Array.from(bytes);
}

/** Writes a signed LEB128 of a 32-bit integer. */
export function signed(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const isLast = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    bytes.push(isLast ? low : low | 0x80);
    if (isLast) return Uint8Array.from(bytes);
  }
}

/** Reads an unsigned LEB128 of at most five bytes; undefined when there is none. */
export function readUnsigned(bytes: Uint8Array, at: number): Leb | undefined {
  let value = 0;
  for (let index = 0; index < 5; index++) {
    const byte = bytes[at + index];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, next: at + index + 1 };
  }
  return undefined;
}

/** Puts bytes behind each other. */
export function join(parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Puts bytes in the place of `bytes[start, end)`. */
export function spliced(
  bytes: Uint8Array,
  [start, end]: readonly [start: number, end: number],
  inserted: Uint8Array | readonly number[],
): Uint8Array {
  return join([bytes.subarray(0, start), inserted, bytes.subarray(end)]);
}

/** Writes a name or another vector of bytes. */
export function sized(content: Uint8Array): Uint8Array {
  return join([unsigned(content.length), content]);
}

/** Writes a vector of entries. */
export function vector(entries: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return join([unsigned(entries.length), ...entries]);
}

/** Writes a name. */
export function name(text: string): Uint8Array {
  return sized(new TextEncoder().encode(text));
}

/** Takes a module or a component apart; undefined when its frame is broken. */
export function split(bytes: Uint8Array): Section[] | undefined {
  const sections: Section[] = [];
  let at = 8;
  while (at < bytes.length) {
    const size = readUnsigned(bytes, at + 1);
    if (size === undefined || size.next + size.value > bytes.length) return undefined;
    sections.push({ id: bytes[at] ?? 0, content: bytes.subarray(size.next, size.next + size.value) });
    at = size.next + size.value;
  }
  return sections;
}

/** Puts a module or a component together. */
export function assemble(preamble: Uint8Array, sections: readonly Section[]): Uint8Array {
  return join([preamble, ...sections.flatMap(({ id, content }) => [[id], unsigned(content.length), content])]);
}

/** Finds where a core section belongs that the module does not have. */
export function placeOf(id: number, sections: readonly Section[]): number {
  const order = ORDER.indexOf(id);
  const later = sections.findIndex((section) => section.id !== 0 && ORDER.indexOf(section.id) > order);
  return later < 0 ? sections.length : later;
}

/** Finds the core modules in a component, nested ones included. */
export function coreModules(component: Uint8Array): Uint8Array[] {
  return (split(component) ?? []).flatMap(({ id, content }) => {
    if (id === 1) return [content];
    return id === 4 ? coreModules(content) : [];
  });
}
