/**
 * The names of a module's functions, by which a trap tells where it happened.
 *
 * Every function of the guest gets a name, its own or `#` and its index in the original module: the engine tells nothing else of a function on the
 * stack, neither its index nor its module, once a module has any names. KAMI's own functions have none, which is how they are told apart.
 *
 * Source: WebAssembly 3.0, appendix 7.4, name section.
 */
import { Failure } from "../errors.ts";
import { type IndexMap, mapFunction } from "./indices.ts";
import { SectionId } from "./layout.ts";
import type { Reader } from "./reader.ts";
import { type Writer, writeSized } from "./writer.ts";

/** Bytes that are kept of a name. More than any message shows; the engine holds a name for each call that is on the stack. */
export const NAME_LIMIT_BYTES = 256;

const FUNCTION_NAMES = 1;
/** Characters. */
const HASH = 0x23;
const ZERO = 0x30;
const UTF8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Writes the name section of a rewritten module.
 *
 * @param names - The original one, behind its own name; undefined when the module has none. One that is malformed counts as none: it does not
 *   make its module invalid.
 */
export function writeNames(out: Writer, names: Reader | undefined, indices: IndexMap): void {
  const before = out.length;
  try {
    writeSection(out, names && findFunctionNames(names), indices);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    out.length = before;
    writeSection(out, undefined, indices);
  }
}

function writeSection(out: Writer, names: Reader | undefined, indices: IndexMap): void {
  out.u8(SectionId.custom);
  writeSized(out, () => {
    out.name("name");
    out.u8(FUNCTION_NAMES);
    writeSized(out, () => {
      out.u32(indices.functions - indices.importedFunctions);
      const next = names === undefined ? indices.importedFunctions : writeGiven(out, names, indices);
      writeIndices(out, indices, [next, indices.functions]);
    });
  });
}

/** Passes over the subsections in front of the functions' names. */
function findFunctionNames(names: Reader): Reader | undefined {
  while (!names.done) {
    const id = names.u8();
    const size = names.u32();
    if (id === FUNCTION_NAMES) return names;
    names.skip(size);
  }
  return undefined;
}

/** Writes all functions up to the last one that has a name. @returns The index behind it. */
function writeGiven(out: Writer, names: Reader, indices: IndexMap): number {
  let next = indices.importedFunctions;
  let last = -1;
  for (let left = names.u32(); left > 0; left--) {
    const index = names.u32();
    if (index <= last) throw names.malformed("function names out of order");
    last = index;
    const mapped = mapFunction(indices, index);
    const name = readName(names);
    if (index < indices.importedFunctions || name === undefined) continue;
    writeIndices(out, indices, [next, index]);
    out.u32(mapped);
    out.u32(name.length);
    out.copy(name);
    next = index + 1;
  }
  return next;
}

/** Writes `#index` for functions without a name. */
function writeIndices(out: Writer, indices: IndexMap, [from, to]: readonly [from: number, to: number]): void {
  for (let index = from; index < to; index++) {
    out.u32(mapFunction(indices, index));
    writeOrdinal(out, index);
  }
}

/** Writes the name `#index`; without a text, which is garbage, for each of tens of thousands. */
function writeOrdinal(out: Writer, index: number): void {
  let magnitude = 1;
  let digits = 1;
  for (; magnitude * 10 <= index; magnitude *= 10) digits += 1;
  out.u32(1 + digits);
  out.u8(HASH);
  for (; magnitude >= 1; magnitude = Math.floor(magnitude / 10)) out.u8(ZERO + (Math.floor(index / magnitude) % 10));
}

/** Reads a name, cut to the limit; undefined for one that is empty or not UTF-8: the engine would drop the whole section for it. */
function readName(names: Reader): Uint8Array | undefined {
  const length = names.u32();
  const start = names.pos;
  names.skip(length);
  let end = Math.min(names.pos, start + NAME_LIMIT_BYTES);
  // Not in the middle of a character.
  while (end < names.pos && end > start && ((names.bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  const name = names.bytes.subarray(start, end);
  return name.length > 0 && isText(name) ? name : undefined;
}

function isText(bytes: Uint8Array): boolean {
  if (bytes.every((byte) => byte < 0x80)) return true;
  try {
    return UTF8.decode(bytes) !== "";
  } catch {
    return false;
  }
}
