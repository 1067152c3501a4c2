/**
 * Test support: changes to a module's sections, with the sizes put right. The gentle ones mostly leave a valid module valid.
 */
import type { Random } from "../wasm/values.ts";
import { join, name, readUnsigned, sized, spliced, unsigned, vector } from "./binary.ts";
import type { Mutator } from "./code-mutators.ts";
import type { Draft } from "./draft.ts";
import { edge, edgeBytes } from "./edges.ts";

/** Mostly leave the module valid. */
export const GENTLE_SECTIONS: readonly Mutator[] = [
  addCustom,
  addCustom,
  appendEntry,
  appendEntry,
  appendEntry,
  addExport,
  addExport,
  setMemories,
  addFunction,
  dropCustom,
];

/** Mostly do not. */
export const WILD_SECTIONS: readonly Mutator[] = [
  duplicateSection,
  removeSection,
  moveSection,
  resizeSection,
  changeCount,
  changeCount,
  changeByte,
  changeByte,
  insertInteger,
  insertInteger,
  setStart,
  setDataCount,
  setLimits,
  addImport,
  renumberSection,
  changeFunctionType,
  changeName,
];

/** Names that mean something to the meter or to tools. */
const NAMES = [
  "",
  "x",
  "name",
  "producers",
  "target_features",
  "dylink.0",
  "linking",
  "reloc.CODE",
  "metadata.code.branch_hint",
  ".debug_info",
  "sourceMappingURL",
  "kami:meter",
  "kami:start",
  "kami:read-fuel",
  "kami:write-fuel",
  "signal",
  "memory0",
  "memory0",
  "grow",
  "__proto__",
  "é\u202e\0",
];

/** Entries that are valid in most modules, by section. */
const ENTRIES: readonly (readonly [section: number, ...entries: (readonly number[])[]])[] = [
  [1, [0x60, 0, 0], [0x60, 1, 0x7f, 1, 0x7f], [0x60, 2, 0x7b, 0x70, 2, 0x7f, 0x6f], [0x60, 0, 1, 0x64, 0x70]],
  [
    1,
    [0x5f, 1, 0x7f, 1],
    [0x5e, 0x78, 1],
    [0x4e, 2, 0x60, 0, 0, 0x5e, 0x7f, 0],
    [0x4e, 0],
    [0x50, 0, 0x5f, 0],
    [0x4f, 0, 0x60, 0, 0],
  ],
  [
    4,
    [0x70, 0, 1],
    [0x6f, 1, 0, 5],
    [0x70, 1, 0xff, 0xff, 0x03, 0xff, 0xff, 0x7f],
    [0x40, 0, 0x63, 0x70, 0, 1, 0xd0, 0x70, 0x0b],
  ],
  [
    6,
    [0x7f, 1, 0x41, 0, 0x0b],
    [0x7e, 0, 0x42, 0x7f, 0x0b],
    [0x70, 1, 0xd0, 0x70, 0x0b],
    [0x7f, 0, 0x41, 1, 0x41, 2, 0x6a, 0x0b],
  ],
  [6, [0x70, 0, 0xd2, 0, 0x0b], [0x7f, 0, 0x23, 0, 0x0b], [0x7b, 0, 0xfd, 0x0c, ...new Uint8Array(16), 0x0b]],
  [9, [3, 0, 0], [3, 0, 1, 0], [1, 0, 1, 0], [5, 0x70, 1, 0xd0, 0x70, 0x0b], [0, 0x41, 0, 0x0b, 0], [7, 0x70, 0]],
  [9, [2, 0, 0x41, 0, 0x0b, 0, 1, 0], [4, 0x41, 0, 0x0b, 1, 0xd2, 0, 0x0b], [6, 0, 0x41, 0, 0x0b, 0x70, 0]],
  [11, [1, 3, 1, 2, 3], [0, 0x41, 0, 0x0b, 2, 1, 2], [2, 0, 0x41, 0, 0x0b, 0]],
  [13, [0, 0]],
  [5, [0, 1], [1, 1, 2], [1, 0, 0]],
];

function addCustom(draft: Draft, random: Random): void {
  const content = random.once(2)
    ? brokenNames(random)
    : join([name(random.pick(NAMES)), noise(random, random.below(40))]);
  draft.sections.splice(random.below(draft.sections.length + 1), 0, { id: 0, content });
}

/** A name section that is right, wrong about its functions, or cut. */
function brokenNames(random: Random): Uint8Array {
  const entries = Array.from({ length: random.below(5) }, (_, index) =>
    join([random.once(4) ? edgeBytes(random) : unsigned(index), name(random.pick(NAMES))]),
  );
  const functions = join([[1], sized(random.once(8) ? noise(random, 9) : vector(entries))]);
  const module = join([[0], sized(name(random.pick(NAMES)))]);
  const locals = join([[2], sized(noise(random, random.below(9)))]);
  const content = join([name("name"), ...[module, functions, locals].filter(() => !random.once(3))]);
  return random.once(5) ? content.subarray(0, random.below(content.length)) : content;
}

function noise(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.below(256));
}

function appendEntry(draft: Draft, random: Random): void {
  const [section, ...entries] = random.pick(ENTRIES);
  draft.append(section, random.pick(entries));
  if (section === 11 && draft.content(12) !== undefined) draft.replace(12, unsigned(draft.count(11)));
}

function addExport(draft: Draft, random: Random): void {
  const label = random.once(4) ? random.pick(NAMES) : `added-${random.below(1_000_000)}`;
  draft.append(
    7,
    join([
      name(label),
      [random.pick([0, 0, 0, 1, 2, 3, 4])],
      unsigned(random.once(8) ? edge(random) : random.below(3)),
    ]),
  );
}

function setMemories(draft: Draft, random: Random): void {
  const initial = random.pick([0, 1, 2, 16, 100, 65_535, 65_536]);
  const maximum = random.pick([initial, initial + 1, 65_536]);
  const limits = random.once(2) ? join([[0], unsigned(initial)]) : join([[1], unsigned(initial), unsigned(maximum)]);
  if (draft.content(5) !== undefined) draft.replace(5, vector([limits]));
}

/** Adds a function with a body that any type has: it comes last, so the others stay where they are. */
function addFunction(draft: Draft, random: Random): void {
  const { bodies } = draft;
  if (bodies.length === 0) return;
  const types = draft.count(1);
  draft.append(3, unsigned(random.below(types + (random.once(8) ? 1 : 0))));
  bodies.push(Uint8Array.of(0, 0x00, 0x0b));
}

function dropCustom(draft: Draft): void {
  draft.sections = draft.sections.filter(({ id }) => id !== 0);
}

function pickIndex(draft: Draft, random: Random): number {
  return random.below(Math.max(1, draft.sections.length));
}

function duplicateSection(draft: Draft, random: Random): void {
  const section = draft.sections[pickIndex(draft, random)];
  if (section !== undefined) draft.sections.splice(pickIndex(draft, random), 0, section);
}

function removeSection(draft: Draft, random: Random): void {
  draft.sections.splice(pickIndex(draft, random), 1);
}

function moveSection(draft: Draft, random: Random): void {
  const moved = draft.sections.splice(pickIndex(draft, random), 1);
  draft.sections.splice(pickIndex(draft, random), 0, ...moved);
}

function renumberSection(draft: Draft, random: Random): void {
  const index = pickIndex(draft, random);
  const content = draft.sections[index]?.content;
  if (content !== undefined) draft.sections[index] = { id: random.below(16), content };
}

function resizeSection(draft: Draft, random: Random): void {
  change(draft, random, (content) =>
    random.once(2)
      ? content.slice(0, random.below(content.length + 1))
      : join([content, noise(random, 1 + random.below(9))]),
  );
}

function changeCount(draft: Draft, random: Random): void {
  change(draft, random, (content) => {
    const count = readUnsigned(content, 0);
    if (count === undefined) return content;
    const off = random.once(2) ? unsigned(Math.max(0, count.value + random.pick([-1, 1]))) : edgeBytes(random);
    return spliced(content, [0, count.next], off);
  });
}

function changeByte(draft: Draft, random: Random): void {
  change(draft, random, (content) => {
    const copy = content.slice();
    // The front of a section says more than its end.
    const reach = random.once(2) ? Math.min(content.length, 24) : content.length;
    if (reach > 0)
      copy[random.below(reach)] = random.once(2) ? random.below(256) : random.pick([0, 1, 0x40, 0x7f, 0x80, 0xff]);
    return copy;
  });
}

function insertInteger(draft: Draft, random: Random): void {
  change(draft, random, (content) => {
    const at = random.below(content.length + 1);
    return spliced(content, [at, Math.min(content.length, at + random.below(3))], edgeBytes(random));
  });
}

function change(draft: Draft, random: Random, edit: (content: Uint8Array) => Uint8Array): void {
  const index = pickIndex(draft, random);
  const section = draft.sections[index];
  if (section !== undefined) draft.sections[index] = { id: section.id, content: edit(section.content) };
}

function setStart(draft: Draft, random: Random): void {
  draft.replace(8, random.once(4) ? edgeBytes(random) : unsigned(random.below(8)));
}

function setDataCount(draft: Draft, random: Random): void {
  draft.replace(12, random.once(2) ? edgeBytes(random) : unsigned(draft.count(11)));
}

/** Memories and tables with all flags and the edges as limits. */
function setLimits(draft: Draft, random: Random): void {
  const limits = join([[random.below(random.once(3) ? 256 : 8)], edgeBytes(random), edgeBytes(random)]);
  if (random.once(2)) draft.replace(5, vector([limits]));
  else draft.append(4, join([[random.pick([0x70, 0x6f, 0x69, 0x7f])], limits]));
}

function addImport(draft: Draft, random: Random): void {
  const kinds: readonly (readonly number[])[] = [
    [0, 0],
    [1, 0x70, 0, 0],
    [2, 0, 1],
    [3, 0x7f, 0],
    [4, 0, 0],
    [5, 0],
    [0x7f, 0],
  ];
  draft.append(2, join([name(random.pick(NAMES)), name(random.pick(NAMES)), random.pick(kinds)]));
}

function changeFunctionType(draft: Draft, random: Random): void {
  const types = [...draft.functionTypes()];
  if (types.length === 0) return;
  types[random.below(types.length)] = random.once(4) ? edge(random) : random.below(draft.count(1) + 1);
  draft.replace(3, vector(types.map((type) => unsigned(type))));
}

/** Breaks a letter of a name, or makes the name longer than what follows. */
function changeName(draft: Draft, random: Random): void {
  change(draft, random, (content) => {
    const letters = [...content.keys()]
      .slice(0, 2000)
      .filter((at) => isLetter(content[at]) && isLetter(content[at + 1]));
    if (letters.length === 0) return content;
    const at = random.pick(letters);
    return spliced(content, [at, at + 1], [random.pick([0x22, 0x5c, 0x0a, 0x00, 0xc3, 0xff, 0xed, 0x2a, 0x60])]);
  });
}

function isLetter(byte = 0): boolean {
  return byte >= 0x61 && byte <= 0x7a;
}
