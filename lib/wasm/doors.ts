/**
 * How the modules of a call share its stack. Each counts in a global of its own, which is much cheaper than to count in one place. Where a module calls
 * what may be another one, it tells in shared memory what it has left. What it exports takes that over, through a door: a function of the same type that
 * leaves to the exported one by a tail call, so that it needs no stack of its own.
 */
import { type IndexMap, mapFunction } from "./indices.ts";
import { Op } from "./opcodes.ts";
import type { Rewrite } from "./rewrite.ts";
import { writeLoadStack } from "./settle.ts";
import { type Writer, writeIndexed } from "./writer.ts";

/** Leaves room for the index of an exported function. @param index - In the original module. */
export function noteExport({ exports, indices, out }: Rewrite, index: number): void {
  const callee = mapFunction(indices, index);
  const at = out.padded();
  out.patchU32(at, callee);
  if (index >= indices.importedFunctions) exports.push({ at, ordinal: index - indices.importedFunctions });
}

/**
 * Puts a door in front of each exported function of the module's own, when all code has been written. A function to which the code makes references stays as
 * it is: that it is exported is what allows them.
 *
 * @param referenced - Those, as indices in the output.
 */
export function openDoors(rewrite: Rewrite, referenced: ReadonlySet<number>): void {
  const { exports, helpers, indices, layout, out } = rewrite;
  const doors = new Map<number, number>();
  for (const { at, ordinal } of exports) {
    const callee = mapFunction(indices, ordinal + indices.importedFunctions);
    const type = layout.functionTypes[ordinal] ?? 0;
    const shape = layout.types[type];
    if (referenced.has(callee) || shape?.form !== "function") continue;
    const { parameters } = shape;
    const door = doors.get(callee) ?? helpers.addStub(type, (to) => writeDoor(to, indices, { callee, parameters }), 0);
    doors.set(callee, door);
    out.patchU32(at, door);
  }
}

interface Target {
  readonly callee: number;
  readonly parameters: number;
}

function writeDoor(out: Writer, { signal, stackGlobal }: IndexMap, { callee, parameters }: Target): void {
  writeLoadStack(out, signal);
  writeIndexed(out, Op.globalSet, stackGlobal);
  for (let parameter = 0; parameter < parameters; parameter++) writeIndexed(out, Op.localGet, parameter);
  writeIndexed(out, Op.returnCall, callee);
  out.u8(Op.end);
}
