/**
 * Custom sections: all stay but those that the rewriting invalidates, and the names, which `names.ts` writes anew.
 *
 * Source: WebAssembly 3.0, 5.5.3 Custom Section.
 */
import type { IndexMap } from "./indices.ts";
import { SectionId } from "./layout.ts";
import { writeNames } from "./names.ts";
import type { Reader } from "./reader.ts";
import { type Writer, writeSized } from "./writer.ts";

/** Sections that hold offsets into the code, or tell a linker or a debugger about it. */
const INVALIDATED = /^(?:\.debug_|reloc\.|metadata\.code\.|linking$|dylink|sourceMappingURL$|external_debug_info$)/;

/**
 * Writes a module's custom sections, and behind them its functions' names.
 *
 * @param sections - The content of each, its name included.
 * @throws {Failure} COMPONENT_INVALID when a section's own name is malformed.
 */
export function writeCustoms(out: Writer, sections: readonly Reader[], indices: IndexMap): void {
  let names: Reader | undefined;
  for (const section of sections) {
    const start = section.pos;
    const name = section.name();
    if (name === "name") names ??= section;
    else if (!INVALIDATED.test(name)) copySection(out, section, start);
  }
  if (indices.addedFunctions > 0) writeNames(out, names, indices);
}

function copySection(out: Writer, section: Reader, start: number): void {
  out.u8(SectionId.custom);
  writeSized(out, () => out.copyRange(section.bytes, start, section.end));
}
