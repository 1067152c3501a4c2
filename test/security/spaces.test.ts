/**
 * A guest that names what is KAMI's: its counters, its functions, its types and the memory in which it settles its fuel. The meter puts them
 * behind the guest's own in each index space, so a guest can only reach them by an index that its own module does not have.
 */
import { describe, expect, test } from "bun:test";
import { meterModule } from "../../lib/wasm/meter.ts";

/** A section: its number and its content in hex. */
type Section = readonly [id: number, hex: string];

/** `[] → []` and `[] → [i32]`. */
const TYPES: Section = [1, "02600000 6000017f"];
const FUNCTION: Section = [3, "0100"];
const TABLE: Section = [4, "01700001"];
const MEMORY: Section = [5, "010001"];
/** A mutable i32. */
const GLOBAL: Section = [6, "017f0141000b"];
/** Indices from the first that is KAMI's on: the meter adds fewer than so many of each. */
const BEYOND = Array.from({ length: 16 }, (_, more) => 1 + more);

const ATTACKS: readonly (readonly [name: string, sections: (index: string) => readonly Section[]])[] = [
  ["global.set", (index) => withBody(`4100 24${index}`)],
  ["global.get", (index) => withBody(`23${index} 1a`)],
  ["a global's initial value", (index) => [TYPES, [6, `017f0023${index}0b`]]],
  ["an export of a global", (index) => [...withBody(""), [7, `01016103${index}`]]],
  ["call", (index) => withBody(`10${index}`)],
  ["return_call", (index) => withBody(`12${index}`)],
  ["ref.func", (index) => withBody(`d2${index} 1a`)],
  ["an export of a function", (index) => [...withBody(""), [7, `01016100${index}`]]],
  ["the start function", (index) => [...withBody(""), [8, index]]],
  ["an element", (index) => [...withBody(""), [9, `0100 41000b 01${index}`]]],
  ["an element of a declared segment", (index) => [...withBody(""), [9, `01030001${index}`]]],
  ["an element's expression", (index) => [...withBody(""), [9, `0104 41000b 01 d2${index}0b`]]],
  ["i32.store", (index) => withBody(`4100 4100 3642${index}00`)],
  ["i64.store", (index) => withBody(`4100 4200 3743${index}00`)],
  ["i32.load", (index) => withBody(`4100 2842${index}00 1a`)],
  ["v128.store", (index) => withBody(`4100 fd0c${"00".repeat(16)} fd0b44${index}00`)],
  ["v128.store64_lane", (index) => withBody(`4100 fd0c${"00".repeat(16)} fd5b43${index}0000`)],
  ["memory.size", (index) => withBody(`3f${index} 1a`)],
  ["memory.grow", (index) => withBody(`4100 40${index} 1a`)],
  ["memory.fill", (index) => withBody(`4100 4100 4110 fc0b${index}`)],
  ["memory.copy to it", (index) => withBody(`4100 4100 4110 fc0a${index}00`)],
  ["memory.copy from it", (index) => withBody(`4100 4100 4110 fc0a00${index}`)],
  ["memory.init", (index) => [...withBody(`4100 4100 4110 fc0800${index}`, [12, "01"]), [11, "01010100"]]],
  ["an active data segment", (index) => [...withBody(""), [11, `0102${index}41000b0100`]]],
  ["an export of a memory", (index) => [...withBody(""), [7, `01016102${index}`]]],
  ["an atomic store", (index) => withBody(`4100 4100 fe1742${index}00`)],
  ["an atomic wait", (index) => withBody(`4100 4100 427f fe0142${index}00 1a`)],
];

/** A module with one of everything, and one function. */
function withBody(instructions: string, before?: Section): readonly Section[] {
  const body = `00${squeeze(instructions)}0b`;
  const code: Section = [10, `01${size(body)}${body}`];
  return [TYPES, FUNCTION, TABLE, MEMORY, GLOBAL, ...(before === undefined ? [] : [before]), code];
}

describe("meterModule() refuses an index of KAMI's", () => {
  test.each(ATTACKS)("in %s", (_name, sections) => {
    for (const index of BEYOND) {
      // Also written longer than it need be.
      for (const text of [byte(index), `${byte(index | 0x80)}00`, `${byte(index | 0x80)}80808000`]) {
        const bytes = build(sections(text));
        expect(() => new WebAssembly.Module(meterModule(bytes, "test").bytes.slice())).toThrow();
        expect(() => meterModule(bytes, "test")).toThrow(
          /does not exist|is not there yet|unknown instruction .*threads/,
        );
      }
    }
  });

  test("and takes the guest's own in the same places", () => {
    for (const [name, sections] of ATTACKS) {
      if (name.startsWith("an atomic") || name === "a global's initial value") continue;
      expect([name, meterModule(build(sections("00")), "test").bytes.length > 0]).toEqual([name, true]);
    }
  });
});

describe("meterModule() refuses an export that the host takes for KAMI's", () => {
  test.each(["read-fuel", "write-fuel", "read-stack", "read-heap", "write-heap", "start"])("kami:%s", (name) => {
    const text = Buffer.from(`kami:${name}`).toString("hex");
    const bytes = build([...withBody(""), [7, `01${size(text)}${text}0000`]]);
    expect(() => meterModule(bytes, "test")).toThrow(`an export named "kami:${name}"`);
  });
});

function build(sections: readonly Section[]): Uint8Array {
  const ordered = sections.toSorted(([a], [b]) => order(a) - order(b));
  const text = ordered.map(([id, hex]) => `${byte(id)}${size(squeeze(hex))}${squeeze(hex)}`).join("");
  return Uint8Array.fromHex(`0061736d01000000${text}`);
}

/** A section's place: the data count stands in front of the code. */
function order(id: number): number {
  return id === 12 ? 9.5 : id;
}

function squeeze(hex: string): string {
  return hex.replaceAll(" ", "");
}

/** LEB128 of the number of bytes, for less than 16,384. */
function size(hex: string): string {
  const bytes = hex.length / 2;
  return bytes < 128 ? byte(bytes) : `${byte((bytes & 0x7f) | 0x80)}${byte(bytes >> 7)}`;
}

function byte(value: number): string {
  return value.toString(16).padStart(2, "0");
}
