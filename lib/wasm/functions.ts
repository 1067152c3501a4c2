/**
 * The functions of a rewritten module: the guest's, metered, and behind them those that the meter adds.
 *
 * Source: WebAssembly 3.0, 5.5.6 Function Section, 5.5.13 Code Section.
 */
import { meterBody } from "./code.ts";
import { contextOf, makeBody } from "./context.ts";
import { openDoors } from "./doors.ts";
import { additionsFor, writeHelpers } from "./helpers.ts";
import { checkLimit } from "./limits.ts";
import type { Reader } from "./reader.ts";
import { copyRest, type Rewrite } from "./rewrite.ts";
import { Writer } from "./writer.ts";

/** Writes the function section. */
export function writeFunctions(rewrite: Rewrite, reader: Reader | undefined): void {
  const { out, layout } = rewrite;
  const { helperTypes } = additionsFor(layout);
  const count = reader?.u32() ?? 0;
  rewrite.functionCountAt = out.padded();
  out.patchU32(rewrite.functionCountAt, count + helperTypes.length);
  copyRest(rewrite, reader);
  for (const type of helperTypes) out.u32(layout.types.length + type);
  rewrite.functionsEnd = out.length;
}

/** Adds the helpers that the code turned out to need to the function section, which stands in front of it. */
export function declareHelpers({ out, layout, helpers, functionCountAt, functionsEnd }: Rewrite): void {
  const types = new Writer(64);
  for (const type of helpers.types) types.u32(type);
  if (types.length === 0) return;
  const count = layout.functions + additionsFor(layout).helperTypes.length + helpers.types.length;
  out.patchU32(functionCountAt, count);
  out.insert(functionsEnd, types.finish());
  out.patchSize(functionCountAt, functionsEnd + types.length);
}

/**
 * Writes the code section.
 *
 * @throws {Failure} INSTRUCTION_UNKNOWN, COMPONENT_INVALID, COMPONENT_LIMIT
 */
export function writeCode(rewrite: Rewrite, reader: Reader): void {
  const { out, layout, helpers } = rewrite;
  const count = reader.u32();
  if (count !== layout.functions) throw reader.malformed("as many bodies as functions were expected");
  const countAt = out.padded();
  const body = makeBody(contextOf(rewrite, reader));
  for (let index = 0; index < count; index++) {
    const claimed = reader.u32();
    const end = reader.pos + claimed;
    // Not by writeSized: a function for each of tens of thousands.
    const sizeAt = out.padded();
    const start = out.length;
    body.sites.enter(start);
    meterBody(body, index);
    body.totals.blocks += body.blocks;
    checkLimit("allBlocks", body.totals.blocks, "the number of blocks of all functions, once metered");
    const size = out.length - start;
    out.patchU32(sizeAt, size);
    checkLimit("functionBytes", size, "the size of a function in bytes, once metered");
    if (reader.pos !== end) throw reader.malformed("a function body does not end where its size says");
  }
  body.sites.count(out, rewrite.indices, body.graph);
  openDoors(rewrite, body.referenced);
  if (count > 0) writeHelpers(out, rewrite.indices, layout);
  helpers.writeBodies(out);
  out.patchU32(countAt, count + additionsFor(layout).helperTypes.length + helpers.types.length);
}
