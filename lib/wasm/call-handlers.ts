/**
 * Calls: function indices move, and the graph of calls is told, from which it is decided later which of them are counted.
 *
 * Source: WebAssembly 3.0, 5.4.1 Control Instructions.
 */
import { type IndexMap, mapFunction } from "./indices.ts";
import { type Body, escapeAll } from "./labels.ts";
import { IMPORTED, UNKNOWN } from "./stack.ts";

/** `call` */
export function callFunction(body: Body, at: number): void {
  const { charger, graph, reader, sites } = body;
  const callee = readCallee(body);
  charger.add(at);
  const number = graph.call(ownFunction(body.indices, callee), false);
  sites.note(number, callee);
  charger.insert(at, sites.writeCall, number);
  charger.cover(reader.pos);
  endCall(body);
}

/** Calls of functions that are known only when they are called. Their immediates have been read. */
export function callUnknown(body: Body, at: number): void {
  const { charger, graph, reader, sites } = body;
  charger.add(at);
  const number = graph.call(UNKNOWN, false);
  charger.insert(at, sites.markStart, number);
  charger.insert(reader.pos, sites.markEnd, number);
  endCall(body);
}

/** `return_call` */
export function tailCallFunction(body: Body, at: number): void {
  const callee = readCallee(body);
  leaveBy(body, at, ownFunction(body.indices, callee));
  body.charger.replaceIndex(at + 1, body.reader.pos, callee);
}

/** Tail calls of functions that are known only when they are called. Their immediates have been read. */
export function tailCallUnknown(body: Body, at: number): void {
  leaveBy(body, at, UNKNOWN);
}

function readCallee({ indices, reader }: Body): number {
  return mapFunction(indices, reader.u32());
}

/** Tells which of the module's own functions a mapped index means, or that it is none of them. */
function ownFunction({ importedFunctions, addedFunctions }: IndexMap, callee: number): number {
  return callee < importedFunctions ? IMPORTED : callee - importedFunctions - addedFunctions;
}

/** Whether a call is counted is known when all of them are. */
function endCall(body: Body): void {
  const { charger } = body;
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
  escapeAll(body);
  body.mayLast = true;
  graph.call(target, true);
  charger.isDead = true;
}
