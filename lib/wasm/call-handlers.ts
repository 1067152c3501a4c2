/**
 * Calls: function indices move, and the graph of calls is told, from which it is decided later which of them are counted.
 *
 * Source: WebAssembly 3.0, 5.4.1 Control Instructions.
 */
import { type IndexMap, mapFunction } from "./indices.ts";
import { type Body, escapeAll } from "./labels.ts";
import { Op } from "./opcodes.ts";
import { FOREIGN, IMPORTED, UNKNOWN } from "./stack.ts";

/** `call` */
export function callFunction(body: Body, at: number): void {
  const { charger, graph, reader, sites } = body;
  const callee = readCallee(body);
  charger.add(at);
  const number = graph.call(ownFunction(body.indices, callee), false);
  sites.noteCallee(number, callee);
  charger.insert(at, sites.writeCall, number);
  charger.cover(reader.pos);
  endCall(body, number);
}

/** Calls of functions that are known only when they are called. Their immediates have been read. */
export function callUnknown(body: Body, at: number): void {
  const { charger, graph, reader, sites } = body;
  charger.add(at);
  const number = graph.call(unknownFunction(body, at), false);
  charger.insert(at, sites.markStart, number);
  charger.insert(reader.pos, sites.markEnd, number);
  endCall(body, number);
}

/** `return_call` */
export function tailCallFunction(body: Body, at: number): void {
  const callee = readCallee(body);
  leaveBy(body, at, ownFunction(body.indices, callee));
  body.charger.replaceIndex(at + 1, body.reader.pos, callee);
}

/** Tail calls of functions that are known only when they are called. Their immediates have been read. */
export function tailCallUnknown(body: Body, at: number): void {
  leaveBy(body, at, unknownFunction(body, at));
}

function readCallee({ indices, reader }: Body): number {
  return mapFunction(indices, reader.u32());
}

/** Tells which of the module's own functions a mapped index means, or that it is none of them. */
function ownFunction({ importedFunctions, addedFunctions }: IndexMap, callee: number): number {
  return callee < importedFunctions ? IMPORTED : callee - importedFunctions - addedFunctions;
}

/** Tells what an indirect call may call: one by a reference anything, one by a table only what can be in one. */
function unknownFunction({ reader, sharesTables }: Body, at: number): number {
  const opcode = reader.bytes[at];
  const isByTable = opcode === Op.callIndirect || opcode === Op.returnCallIndirect;
  return isByTable && !sharesTables ? UNKNOWN : FOREIGN;
}

/** Whether a call is counted is known when all of them are. */
function endCall(body: Body, number: number): void {
  const { charger, frame, graph, sites } = body;
  if (graph.mayLeave(number)) {
    frame.keepsStack = true;
    sites.noteLocal(number, frame.locals);
  }
  charger.noteCall();
  body.mayLast = true;
  charger.noteLook();
  if (!body.callsEndRuns) return;
  escapeAll(body);
  charger.begin();
}

/** A tail call is a call: a function that only calls itself goes on for ever. */
function leaveBy(body: Body, at: number, target: number): void {
  const { charger, graph } = body;
  charger.add(at);
  const number = graph.call(target, true);
  if (graph.mayLeave(number)) charger.insert(at, body.writeTell);
  escapeAll(body);
  body.mayLast = true;
  charger.isDead = true;
}
