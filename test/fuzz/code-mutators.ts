/**
 * Test support: changes to function bodies, with the sizes put right. The gentle ones mostly leave a valid module valid.
 */
import type { Random } from "../wasm/values.ts";
import { join, spliced, unsigned } from "./binary.ts";
import type { Draft } from "./draft.ts";
import { edge, edgeBytes, padded } from "./edges.ts";
import { type Body, type Instruction, readBody } from "./instructions.ts";
import { nest, pickSnippet } from "./snippets.ts";

/** Changes a module in place; does nothing where it does not fit. */
export type Mutator = (draft: Draft, random: Random) => void;

/** Mostly leave the module valid. */
export const GENTLE_CODE: readonly Mutator[] = [
  insertSnippet,
  insertSnippet,
  insertSnippet,
  changeConstant,
  changeConstant,
  exchangeOpcode,
  exchangeOpcode,
  swapLike,
  wrapBody,
  padInteger,
  addLocals,
  trapBody,
];

/** Mostly do not. */
export const WILD_CODE: readonly Mutator[] = [
  copyInstructions,
  copyInstructions,
  removeInstructions,
  changeInteger,
  changeInteger,
  mangleInteger,
  swapAny,
  changeOpcode,
  claimLocals,
  nestDeep,
  cutBody,
];

/** Opcodes that take and give the same. */
const LIKE: readonly (readonly [first: number, last: number])[] = [
  [0x45, 0x45],
  [0x46, 0x4f],
  [0x51, 0x5a],
  [0x5b, 0x60],
  [0x61, 0x66],
  [0x67, 0x69],
  [0x6a, 0x78],
  [0x79, 0x7b],
  [0x7c, 0x8a],
  [0x8b, 0x91],
  [0x92, 0x98],
  [0x99, 0x9f],
  [0xa0, 0xa6],
  [0x2c, 0x2f],
  [0xc0, 0xc1],
  [0xc2, 0xc4],
];

interface Place {
  readonly index: number;
  readonly bytes: Uint8Array;
  readonly body: Body;
}

function pickBody({ bodies }: Draft, random: Random): Place | undefined {
  if (bodies.length === 0) return undefined;
  // A large body takes long to read: one that is below 4 KiB, where there is one among three.
  for (let attempt = 0; ; attempt++) {
    const index = random.below(bodies.length);
    const bytes = bodies[index] ?? new Uint8Array();
    if (bytes.length > 4096 && attempt < 3) continue;
    const body = readBody(bytes);
    return body === undefined || body.instructions.length === 0 ? undefined : { index, bytes, body };
  }
}

function onBody(change: (place: Place, random: Random) => Uint8Array | undefined): Mutator {
  return (draft, random) => {
    const place = pickBody(draft, random);
    const changed = place && change(place, random);
    if (place !== undefined && changed !== undefined) draft.bodies[place.index] = changed;
  };
}

function onInstruction(
  fits: (instruction: Instruction) => boolean,
  change: (bytes: Uint8Array, instruction: Instruction, random: Random) => Uint8Array,
): Mutator {
  return onBody(({ bytes, body }, random) => {
    const fitting = body.instructions.filter(fits);
    return fitting.length === 0 ? undefined : change(bytes, random.pick(fitting), random);
  });
}

function insertSnippet(draft: Draft, random: Random): void {
  onBody(({ bytes, body }) => {
    const { at } = random.pick(body.instructions);
    return spliced(bytes, [at, at], pickSnippet(random));
  })(draft, random);
}

function changeConstant(draft: Draft, random: Random): void {
  onInstruction(
    ({ opcode }) => opcode >= 0x41 && opcode <= 0x44,
    (bytes, { at, end, opcode, integers }) => {
      if (opcode >= 0x43) return spliced(bytes, [at + 1, at + 2], [random.below(256)]);
      // As a signed number: the edges with their highest bit set are negative, which is as good.
      return spliced(bytes, integers[0] ?? [at + 1, end], padded(unsigned(random.below(0x4000_0000)), 5));
    },
  )(draft, random);
}

function classOf(opcode: number): readonly [first: number, last: number] | undefined {
  return LIKE.find(([first, last]) => opcode >= first && opcode <= last);
}

function exchangeOpcode(draft: Draft, random: Random): void {
  onInstruction(
    ({ opcode }) => classOf(opcode) !== undefined,
    (bytes, { at, opcode }) => {
      const [first, last] = classOf(opcode) ?? [opcode, opcode];
      return spliced(bytes, [at, at + 1], [first + random.below(last - first + 1)]);
    },
  )(draft, random);
}

/** Swaps the bodies of two functions of one type. */
function swapLike(draft: Draft, random: Random): void {
  const types = draft.functionTypes();
  const { bodies } = draft;
  if (bodies.length === 0) return;
  const one = random.below(bodies.length);
  const others = types.flatMap((type, index) => (index !== one && type === types[one] ? [index] : []));
  if (others.length > 0) swap(bodies, one, random.pick(others));
}

function swapAny({ bodies }: Draft, random: Random): void {
  if (bodies.length > 1) swap(bodies, random.below(bodies.length), random.below(bodies.length));
}

function swap(bodies: Uint8Array[], one: number, other: number): void {
  const [first, second] = [bodies[one], bodies[other]];
  if (first === undefined || second === undefined) return;
  bodies[one] = second;
  bodies[other] = first;
}

/** Puts a whole body, which takes nothing from outside but locals, into a block, a loop or an arm. */
function wrapBody(draft: Draft, random: Random): void {
  const place = pickBody(draft, random);
  const index = draft.functionTypes()[place?.index ?? -1];
  const type = draft.types()?.[index ?? -1];
  if (place === undefined || type === undefined || type.results.length > 1) return;
  const result = type.results[0] ?? 0x40;
  const { bytes, body } = place;
  // `else` is needed where there is a result.
  const open = random.pick([
    [0x02, result],
    [0x03, result],
    [0x41, 1, 0x04, result],
    [0x1f, result, 0x00],
  ]);
  const close = open[2] === 0x04 && result !== 0x40 ? [0x05, 0x00, 0x0b, 0x0b] : [0x0b, 0x0b];
  const inner = bytes.subarray(body.start, -1);
  draft.bodies[place.index] = join([bytes.subarray(0, body.start), open, inner, close]);
}

function padInteger(draft: Draft, random: Random): void {
  onInstruction(
    ({ integers }) => integers.length > 0,
    (bytes, { integers }) => {
      const [start, end] = random.pick(integers);
      return spliced(bytes, [start, end], padded(bytes.subarray(start, end), 2 + random.below(4)));
    },
  )(draft, random);
}

/** Adds a group of locals: it comes last, so the others stay where they are. */
function addLocals(draft: Draft, random: Random): void {
  const type = random.pick([0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f]);
  changeLocals(draft, random, join([unsigned(random.pick([0, 1, 2, 100, 1000])), [type]]));
}

function claimLocals(draft: Draft, random: Random): void {
  const type = random.pick([0x7f, 0x7b, 0x70, 0x69, 0x64, 0x40, 0x00]);
  changeLocals(draft, random, join([edgeBytes(random), [type]]));
}

function changeLocals(draft: Draft, random: Random, group: Uint8Array): void {
  onBody(({ bytes, body }) => {
    const groups = bytes[0] ?? 0;
    if (groups > 0x7e) return undefined;
    return join([[groups + 1], bytes.subarray(1, body.start), group, bytes.subarray(body.start)]);
  })(draft, random);
}

function trapBody(draft: Draft, random: Random): void {
  const bodies: readonly (readonly number[])[] = [
    [0, 0x00, 0x0b],
    [0, 0x03, 0x40, 0x0c, 0, 0x0b, 0x00, 0x0b],
    [0, 0x02, 0x40, 0x00, 0x0b, 0x00, 0x0b],
  ];
  const { length } = draft.bodies;
  if (length > 0) draft.bodies[random.below(length)] = Uint8Array.from(random.pick(bodies));
}

/** Copies some instructions from one body into another. */
function copyInstructions(draft: Draft, random: Random): void {
  const source = pickBody(draft, random);
  if (source === undefined) return;
  const { instructions } = source.body;
  const first = random.below(instructions.length);
  const last = Math.min(instructions.length - 1, first + random.below(8));
  const piece = source.bytes.subarray(instructions[first]?.at, instructions[last]?.end);
  onBody(({ bytes, body }) => {
    const { at } = random.pick(body.instructions);
    return spliced(bytes, [at, at], piece);
  })(draft, random);
}

function removeInstructions(draft: Draft, random: Random): void {
  onBody(({ bytes, body: { instructions } }) => {
    const first = random.below(instructions.length);
    const last = Math.min(instructions.length - 1, first + random.below(4));
    return spliced(bytes, [instructions[first]?.at ?? 0, instructions[last]?.end ?? 0], []);
  })(draft, random);
}

function changeInteger(draft: Draft, random: Random): void {
  onInstruction(
    ({ integers }) => integers.length > 0,
    (bytes, { integers }) => spliced(bytes, random.pick(integers), unsigned(edge(random))),
  )(draft, random);
}

function mangleInteger(draft: Draft, random: Random): void {
  onInstruction(
    ({ integers }) => integers.length > 0,
    (bytes, { integers }) => spliced(bytes, random.pick(integers), edgeBytes(random)),
  )(draft, random);
}

function changeOpcode(draft: Draft, random: Random): void {
  onInstruction(
    () => true,
    (bytes, { at }) => spliced(bytes, [at, at + 1], [random.below(256)]),
  )(draft, random);
}

/** Blocks in each other: below, at and above the limit; sometimes without their ends. */
function nestDeep(draft: Draft, random: Random): void {
  const depth = random.pick([100, 1000, 2000, random.once(8) ? 9998 + random.below(5) : 500]);
  const blocks = nest(
    depth,
    random.pick([
      [0x02, 0x40],
      [0x03, 0x40],
      [0x41, 0, 0x04, 0x40],
      [0x06, 0x40],
      [0x1f, 0x40, 0],
    ]),
  );
  onBody(({ bytes, body }) => {
    const { at } = random.pick(body.instructions);
    return spliced(bytes, [at, at], random.once(4) ? blocks.subarray(0, -depth) : blocks);
  })(draft, random);
}

function cutBody(draft: Draft, random: Random): void {
  onBody(({ bytes }) => bytes.slice(0, random.below(bytes.length)))(draft, random);
}
