/**
 * What the function bodies of one module are metered with.
 */
import { CallSites } from "./calls.ts";
import { Charger } from "./charge.ts";
import { makeFrame, writeComeBack, writeEnter, writeGroups, writeStub, writeTell } from "./frame.ts";
import type { Body, BodyContext } from "./labels.ts";
import { SectionId } from "./layout.ts";
import { Reader } from "./reader.ts";
import type { Rewrite } from "./rewrite.ts";
import { findLargeData } from "./segments.ts";
import { CallGraph } from "./stack.ts";

/**
 * Makes the context of a module's bodies.
 *
 * @param reader - The code section.
 * @throws {Failure} COMPONENT_INVALID, COMPONENT_LIMIT, for what is wrong with the data section.
 */
export function contextOf(rewrite: Rewrite, reader: Reader): BodyContext {
  const { module, layout, indices, helpers } = rewrite;
  const data = layout.sections.find(({ id }) => id === SectionId.data);
  return {
    module,
    reader,
    charger: new Charger(reader.bytes, rewrite.out, indices),
    indices,
    types: layout.types,
    tags: layout.tags,
    largeData: findLargeData(rewrite, data && new Reader(reader.bytes, data.start, data.end)),
    helpers,
    referenced: new Set(),
    sharesTables: rewrite.sharesTables,
    callsEndRuns: layout.tags.length > 0,
    functionTypes: layout.functionTypes,
    graph: new CallGraph(layout.functions),
    sites: new CallSites(),
    spare: [],
    totals: { blocks: 0, locals: 0 },
  };
}

/** Makes what all bodies of a module are metered with, one after another. */
export function makeBody(context: BodyContext): Body {
  const body: Body = {
    ...context,
    frame: makeFrame(),
    labels: [],
    mayLast: false,
    blocks: 0,
    writeGroups: (out) => writeGroups(out, body.frame),
    writeEnter: (out) => writeEnter(out, body),
    writeStub: (out, ordinal) => writeStub(out, body, ordinal),
    writeTell: (out) => writeTell(out, body.indices),
    writeRestore: (out) => writeComeBack(out, body.indices, body.frame.locals),
  };
  return body;
}
