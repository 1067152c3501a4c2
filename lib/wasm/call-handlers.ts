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
  const callee = readCallee(body);
  const number = beginCall(body, at, ownFunction(body.indices, callee));
  body.charger.replaceIndex(at + 1, body.reader.pos, callee);
  endCall(body, number);
}

/** Calls of functions that are known only when they are called. Their immediates have been read. */
export function callUnknown(body: Body, at: number): void {
  endCall(body, beginCall(body, at, UNKNOWN));
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

/** Whether a call is counted is known when all of them are: what is put around it then needs its place. @returns The call's number. */
function beginCall({ charger, graph, sites }: Body, at: number, target: number): number {
  charger.add(at);
  const number = graph.call(target, false);
  charger.insert(at, sites.markStart, number);
  return number;
}

function endCall(body: Body, number: number): void {
  const { charger, reader, sites } = body;
  charger.insert(reader.pos, sites.markEnd, number);
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
