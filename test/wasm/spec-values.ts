/**
 * Test support: values of the WebAssembly specification's test suite, from and to JavaScript's, as texts that say every bit.
 */
import type { SpecValue } from "../../fixtures/spec/archive.ts";

/** Bytes of a lane. */
const LANE_BYTES = { i8: 1, i16: 2, i32: 4, i64: 8, f32: 4, f64: 8 } as const;
const BITS: ReadonlyMap<string, number> = new Map([
  ["i32", 32],
  ["i64", 64],
  ["f32", 32],
  ["f64", 64],
]);
/** References of the host's, by the number that the suite calls them by. */
const hosts = new Map<string, object>();

/** Says whether values of this type are made of bits. */
export function isNumeric(type: string): boolean {
  return type === "v128" || BITS.has(type);
}

/** The type of an expected value; `either` has that of its first alternative. */
export function typeOf({ type, values }: SpecValue): string {
  return type === "either" ? (values?.[0]?.type ?? type) : type;
}

/** Turns a value into what JavaScript passes. @throws {Error} for a `v128`, which it cannot. */
export function toJs({ type, value }: SpecValue): unknown {
  if (typeof value !== "string" || value === "null") return null;
  if (type === "i32") return Number(BigInt.asIntN(32, BigInt(value)));
  if (type === "i64") return BigInt.asIntN(64, BigInt(value));
  if (type === "f32" || type === "f64") return floatOf(type, BigInt(value));
  const known = hosts.get(value) ?? { host: value };
  hosts.set(value, known);
  return known;
}

/** Turns a numeric value into its 16 bytes in memory, the rest zero. */
export function toBytes({ type, value, lane_type: lane }: SpecValue): Uint8Array {
  const bytes = new Uint8Array(16);
  if (typeof value === "string") writeLane(bytes, { at: 0, size: (BITS.get(type) ?? 0) / 8 }, BigInt(value));
  else if (lane !== undefined) {
    const size = LANE_BYTES[lane];
    for (const [index, text] of (value ?? []).entries()) writeLane(bytes, { at: index * size, size }, BigInt(text));
  }
  return bytes;
}

/** Describes what JavaScript got back for a value of a type. */
export function describeJs(type: string, value: unknown): string {
  if (typeof value === "bigint") return `i64 ${BigInt.asUintN(64, value)}`;
  if (typeof value === "number" && type === "i32") return `i32 ${value >>> 0}`;
  if (typeof value === "number" && (type === "f32" || type === "f64")) return `${type} ${bitsOf(type, value)}`;
  if (typeof value === "number") return `number ${value}`;
  if (typeof value === "function") return "function";
  if (value === null || value === undefined) return String(value);
  for (const [name, host] of hosts) if (host === value) return `host ${name}`;
  return "object";
}

/** Describes what lies in memory for a numeric value of a type. */
export function describeBytes(type: string, bytes: Uint8Array): string {
  const bits = BITS.get(type);
  return bits === undefined ? `v128 ${bytes.toHex()}` : `${type} ${readLane(bytes, 0, bits / 8)}`;
}

/** Says whether a description is of a value that the suite allows. */
export function matches(expected: SpecValue, described: string): boolean {
  const { type, value, values } = expected;
  if (type === "either") return values?.some((choice) => matches(choice, described)) ?? false;
  if (type === "v128") return matchesVector(expected, described);
  if (isNumeric(type)) return matchesLane(described.split(" ")[1] ?? "", type, String(value));
  // References: `(ref.null)` of any type, one by its number, or any that is not null.
  if (type.includes("null") || value === "null") return described === "null";
  if (value !== undefined) return described === `host ${String(value)}`;
  if (type === "funcref") return described === "function";
  return described !== "null" && described !== "undefined";
}

function matchesVector({ lane_type: lane, value }: SpecValue, described: string): boolean {
  if (lane === undefined || !described.startsWith("v128 ") || !Array.isArray(value)) return false;
  const bytes = Uint8Array.fromHex(described.slice(5));
  const size = LANE_BYTES[lane];
  return value.every((text, index) => matchesLane(String(readLane(bytes, index * size, size)), lane, String(text)));
}

/**
 * Compares a number with what is expected, bit by bit.
 *
 * Source: WebAssembly 3.0, 4.3.3: a canonical NaN has only the top bit of its payload, an arithmetic one has that bit at least.
 */
function matchesLane(actual: string, type: string, expected: string): boolean {
  const bits = type.startsWith("i") || type.startsWith("f") ? Number(type.slice(1)) : 0;
  const quiet = bits === 32 ? 0x7fc00000n : 0x7ff8000000000000n;
  const magnitude = BigInt.asUintN(bits - 1, BigInt(actual));
  if (expected === "nan:canonical") return magnitude === quiet;
  if (expected === "nan:arithmetic") return (magnitude & quiet) === quiet;
  return BigInt(actual) === BigInt.asUintN(bits, BigInt(expected));
}

function writeLane(bytes: Uint8Array, lane: { readonly at: number; readonly size: number }, value: bigint): void {
  let rest = BigInt.asUintN(lane.size * 8, value);
  for (let index = 0; index < lane.size; index++) {
    bytes[lane.at + index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
}

function readLane(bytes: Uint8Array, at: number, size: number): bigint {
  let value = 0n;
  for (let index = size - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[at + index] ?? 0);
  return value;
}

function floatOf(type: "f32" | "f64", bits: bigint): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, bits, true);
  return type === "f32" ? view.getFloat32(0, true) : view.getFloat64(0, true);
}

function bitsOf(type: "f32" | "f64", value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  if (type === "f64") view.setFloat64(0, value, true);
  else view.setFloat32(0, value, true);
  return view.getBigUint64(0, true);
}
