/**
 * Moves the function names of a module, so that a trap can name the guest's function. Names of locals and other things are dropped.
 *
 * Source: WebAssembly 3.0, appendix 7.4 Custom Sections, name section.
 */
import { type IndexMap, mapFunction } from "./indices.ts";
import type { Reader } from "./reader.ts";
import { type Writer, writeSized } from "./writer.ts";

const MODULE_NAME = 0;
const FUNCTION_NAMES = 1;

/**
 * Writes the content of a name section, its own name included.
 *
 * @param reader - Behind the section's name.
 * @throws {Failure} COMPONENT_INVALID when the section is malformed.
 */
export function writeNames(out: Writer, reader: Reader, indices: IndexMap): void {
  out.name("name");
  while (!reader.done) {
    const id = reader.u8();
    const size = reader.u32();
    const end = reader.pos + size;
    if (id === FUNCTION_NAMES) {
      out.u8(id);
      writeSized(out, () => writeFunctionNames(out, reader, indices));
    } else if (id === MODULE_NAME) {
      out.u8(id);
      writeSized(out, () => out.copyRange(reader.bytes, reader.pos, end));
    }
    reader.skip(end - reader.pos);
  }
}

function writeFunctionNames(out: Writer, reader: Reader, indices: IndexMap): void {
  const count = reader.u32();
  out.u32(count);
  for (let entry = 0; entry < count; entry++) {
    out.u32(mapFunction(indices, reader.u32()));
    const start = reader.pos;
    reader.skip(reader.u32());
    out.copyRange(reader.bytes, start, reader.pos);
  }
}
