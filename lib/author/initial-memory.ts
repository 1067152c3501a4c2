/**
 * Gives a core module more memory to begin with. Pure.
 *
 * Go's runtime takes whatever lies behind its memory's end for its own once it has grown it; the WASI adapter grows the same memory for its state.
 * A Go program that never has to grow never meets it.
 *
 * Source: WebAssembly core 3.0 §5.5.8, memory section; Go's `runtime/mem_sbrk.go`.
 */

const MEMORY_SECTION = 5;

/**
 * Raises the initial size of a module's memory.
 *
 * @param module - A valid core module of at most one memory.
 * @param pages - To add, of 64 KiB.
 * @returns The module as it is when it has no memory of its own, or one with a maximum.
 */
export function addInitialMemory(module: Uint8Array<ArrayBuffer>, pages: number): Uint8Array<ArrayBuffer> {
  for (let at = 8; at < module.length;) {
    const size = readUnsigned(module, at + 1);
    const end = size.end + size.value;
    if (module[at] === MEMORY_SECTION) return replaceMemory(module, { at, start: size.end, end }, pages);
    at = end;
  }
  return module;
}

interface Section {
  readonly at: number;
  readonly start: number;
  readonly end: number;
}

function replaceMemory(
  module: Uint8Array<ArrayBuffer>,
  { at, start, end }: Section,
  pages: number,
): Uint8Array<ArrayBuffer> {
  const [count, flags] = [module[start], module[start + 1]];
  if (count !== 1 || flags !== 0) return module;
  const content = [count, flags, ...writeUnsigned(readUnsigned(module, start + 2).value + pages)];
  const section = [MEMORY_SECTION, ...writeUnsigned(content.length), ...content];
  return new Uint8Array(Buffer.concat([module.subarray(0, at), Uint8Array.from(section), module.subarray(end)]));
}

interface Number32 {
  readonly value: number;
  readonly end: number;
}

/** LEB128, unsigned. */
function readUnsigned(bytes: Uint8Array, from: number): Number32 {
  let value = 0;
  for (let at = from, scale = 1; ; at += 1, scale *= 128) {
    const byte = bytes[at] ?? 0;
    value += (byte & 127) * scale;
    if (byte < 128) return { value, end: at + 1 };
  }
}

function writeUnsigned(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...writeUnsigned(Math.floor(value / 128))];
}
