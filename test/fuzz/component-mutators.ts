/**
 * Test support: changes to components: their sections at any depth, the core modules in them, and the bytes of all that.
 */
import type { Random } from "../wasm/values.ts";
import {
  assemble,
  COMPONENT_PREAMBLE,
  join,
  name,
  readUnsigned,
  type Section,
  sized,
  spliced,
  split,
  unsigned,
} from "./binary.ts";
import { BYTES } from "./byte-mutators.ts";
import { edgeBytes } from "./edges.ts";
import { mutateModule } from "./module-mutators.ts";

const CORE_MODULE = 1;
const COMPONENT = 4;

type Change = (sections: Section[], random: Random, others: readonly Section[]) => void;

/** Changes a component. */
export function mutateComponent(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  if (random.once(6)) return random.pick(BYTES)(bytes, random, other);
  let made = bytes;
  for (let left = 1 + random.below(3); left > 0; left--) made = changeOnce(made, random, other);
  return made;
}

function changeOnce(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  const sections = split(bytes);
  if (sections === undefined) return random.pick(BYTES)(bytes, random, other);
  const inner = sections.findIndex(({ id }) => id === COMPONENT);
  const nested = sections[inner];
  if (nested !== undefined && random.once(2)) {
    sections[inner] = { id: COMPONENT, content: changeOnce(nested.content, random, other) };
  } else {
    random.pick(CHANGES)(sections, random, split(other) ?? []);
  }
  return assemble(COMPONENT_PREAMBLE, sections);
}

const CHANGES: readonly Change[] = [
  (sections, random) => sections.splice(index(sections, random), 1),
  (sections, random) =>
    sections.splice(index(sections, random), 0, ...sections.slice(index(sections, random)).slice(0, 1)),
  (sections, random) => sections.splice(index(sections, random), 0, ...sections.splice(index(sections, random), 1)),
  (sections, random, others) =>
    sections.splice(index(sections, random), 0, ...others.slice(index(others, random)).slice(0, 2)),
  (sections, _, others) => sections.push(...others),
  (sections, random) => edit(sections, random, (content) => random.pick(BYTES)(content, random, content)),
  (sections, random) => edit(sections, random, (content) => random.pick(BYTES)(content, random, content)),
  (sections, random) => edit(sections, random, (content) => random.pick(BYTES)(content, random, content)),
  (sections, random) => edit(sections, random, (content) => changeCount(content, random)),
  (sections, random) => edit(sections, random, (content) => insertInteger(content, random)),
  (sections, random) => edit(sections, random, (content) => breakName(content, random)),
  mutateInner,
  mutateInner,
  (sections, random) => wrap(sections, 1 + random.below(random.once(4) ? 60 : 4)),
  (sections, random) => sections.splice(index(sections, random), 0, nestTypes(1 + random.below(60))),
  (sections, random) => sections.splice(index(sections, random), 0, growTypes(1 + random.below(100))),
  (sections, random) =>
    sections.splice(index(sections, random), 0, { id: random.below(16), content: edgeBytes(random) }),
  (sections, random) => sections.push({ id: 0, content: join([name("component-name"), edgeBytes(random)]) }),
  (sections, random) => sections.push(addExport(random)),
];

function index(sections: readonly Section[], random: Random): number {
  return random.below(Math.max(1, sections.length));
}

function edit(sections: Section[], random: Random, change: (content: Uint8Array) => Uint8Array): void {
  const at = index(sections, random);
  const section = sections[at];
  if (section !== undefined) sections[at] = { id: section.id, content: change(section.content) };
}

function changeCount(content: Uint8Array, random: Random): Uint8Array {
  const count = readUnsigned(content, 0);
  if (count === undefined) return content;
  const off = random.once(2) ? unsigned(count.value + 1) : edgeBytes(random);
  return spliced(content, [0, count.next], off);
}

function insertInteger(content: Uint8Array, random: Random): Uint8Array {
  const at = random.below(content.length + 1);
  return spliced(content, [at, Math.min(content.length, at + random.below(3))], edgeBytes(random));
}

/** Puts a character that no plain name has into what looks like a name. */
function breakName(content: Uint8Array, random: Random): Uint8Array {
  const letters = [...content.subarray(0, 4000).keys()].filter((at) => ((content[at] ?? 0) & 0xe0) === 0x60);
  if (letters.length === 0) return content;
  const at = random.pick(letters);
  return spliced(content, [at, at + 1], [random.pick([0x22, 0x27, 0x5c, 0x0a, 0x60, 0x7b, 0x2a, 0x00, 0xff, 0xc3])]);
}

function mutateInner(sections: Section[], random: Random): void {
  const modules = [...sections.keys()].filter((at) => sections[at]?.id === CORE_MODULE);
  if (modules.length === 0) return;
  const at = random.pick(modules);
  const content = sections[at]?.content ?? new Uint8Array();
  sections[at] = { id: CORE_MODULE, content: mutateModule(content, random, content) };
}

/** Puts all of a component into a component, into a component …. */
function wrap(sections: Section[], depth: number): void {
  let content = assemble(COMPONENT_PREAMBLE, sections);
  for (let level = 1; level < depth; level++) content = assemble(COMPONENT_PREAMBLE, [{ id: COMPONENT, content }]);
  sections.splice(0, sections.length, { id: COMPONENT, content });
}

/** A component type in a component type …. */
function nestTypes(depth: number): Section {
  let type: Uint8Array = Uint8Array.of(0x40, 0, 1, 0);
  for (let level = 0; level < depth; level++) type = join([[level % 2 === 0 ? 0x41 : 0x42], [1, 0x01], type]);
  return { id: 7, content: join([[1], type]) };
}

/** Tuples of the one before twice, if they come first. */
function growTypes(count: number): Section {
  const types = Array.from({ length: count }, (_, at) => join([[0x6f, 2], unsigned(at), unsigned(at)]));
  return { id: 7, content: join([unsigned(count + 1), [0x73], ...types]) };
}

function addExport(random: Random): Section {
  const label = sized(
    new TextEncoder().encode(random.pick(["run", "kami:tool/tool@0.1.0", "wasi:cli/run@0.2.0", "__proto__", ""])),
  );
  return {
    id: 11,
    content: join([[1, random.below(3)], label, [random.below(7)], edgeBytes(random), [random.below(2)]]),
  };
}
