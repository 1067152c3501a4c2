/**
 * Instructions that make objects of the engine's heap, or work on many elements of one: fuel by length, and bytes before they are made.
 *
 * Type indices stay as they are: KAMI's types come last.
 *
 * Source: WebAssembly 3.0, 4.6.6 Aggregate Instructions; 5.4.7.
 */
import { allocateHelper, arrayBulkHelper, arrayBytes, arrayNewHelper, exceptionBytes, structBytes } from "./heap.ts";
import { type Body, copyLabel } from "./labels.ts";
import { Op } from "./opcodes.ts";
import type { Shape } from "./types.ts";
import { signedBytes } from "./writer.ts";

/** Binary logarithm of the bytes that cost one unit. */
const BYTES_SHIFT = 4;
/**
 * Units that are added to a run for one instruction, at most. What costs more is charged by a call: a function of so many of them in a
 * row would overflow the counter.
 */
const LARGEST_IN_RUN = 255;

/** `struct.new`, `struct.new_default` */
export function newStruct(body: Body, at: number): void {
  const { bytes } = shapeOf(body, body.reader.u32(), "struct");
  chargeMade(body, at, { bytes, heapBytes: structBytes(bytes) });
}

/** `array.new_fixed` */
export function newFixedArray(body: Body, at: number): void {
  const { shift } = shapeOf(body, body.reader.u32(), "array");
  const bytes = body.reader.u32() * 2 ** shift;
  chargeMade(body, at, { bytes, heapBytes: arrayBytes(bytes) });
}

/** `array.new`, `array.new_default`; with a second index `array.new_data`, `array.new_elem`. The length is on top. */
export function newArray(body: Body, at: number): void {
  const { shift } = shapeOf(body, body.reader.u32(), "array");
  const helper = body.helpers.use(`array.new ${shift}`, () => arrayNewHelper(body.indices, shift));
  body.charger.add(at);
  body.charger.insertCall(at, helper);
}

/** `array.fill`; with a second index `array.copy`, `array.init_data`, `array.init_elem`. The length is on top. */
export function changeArray(body: Body, at: number): void {
  const { shift } = shapeOf(body, body.reader.u32(), "array");
  const helper = body.helpers.use(`array ${shift}`, () => arrayBulkHelper(body.indices, shift));
  body.charger.add(at);
  body.charger.insertCall(at, helper);
}

/** `br_on_cast`, `br_on_cast_fail` */
export function branchOnCast(body: Body, at: number): void {
  const { charger, reader } = body;
  charger.add(at);
  // Which of the two types are nullable.
  reader.u8();
  copyLabel(body);
  reader.skipLeb(33);
  reader.skipLeb(33);
  charger.begin();
}

/** Counts the bytes of the exception that a `throw` makes: a guest can keep exceptions. */
export function chargeException(body: Body, at: number): void {
  const tag = body.reader.u32();
  const type = body.tags[tag];
  if (type === undefined) throw body.reader.malformed(`tag ${tag} does not exist`);
  allocate(body, at, exceptionBytes(shapeOf(body, type, "function").parameterBytes));
}

/** Charges for an object whose size is known. */
function chargeMade(
  body: Body,
  at: number,
  { bytes, heapBytes }: { readonly bytes: number; readonly heapBytes: number },
): void {
  const { charger, indices } = body;
  const units = bytes >> BYTES_SHIFT;
  charger.add(at);
  if (units > LARGEST_IN_RUN) {
    insertConstant(body, at, bytes);
    charger.insertCall(at, indices.chargeBytes);
    charger.insertBytes(at, [Op.drop]);
  } else if (!charger.isDead) charger.addCost(units);
  allocate(body, at, heapBytes);
}

function allocate(body: Body, at: number, bytes: number): void {
  const helper = body.helpers.use("allocate", () => allocateHelper(body.indices));
  insertConstant(body, at, bytes);
  body.charger.insertCall(at, helper);
}

/** Puts `i32.const value` in front of the input at `at`. @param value - 0 to 2^31 - 1. */
function insertConstant(body: Body, at: number, value: number): void {
  body.charger.insertBytes(at, [Op.i32Const, ...signedBytes(value)]);
}

type ShapeOf<F extends Shape["form"]> = Extract<Shape, { readonly form: F }>;

function shapeOf<F extends Shape["form"]>(body: Body, index: number, form: F): ShapeOf<F> {
  const shape = body.types[index];
  if (!isForm(shape, form)) throw body.reader.malformed(`type ${index} is no ${form} type`);
  return shape;
}

function isForm<F extends Shape["form"]>(shape: Shape | undefined, form: F): shape is ShapeOf<F> {
  return shape?.form === form;
}
