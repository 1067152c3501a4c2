/**
 * Constant expressions: function indices move, and the objects that they make are counted. They are evaluated when an instance is made, before the
 * guest has a counter: so what they make is bounded when the module is rewritten, and charged with the instance.
 *
 * Source: WebAssembly 3.0, 3.3.10 Constant Expressions.
 */
import { refuse } from "../errors.ts";
import { arrayBytes, structBytes } from "./heap.ts";
import { type IndexMap, mapFunction } from "./indices.ts";
import { checkLimit } from "./limits.ts";
import { describeOpcode, GcOp, Op, V128_CONST } from "./opcodes.ts";
import type { Reader } from "./reader.ts";
import type { Shape } from "./types.ts";
import type { Writer } from "./writer.ts";

/** A value on the stack: the number of an i32, where it is known; all others are unknown. */
type Value = number | undefined;

/** What the constant expressions of one module stand in, and what they have made. */
export interface ConstantContext {
  /** For messages. */
  readonly module: string;
  readonly out: Writer;
  readonly indices: IndexMap;
  readonly types: readonly Shape[];
  /** The values of the globals so far, the imported ones first. */
  readonly globals: Value[];
  /** Bytes of the objects so far. */
  heapBytes: number;
}

interface Expression {
  readonly context: ConstantContext;
  readonly reader: Reader;
  readonly stack: Value[];
  /** Input offset that has been copied up to. */
  copied: number;
}

type Handler = (expression: Expression) => void;

/**
 * Copies a constant expression.
 *
 * @returns Its value, where it is a number that is known.
 * @throws {Failure} COMPONENT_INVALID, COMPONENT_LIMIT, COMPONENT_UNSUPPORTED; INSTRUCTION_UNKNOWN for what is not constant.
 */
export function copyConstant(context: ConstantContext, reader: Reader): Value {
  const expression: Expression = { context, reader, stack: [], copied: reader.pos };
  for (let at = reader.pos, opcode = reader.u8(); opcode !== Op.end; at = reader.pos, opcode = reader.u8()) {
    const sub = PREFIXES.has(opcode) ? reader.u32() : undefined;
    const handle = HANDLERS.get(keyOf(opcode, sub));
    if (handle === undefined) {
      throw refuse("INSTRUCTION_UNKNOWN", {
        module: context.module,
        offset: at,
        opcode: `${describeOpcode(opcode, sub)} in a constant expression`,
      });
    }
    handle(expression);
  }
  context.out.copyRange(reader.bytes, expression.copied, reader.pos);
  return expression.stack.at(-1);
}

const PREFIXES: ReadonlySet<number> = new Set([Op.prefixGc, Op.prefixBulk, Op.prefixSimd, Op.prefixThreads]);

const HANDLERS: ReadonlyMap<number, Handler> = new Map<number, Handler>([
  [Op.i32Const, ({ reader, stack }) => stack.push(readSigned(reader))],
  [Op.i64Const, unknown((reader) => reader.skipLeb(64))],
  [Op.f32Const, unknown((reader) => reader.skip(4))],
  [Op.f64Const, unknown((reader) => reader.skip(8))],
  [keyOf(Op.prefixSimd, V128_CONST), unknown((reader) => reader.skip(16))],
  [Op.refNull, unknown((reader) => reader.skipLeb(33))],
  [Op.refFunc, moveFunction],
  [Op.globalGet, getGlobal],
  [Op.i32Add, compute((left, right) => left + right)],
  [Op.i32Sub, compute((left, right) => left - right)],
  [Op.i32Mul, compute(Math.imul)],
  ...[Op.i64Add, Op.i64Sub, Op.i64Mul].map((opcode) => [opcode, compute(() => undefined)] as const),
  [keyOf(Op.prefixGc, GcOp.structNew), (expression) => makeStruct(expression, true)],
  [keyOf(Op.prefixGc, GcOp.structNewDefault), (expression) => makeStruct(expression, false)],
  [keyOf(Op.prefixGc, GcOp.arrayNew), (expression) => makeArray(expression, 1)],
  [keyOf(Op.prefixGc, GcOp.arrayNewDefault), (expression) => makeArray(expression, 0)],
  [keyOf(Op.prefixGc, GcOp.arrayNewFixed), makeFixedArray],
  [keyOf(Op.prefixGc, GcOp.refI31), convert],
  [keyOf(Op.prefixGc, GcOp.anyConvertExtern), convert],
  [keyOf(Op.prefixGc, GcOp.externConvertAny), convert],
]);

function keyOf(opcode: number, sub?: number): number {
  return sub === undefined ? opcode : opcode * 0x1_0000_0000 + sub;
}

function unknown(skip: (reader: Reader) => void): Handler {
  return ({ reader, stack }) => {
    skip(reader);
    stack.push(undefined);
  };
}

function compute(operate: (left: number, right: number) => Value): Handler {
  return (expression) => {
    const right = pop(expression);
    const left = pop(expression);
    const value = left === undefined || right === undefined ? undefined : operate(left, right);
    expression.stack.push(value === undefined ? undefined : value | 0);
  };
}

function convert(expression: Expression): void {
  pop(expression);
  expression.stack.push(undefined);
}

function moveFunction(expression: Expression): void {
  const { context, reader, stack } = expression;
  const { out, indices } = context;
  out.copyRange(reader.bytes, expression.copied, reader.pos);
  out.u32(mapFunction(indices, reader.u32()));
  expression.copied = reader.pos;
  stack.push(undefined);
}

function getGlobal({ context, reader, stack }: Expression): void {
  const index = reader.u32();
  if (index >= context.globals.length) throw reader.malformed(`global ${index} is not there yet`);
  stack.push(context.globals[index]);
}

function makeStruct(expression: Expression, hasOperands: boolean): void {
  const shape = shapeAt(expression);
  if (shape?.form !== "struct") throw expression.reader.malformed("no struct type");
  if (hasOperands) drop(expression, shape.fields);
  make(expression, structBytes(shape.bytes));
}

function makeFixedArray(expression: Expression): void {
  const shape = shapeAt(expression);
  if (shape?.form !== "array") throw expression.reader.malformed("no array type");
  const length = expression.reader.u32();
  drop(expression, length);
  make(expression, arrayBytes(length * 2 ** shape.shift));
}

function makeArray(expression: Expression, operands: number): void {
  const shape = shapeAt(expression);
  if (shape?.form !== "array") throw expression.reader.malformed("no array type");
  const length = pop(expression);
  drop(expression, operands);
  if (length === undefined) {
    throw refuse("COMPONENT_UNSUPPORTED", { what: "an array in a constant expression, as long as an import says" });
  }
  make(expression, arrayBytes((length >>> 0) * 2 ** shape.shift));
}

function shapeAt({ context, reader }: Expression): Shape | undefined {
  return context.types[reader.u32()];
}

function make({ context, stack }: Expression, bytes: number): void {
  context.heapBytes += bytes;
  checkLimit("initialHeapBytes", context.heapBytes, "the size of the objects in constant expressions in bytes");
  stack.push(undefined);
}

function drop(expression: Expression, count: number): void {
  if (count > expression.stack.length) throw expression.reader.malformed("too few operands");
  expression.stack.length -= count;
}

function pop(expression: Expression): Value {
  const { reader, stack } = expression;
  if (stack.length === 0) throw reader.malformed("too few operands");
  return stack.pop();
}

/** Reads a signed LEB128 of 32 bits. */
function readSigned(reader: Reader): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = reader.u8();
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return shift < 28 && (byte & 0x40) !== 0 ? value | (-1 << (shift + 7)) : value;
  }
  throw reader.malformed("an integer is too long");
}
