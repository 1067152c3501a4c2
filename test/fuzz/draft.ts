/**
 * Test support: a core module that is being changed, section by section and body by body; its sizes and counts are put right at the end.
 */
import {
  assemble,
  join,
  MODULE_PREAMBLE,
  placeOf,
  readUnsigned,
  type Section,
  split,
  unsigned,
  vector,
} from "./binary.ts";

const CODE = 10;

/** A function type of a module that has no others. */
export interface FunctionType {
  readonly params: Uint8Array;
  readonly results: Uint8Array;
}

/** A core module in parts. */
export class Draft {
  sections: Section[];
  #bodies: Uint8Array[] | undefined;

  /** Opens a module; undefined when its frame is broken. */
  static open(bytes: Uint8Array): Draft | undefined {
    const sections = split(bytes);
    return sections && new Draft(sections);
  }

  private constructor(sections: Section[]) {
    this.sections = sections;
  }

  /** The first section of that kind. */
  content(id: number): Uint8Array | undefined {
    return this.sections.find((section) => section.id === id)?.content;
  }

  /** How many entries the first section of that kind says it has. */
  count(id: number): number {
    return readUnsigned(this.content(id) ?? new Uint8Array(), 0)?.value ?? 0;
  }

  /** Replaces the first section of that kind, or puts one where it belongs. */
  replace(id: number, content: Uint8Array): void {
    const index = this.sections.findIndex((section) => section.id === id);
    if (index < 0) this.sections.splice(placeOf(id, this.sections), 0, { id, content });
    else this.sections[index] = { id, content };
    if (id === CODE) this.#bodies = undefined;
  }

  /** Adds an entry to a section that is a vector; makes the section when it is missing. */
  append(id: number, entry: Uint8Array | readonly number[]): void {
    const content = this.content(id) ?? Uint8Array.of(0);
    const count = readUnsigned(content, 0);
    if (count === undefined) return;
    this.replace(id, join([unsigned(count.value + 1), content.subarray(count.next), entry]));
  }

  /** The function bodies, without their sizes; changes to the array are kept. Empty when the section is broken. */
  get bodies(): Uint8Array[] {
    this.#bodies ??= readBodies(this.content(CODE));
    return this.#bodies;
  }

  /** Type of each function that the module defines, as an index. */
  functionTypes(): readonly number[] {
    return readIndices(this.content(3));
  }

  /** The function types; undefined when the module has others. */
  types(): readonly FunctionType[] | undefined {
    return readTypes(this.content(1));
  }

  /** Puts the module together. */
  finish(): Uint8Array {
    if (this.#bodies !== undefined && this.#bodies.length > 0) {
      const bodies = this.#bodies.map((body) => join([unsigned(body.length), body]));
      this.replace(CODE, vector(bodies));
    }
    return assemble(MODULE_PREAMBLE, this.sections);
  }
}

function readBodies(content: Uint8Array | undefined): Uint8Array[] {
  const bodies: Uint8Array[] = [];
  const count = content && readUnsigned(content, 0);
  if (content === undefined || count === undefined) return bodies;
  let at = count.next;
  for (let index = 0; index < count.value; index++) {
    const size = readUnsigned(content, at);
    if (size === undefined || size.next + size.value > content.length) return [];
    bodies.push(content.subarray(size.next, size.next + size.value));
    at = size.next + size.value;
  }
  return bodies;
}

function readIndices(content: Uint8Array | undefined): number[] {
  const indices: number[] = [];
  if (content === undefined) return indices;
  let next = readUnsigned(content, 0)?.next ?? content.length;
  while (next < content.length) {
    const index = readUnsigned(content, next);
    if (index === undefined) break;
    indices.push(index.value);
    next = index.next;
  }
  return indices;
}

function readTypes(content: Uint8Array | undefined): readonly FunctionType[] | undefined {
  const count = content && readUnsigned(content, 0);
  if (content === undefined || count === undefined) return undefined;
  const types: FunctionType[] = [];
  let at = count.next;
  for (let index = 0; index < count.value; index++) {
    if (content[at] !== 0x60) return undefined;
    const params = plainTypes(content, at + 1);
    const results = params && plainTypes(content, params.byteOffset - content.byteOffset + params.length);
    if (params === undefined || results === undefined) return undefined;
    types.push({ params, results });
    at = results.byteOffset - content.byteOffset + results.length;
  }
  return types;
}

/** A vector of one-byte types. */
function plainTypes(content: Uint8Array, at: number): Uint8Array | undefined {
  const count = readUnsigned(content, at);
  if (count === undefined) return undefined;
  const types = content.subarray(count.next, count.next + count.value);
  return types.length === count.value && types.every((type) => type >= 0x65) ? types : undefined;
}
