/**
 * What core code passes in its memory: places, alignment and ends, texts in all encodings, and how much of it.
 */
import { describe, expect, test } from "bun:test";
import { LIFT_LIMIT_BYTES } from "../../../lib/component/link/context.ts";
import {
  bool,
  bytes,
  enumeration,
  flags,
  list,
  result,
  string,
  tuple,
  u16,
  u32,
  u64,
  u8,
  type ValueType,
} from "../../../lib/schema/value-type.ts";
import { Raw } from "./support/raw.ts";

const ABI = "it broke the component ABI:";
const OUTSIDE = `${ABI} an address or a length outside its memory`;
const NOT_ALIGNED = `${ABI} an address that is not aligned`;
const NO_TEXT = `${ABI} text that is not valid in its encoding`;
const TOO_MUCH = "it passes more than 4 MiB in one call of a function";

const f32: ValueType = { kind: "f32" };
const f64: ValueType = { kind: "f64" };

describe("values in memory", () => {
  test("16 core values are passed as they are, 17 as a place", async () => {
    const sixteen = await Raw.open(
      tuple(...Array.from({ length: 16 }, () => u8)),
      Array.from({ length: 16 }, () => "i32").join(" "),
    );
    expect(sixteen.pass(...Array.from({ length: 16 }, (_, index) => index + 256))).toEqual(
      Array.from({ length: 16 }, (_, index) => index),
    );
    const seventeen = await Raw.open(tuple(...Array.from({ length: 17 }, () => u8)), "i32");
    seventeen.memory.set(
      Array.from({ length: 17 }, (_, index) => 100 + index),
      65_536 - 17,
    );
    expect(seventeen.pass(65_536 - 17)).toEqual(Array.from({ length: 17 }, (_, index) => 100 + index));
    expect(seventeen.pass(65_536 - 16)).toBe(OUTSIDE);
    expect(seventeen.pass(-1)).toBe(OUTSIDE);
  });

  const wide = tuple(
    u8,
    u64,
    u16,
    f32,
    enumeration("a", "b"),
    flags(...labels(17)),
    u8,
    ...Array.from({ length: 12 }, () => u8),
  );

  test("a record is aligned as its widest part, and each part as itself", async () => {
    const raw = await Raw.open(wide, "i32");
    const view = new DataView(raw.memory.buffer);
    view.setUint8(64, 1);
    view.setBigUint64(72, 2n, true);
    view.setUint16(80, 3, true);
    view.setFloat32(84, 4.5, true);
    view.setUint8(88, 1);
    view.setUint32(92, 0x1_0001, true);
    view.setUint8(96, 7);
    view.setUint8(108, 9);
    expect(raw.pass(64)).toEqual([1, 2n, 3, 4.5, "b", 0x1_0001, 7, ...Array.from({ length: 11 }, () => 0), 9]);
    for (const place of [65, 66, 68, 71]) expect(raw.pass(place)).toBe(NOT_ALIGNED);
    // 45 bytes, and what is left of the last 8.
    expect(raw.pass(65_536 - 48)).toBeArray();
    expect(raw.pass(65_536 - 40)).toBe(OUTSIDE);
  });

  test.each([
    ["list<u8>", bytes, 1],
    ["list<u16>", list(u16), 2],
    ["list<u32>", list(u32), 4],
    ["list<f64>", list(f64), 8],
    ["list<tuple<u8, u16>>", list(tuple(u8, u16)), 4],
    ["list<string>", list(string), 8],
    ["list<result<u64>>", list(result(u64)), 16],
  ])("%s: one below its memory's end, at it, and beyond it", async (_, type, size) => {
    const raw = await Raw.open(type, "i32 i32");
    const last = 65_536 - size;
    expect(raw.pass(last, 1)).toHaveLength(1);
    expect(raw.pass(last, 0)).toHaveLength(0);
    expect(raw.pass(65_536, 0)).toHaveLength(0);
    expect(raw.pass(last, 2)).toBe(OUTSIDE);
    expect(raw.pass(65_536, 1)).toBe(OUTSIDE);
    expect(raw.pass(-16, 1)).toBe(OUTSIDE);
    expect(raw.pass(0, -1)).toBe(OUTSIDE);
    expect(raw.pass(-16, -1)).toBe(OUTSIDE);
    if (size > 1) expect(raw.pass(1, 0)).toBe(NOT_ALIGNED);
  });
});

describe("a text", () => {
  test("in UTF-8 keeps what begins like a byte-order mark, and NUL", async () => {
    const raw = await Raw.open(string, "i32 i32");
    raw.memory.set([0xef, 0xbb, 0xbf, 0x61, 0x00], 64);
    expect(raw.pass(64, 5)).toBe("\ufeffa\0");
    expect(raw.pass(64, 0)).toBe("");
  });

  test.each([
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["half a character", [0x61, 0xf0, 0x9f]],
    ["a lone continuation", [0x80]],
    ["an overlong NUL", [0xc0, 0x80]],
    ["beyond the last character", [0xf4, 0x90, 0x80, 0x80]],
  ])("in UTF-8 is refused: %s", async (_, given) => {
    const raw = await Raw.open(string, "i32 i32");
    raw.memory.set(given, 64);
    expect(raw.pass(64, given.length)).toBe(NO_TEXT);
  });

  test("in UTF-16 is counted in units of two bytes, aligned, and well-formed", async () => {
    const raw = await Raw.open(string, "i32 i32", "utf16");
    new Uint16Array(raw.memory.buffer).set([0xfeff, 0xd83d, 0xde00, 0xd800, 0x61], 32);
    expect(raw.pass(64, 3)).toBe("\ufeff😀");
    expect(raw.pass(64, 2)).toBe(NO_TEXT);
    expect(raw.pass(70, 2)).toBe(NO_TEXT);
    expect(raw.pass(68, 1)).toBe(NO_TEXT);
    expect(raw.pass(65, 1)).toBe(NOT_ALIGNED);
    expect(raw.pass(65_534, 1)).toBe("\0");
    expect(raw.pass(65_534, 2)).toBe(OUTSIDE);
    expect(raw.pass(0, -1)).toBe(OUTSIDE);
  });

  test("in Latin-1 or UTF-16 says which it is in its length", async () => {
    const raw = await Raw.open(string, "i32 i32", "latin1+utf16");
    raw.memory.set([0xff, 0x80, 0x00, 0x61], 64);
    expect(raw.pass(64, 4)).toBe("ÿ\u0080\0a");
    expect(raw.pass(64, -2_147_483_648 + 2)).toBe("\u80ff\u6100");
    expect(raw.pass(65, 1)).toBe(NOT_ALIGNED);
    expect(raw.pass(65_536, 0)).toBe("");
    expect(raw.pass(65_536, -2_147_483_648)).toBe("");
    expect(raw.pass(65_536, 1)).toBe(OUTSIDE);
    expect(raw.pass(65_534, -2_147_483_648 + 2)).toBe(OUTSIDE);
    expect(raw.pass(0, -1)).toBe(OUTSIDE);
    raw.memory.set([0x00, 0xdc], 64);
    expect(raw.pass(64, -2_147_483_648 + 1)).toBe(NO_TEXT);
  });
});

describe("what one call may pass", () => {
  test("texts that are all the same one are counted each", async () => {
    const raw = await Raw.open(list(string), "i32 i32");
    const view = new DataView(raw.memory.buffer);
    const length = 32_768;
    for (let index = 0; index < 200; index++) {
      view.setUint32(1024 + index * 8, 32_768, true);
      view.setUint32(1028 + index * 8, length, true);
    }
    expect(raw.pass(1024, 127)).toHaveLength(127);
    expect(raw.pass(1024, 128)).toBe(TOO_MUCH);
    expect(raw.chargedBytes).toBeLessThan(3 * LIFT_LIMIT_BYTES);
  });

  test("lists that are all the same one are counted each", async () => {
    const raw = await Raw.open(list(list(bool)), "i32 i32");
    const view = new DataView(raw.memory.buffer);
    for (let index = 0; index < 100; index++) {
      view.setUint32(1024 + index * 8, 0, true);
      view.setUint32(1028 + index * 8, 65_536, true);
    }
    expect(raw.pass(1024, 7)).toHaveLength(7);
    expect(raw.pass(1024, 8)).toBe(TOO_MUCH);
  });

  test("a value in 50 tuples counts as 50 arrays: elements of one byte are not cheap", async () => {
    let deep: ValueType = u8;
    for (let depth = 0; depth < 50; depth++) deep = tuple(deep);
    const raw = await Raw.open(list(deep), "i32 i32");
    expect(raw.pass(0, 2600)).toHaveLength(2600);
    expect(raw.pass(0, 2650)).toBe(TOO_MUCH);
  });

  test("bytes for the host are a view, and not copied", async () => {
    const raw = await Raw.open(
      tuple(...Array.from({ length: 8 }, () => bytes)),
      Array.from({ length: 16 }, () => "i32").join(" "),
    );
    const all = Array.from({ length: 16 }, (_, index) => (index % 2 === 0 ? 0 : 65_536));
    expect(raw.pass(...all)).toHaveLength(8);
    expect(raw.chargedBytes).toBe(8 * 65_536);
  });
});

function labels(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `n${index}`);
}
