/**
 * The instructions that KAMI meters, as data: what follows each opcode in the bytes, and how it moves control.
 *
 * Source: WebAssembly 3.0, 5.4 Instructions. An opcode that is not here is refused.
 */

/** The opcodes that the meter itself writes or tells apart, by the standard's names. */
export const Op = {
  unreachable: 0x00,
  nop: 0x01,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  drop: 0x1a,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  i32Load: 0x28,
  i64Load: 0x29,
  i32Store: 0x36,
  i64Store: 0x37,
  memorySize: 0x3f,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  i32Eqz: 0x45,
  i32LtS: 0x48,
  i32LtU: 0x49,
  i32GtU: 0x4b,
  i32LeU: 0x4d,
  i64GtU: 0x56,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Mul: 0x6c,
  i32And: 0x71,
  i32Or: 0x72,
  i32Shl: 0x74,
  i32ShrU: 0x76,
  i64Add: 0x7c,
  i64Sub: 0x7d,
  i64Mul: 0x7e,
  i64Shl: 0x86,
  i64ExtendI32U: 0xad,
  refNull: 0xd0,
  refFunc: 0xd2,
  prefixGc: 0xfb,
  prefixBulk: 0xfc,
  prefixSimd: 0xfd,
  prefixThreads: 0xfe,
} as const;

/** Sub-opcodes behind {@link Op.prefixBulk}. */
export const BulkOp = { memoryInit: 8, memoryCopy: 10, memoryFill: 11 } as const;

/** Sub-opcodes behind {@link Op.prefixGc}: those that may stand in constant expressions. */
export const GcOp = {
  structNew: 0,
  structNewDefault: 1,
  arrayNew: 6,
  arrayNewDefault: 7,
  arrayNewFixed: 8,
  anyConvertExtern: 26,
  externConvertAny: 27,
  refI31: 28,
} as const;

/** `v128.const`, behind {@link Op.prefixSimd}. */
export const V128_CONST = 12;

/** The block type of a block without parameters and results. */
export const EMPTY_BLOCK = 0x40;

/** How an instruction is laid out and what the meter must do about it. */
export const Kind = {
  unknown: 0,
  /** No immediate. */
  plain: 1,
  /** `nop`: free. */
  free: 2,
  /** One 32-bit index that needs no change. */
  index: 3,
  /** Two 32-bit indices that need no change. */
  indexPair: 4,
  memoryArgument: 5,
  i32: 6,
  i64: 7,
  f32: 8,
  f64: 9,
  heapType: 10,
  /** A vector of value types. */
  valueTypes: 11,
  block: 12,
  loop: 13,
  if: 14,
  else: 15,
  end: 16,
  /** Leaves the function or the block: `return`, `throw_ref`. */
  leave: 17,
  throw: 18,
  tailCallPair: 19,
  branch: 20,
  branchMaybe: 21,
  branchTable: 22,
  call: 23,
  tailCall: 24,
  callPair: 25,
  callIndex: 26,
  functionIndex: 27,
  globalIndex: 28,
  memoryGrow: 29,
  tableGrow: 30,
  memoryFill: 31,
  memoryCopy: 32,
  /** Bulk over elements of tables; one or two indices. */
  bulkElements: 33,
  bulkElementsPair: 34,
  tryTable: 35,
  try: 36,
  catch: 37,
  catchAll: 38,
  delegate: 39,
  bytes16: 40,
  lane: 41,
  memoryArgumentLane: 42,
  /** Ends the run by a trap: `unreachable`. */
  stop: 43,
  rethrow: 44,
  /** A loop that is written as four blocks: no instruction has this kind. */
  outlinedLoop: 45,
  tailCallIndex: 46,
  memoryInit: 47,
  /** Makes a structure. */
  structNew: 48,
  /** Makes an array, as long as the operand on top says; one or two indices. */
  arrayNew: 49,
  arrayNewPair: 50,
  arrayNewFixed: 51,
  /** Bulk over elements of arrays; one or two indices. */
  arrayBulk: 52,
  arrayBulkPair: 53,
  branchOnCast: 54,
  memorySize: 55,
  prefix: 56,
} as const;

/** Layout of the one-byte opcodes, by opcode. */
export const ONE_BYTE: Uint8Array = table(256, [
  [0x00, 0x00, Kind.stop],
  [0x01, 0x01, Kind.free],
  [0x02, 0x02, Kind.block],
  [0x03, 0x03, Kind.loop],
  [0x04, 0x04, Kind.if],
  [0x05, 0x05, Kind.else],
  [0x06, 0x06, Kind.try],
  [0x07, 0x07, Kind.catch],
  [0x08, 0x08, Kind.throw],
  [0x09, 0x09, Kind.rethrow],
  [0x0a, 0x0a, Kind.leave],
  [0x0b, 0x0b, Kind.end],
  [0x0c, 0x0c, Kind.branch],
  [0x0d, 0x0d, Kind.branchMaybe],
  [0x0e, 0x0e, Kind.branchTable],
  [0x0f, 0x0f, Kind.leave],
  [0x10, 0x10, Kind.call],
  [0x11, 0x11, Kind.callPair],
  [0x12, 0x12, Kind.tailCall],
  [0x13, 0x13, Kind.tailCallPair],
  [0x14, 0x14, Kind.callIndex],
  [0x15, 0x15, Kind.tailCallIndex],
  [0x18, 0x18, Kind.delegate],
  [0x19, 0x19, Kind.catchAll],
  [0x1a, 0x1b, Kind.plain],
  [0x1c, 0x1c, Kind.valueTypes],
  [0x1f, 0x1f, Kind.tryTable],
  [0x20, 0x22, Kind.index],
  [0x23, 0x24, Kind.globalIndex],
  [0x25, 0x26, Kind.index],
  [0x28, 0x3e, Kind.memoryArgument],
  [0x3f, 0x3f, Kind.memorySize],
  [0x40, 0x40, Kind.memoryGrow],
  [0x41, 0x41, Kind.i32],
  [0x42, 0x42, Kind.i64],
  [0x43, 0x43, Kind.f32],
  [0x44, 0x44, Kind.f64],
  [0x45, 0xc4, Kind.plain],
  [0xd0, 0xd0, Kind.heapType],
  [0xd1, 0xd1, Kind.plain],
  [0xd2, 0xd2, Kind.functionIndex],
  [0xd3, 0xd4, Kind.plain],
  [0xd5, 0xd6, Kind.branchMaybe],
  [0xfb, 0xfe, Kind.prefix],
]);

/** Layout of the opcodes behind 0xFB, by sub-opcode: garbage collection. */
export const PREFIX_FB: Uint8Array = table(31, [
  [0, 1, Kind.structNew],
  [2, 5, Kind.indexPair],
  [6, 7, Kind.arrayNew],
  [8, 8, Kind.arrayNewFixed],
  [9, 10, Kind.arrayNewPair],
  [11, 14, Kind.index],
  [15, 15, Kind.plain],
  [16, 16, Kind.arrayBulk],
  [17, 19, Kind.arrayBulkPair],
  [20, 23, Kind.heapType],
  [24, 25, Kind.branchOnCast],
  [26, 30, Kind.plain],
]);

/** Layout of the opcodes behind 0xFC, by sub-opcode: saturating conversion, bulk memory, tables, wide arithmetic. */
export const PREFIX_FC: Uint8Array = table(23, [
  [0, 7, Kind.plain],
  [8, 8, Kind.memoryInit],
  [9, 9, Kind.index],
  [10, 10, Kind.memoryCopy],
  [11, 11, Kind.memoryFill],
  [12, 12, Kind.bulkElementsPair],
  [13, 13, Kind.index],
  [14, 14, Kind.bulkElementsPair],
  [15, 15, Kind.tableGrow],
  [16, 16, Kind.index],
  [17, 17, Kind.bulkElements],
  // Source: the Wide Arithmetic proposal, which the engine has and WebAssembly 3.0 has not.
  [19, 22, Kind.plain],
]);

/** Layout of the opcodes behind 0xFD, by sub-opcode: SIMD, and relaxed SIMD from 256. */
export const PREFIX_FD: Uint8Array = table(276, [
  [0, 11, Kind.memoryArgument],
  [12, 13, Kind.bytes16],
  [14, 20, Kind.plain],
  [21, 34, Kind.lane],
  [35, 83, Kind.plain],
  [84, 91, Kind.memoryArgumentLane],
  [92, 93, Kind.memoryArgument],
  [94, 275, Kind.plain],
]);

const STACK_SWITCHING_NAMES = "cont.new cont.bind suspend resume resume_throw resume_throw_ref switch".split(" ");
const ATOMIC_NAMES = ["memory.atomic.notify", "memory.atomic.wait32", "memory.atomic.wait64", "atomic.fence"];
const ATOMIC_WIDTHS = ["i32", "i64", "i32.8", "i32.16", "i64.8", "i64.16", "i64.32"];
const ATOMIC_OPERATIONS = [
  "load",
  "store",
  "rmw.add",
  "rmw.sub",
  "rmw.and",
  "rmw.or",
  "rmw.xor",
  "rmw.xchg",
  "rmw.cmpxchg",
];

/**
 * Names an instruction that KAMI does not meter.
 *
 * @param opcode - The first byte.
 * @param sub - The sub-opcode behind a prefix byte.
 * @returns The opcode in hexadecimal, and the name and the feature it belongs to where they are known.
 */
export function describeOpcode(opcode: number, sub?: number): string {
  const code = `0x${opcode.toString(16).padStart(2, "0")}${sub === undefined ? "" : ` 0x${sub.toString(16)}`}`;
  if (opcode === Op.prefixThreads && sub !== undefined) return `${code} (${atomicName(sub)}, threads)`;
  if (opcode >= 0xe0 && opcode <= 0xe6)
    return `${code} (${STACK_SWITCHING_NAMES[opcode - 0xe0] ?? ""}, stack switching)`;
  return code;
}

function atomicName(sub: number): string {
  if (sub < 0x10) return ATOMIC_NAMES[sub] ?? "unassigned";
  const width = ATOMIC_WIDTHS[(sub - 0x10) % 7] ?? "";
  const operation = ATOMIC_OPERATIONS[Math.floor((sub - 0x10) / 7)];
  if (operation === undefined) return "unassigned";
  const [type, bits] = width.split(".");
  const suffix =
    bits === undefined || operation === "store" ? (bits ?? "") : `${bits}${operation === "load" ? "_u" : ""}`;
  if (!operation.startsWith("rmw.")) return `${type}.atomic.${operation}${suffix}`;
  return `${type}.atomic.rmw${bits ?? ""}.${operation.slice(4)}${bits === undefined ? "" : "_u"}`;
}

function table(size: number, ranges: readonly (readonly [first: number, last: number, kind: number])[]): Uint8Array {
  const kinds = new Uint8Array(size);
  for (const [first, last, kind] of ranges) kinds.fill(kind, first, last + 1);
  return kinds;
}
