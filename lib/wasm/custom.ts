/**
 * Custom sections: function names move with their functions, so that a trap can name the guest's function; names of locals and other things
 * are dropped.
 *
 * Source: WebAssembly 3.0, 5.5.3 Custom Section; appendix 7.4, name section.
 */
import { Failure } from "../errors.ts";
import { type IndexMap, mapFunction } from "./indices.ts";
import { SectionId } from "./layout.ts";
import type { Reader } from "./reader.ts";
import { type Writer, writeSized } from "./writer.ts";

const MODULE_NAME = 0;
const FUNCTION_NAMES = 1;

/**
 * Writes a custom section: function names move; sections that hold offsets into the code, and names that are malformed, are dropped; all
 * others stay.
 *
 * Source: WebAssembly 3.0, 5.5.3: errors in a custom section do not invalidate the module.
 *
 * @param reader - The section's content, its name included.
 */
export function writeCustom(out: Writer, reader: Reader, indices: IndexMap): void {
  const start = reader.pos;
  const name = reader.name();
  if (/^(?:\.debug_|reloc\.|metadata\.code\.|linking$|dylink|sourceMappingURL$|external_debug_info$)/.test(name))
    return;
  const before = out.length;
  try {
    out.u8(SectionId.custom);
    writeSized(out, () => {
      if (name === "name") writeNames(out, reader, indices);
      else out.copyRange(reader.bytes, start, reader.end);
    });
  } catch (error) {
    // A custom section that is malformed does not make its module so: this one goes.
    if (!(error instanceof Failure)) throw error;
    out.length = before;
  }
}

/**
 * Writes the content of a name section, its own name included.
 *
 * @param reader - Behind the section's name.
 * @throws {Failure} COMPONENT_INVALID when the section is malformed.
 */
function writeNames(out: Writer, reader: Reader, indices: IndexMap): void {
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
