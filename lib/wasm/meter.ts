/**
 * Rewrites a core module so that it counts fuel and stack, asks before it grows, can be interrupted, and runs over a memory from outside.
 *
 * One pass over the bytes, no tree. The rewritten module imports, from the module name `kami:meter`: the functions `grow`, `growTable` and
 * `grewTable` and the shared memory `signal` when it has code, `allocate` and `refuseArray` when its code can make objects of the engine's
 * heap, and `memory0`, `memory1`, … for each memory that it used to define. It exports what METER_EXPORTS names. Untrusted input; the engine validates what comes out.
 *
 * Source: WebAssembly 3.0, 5.5 Modules.
 */
import { writeCustoms } from "./custom.ts";
import { declareHelpers } from "./functions.ts";
import { type MemorySpec, readLayout, SECTION_ORDER, SectionId } from "./layout.ts";
import { Reader } from "./reader.ts";
import { beginRewrite } from "./rewrite.ts";
import { writeSection } from "./sections.ts";
import { SLICE } from "./signal.ts";
import { Writer } from "./writer.ts";

export type { MemorySpec } from "./layout.ts";

/** A core module after the rewriting. */
export interface MeteredModule {
  readonly bytes: Uint8Array;
  /** The module's own memories, in index order: each is now an import `memory0`, `memory1`, …. */
  readonly memories: readonly MemorySpec[];
  /** Elements of the module's own tables at the start, all together. */
  readonly initialTableElements: number;
  /** Bytes of the objects that its constant expressions make, counted as docs/fuel.md says. */
  readonly initialHeapBytes: number;
}

/** Changes whenever the rewriting changes: part of the artifact's directory name. */
export const METER_ABI = 11;

/**
 * Rewrites one core module.
 *
 * @param bytes - A core module in the binary format; at most 64 MiB.
 * @param name - The module's name, for messages.
 * @param slice - Units that the module uses before it settles with the call, 1 to 2^30.
 * @throws {Failure} INSTRUCTION_UNKNOWN when an instruction is not metered; COMPONENT_UNSUPPORTED for shared or 64-bit memories;
 *   COMPONENT_LIMIT; COMPONENT_INVALID when the bytes are malformed.
 */
export function meterModule(bytes: Uint8Array, name: string, slice: number = SLICE): MeteredModule {
  const layout = readLayout(bytes);
  const out = new Writer(Math.ceil(bytes.length * 1.7) + 1024);
  const rewrite = beginRewrite(name, layout, { out, slice });
  out.copy(bytes.subarray(0, 8));
  const open = (id: number): Reader | undefined => {
    const section = layout.sections.find((candidate) => candidate.id === id);
    return section && new Reader(bytes, section.start, section.end);
  };
  for (const id of SECTION_ORDER) writeSection(rewrite, id, open(id));
  declareHelpers(rewrite);
  const customs = layout.sections.filter(({ id }) => id === SectionId.custom);
  writeCustoms(
    out,
    customs.map(({ start, end }) => new Reader(bytes, start, end)),
    rewrite.indices,
  );
  return {
    bytes: out.finish(),
    memories: layout.memories,
    initialTableElements: rewrite.tableElements,
    initialHeapBytes: rewrite.constants.heapBytes,
  };
}
