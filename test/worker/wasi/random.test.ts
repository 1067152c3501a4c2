import { describe, expect, test } from "bun:test";
import { RANDOM_LIMIT } from "../../../lib/worker/wasi/random.ts";
import { Guest } from "./core-guest.ts";
import { Recorder } from "./recorder.ts";

const BYTES: [interfaceName: string, name: string][] = [
  ["wasi:random/random", "get-random-bytes"],
  ["wasi:random/insecure", "get-insecure-random-bytes"],
];

describe.each(BYTES)("%s %s", (interfaceName, name) => {
  function take(len: unknown): Uint8Array {
    const bytes = new Recorder().call(interfaceName, name, len);
    if (!(bytes instanceof Uint8Array)) throw new Error("not bytes");
    return bytes;
  }

  test.each([0, 1, 65_535, 65_536, 65_537, RANDOM_LIMIT - 1, RANDOM_LIMIT])("gives exactly %d bytes", (len) => {
    expect(take(BigInt(len)).length).toBe(len);
  });

  test("fills every part of a long answer", () => {
    const bytes = take(BigInt(RANDOM_LIMIT));
    const chunks = Array.from({ length: 16 }, (_, index) => bytes.subarray(index * 65_536, (index + 1) * 65_536));
    expect(chunks.map((chunk) => new Set(chunk).size)).toEqual(Array.from({ length: 16 }, () => 256));
  });

  test("owns all of its buffer: nothing lies beyond the answer", () => {
    expect(take(10n).buffer.byteLength).toBe(10);
  });

  test("never repeats", () => {
    expect(take(32n)).not.toEqual(take(32n));
  });

  test.each([BigInt(RANDOM_LIMIT) + 1n, 2n ** 40n, 2n ** 64n - 1n])("traps when asked for %d bytes", (len) => {
    const call = new Recorder();
    expect(call.endOf(() => call.call(interfaceName, name, len))).toBe(
      `trap: it asked for ${len} random bytes at once, the limit is 1048576`,
    );
  });

  test("takes an i64 as unsigned: -1 is far above the limit", async () => {
    const guest = await Guest.open();
    expect(await guest.endOf([interfaceName, name], -1n, 64)).toBe(
      "trap: it asked for 18446744073709551615 random bytes at once, the limit is 1048576",
    );
    expect(guest.call.entered).toBe(1);
  });
});

describe("random words", () => {
  test.each([
    ["wasi:random/random", "get-random-u64"],
    ["wasi:random/insecure", "get-insecure-random-u64"],
  ])("%s %s gives different u64s, high bits included", (interfaceName, name) => {
    const call = new Recorder();
    const words = Array.from({ length: 64 }, () => call.call(interfaceName, name));
    expect(new Set(words).size).toBe(64);
    expect(words.some((word) => typeof word === "bigint" && word >= 2n ** 63n)).toBe(true);
    expect(words.every((word) => typeof word === "bigint" && word < 2n ** 64n)).toBe(true);
  });

  test("wasi:random/insecure-seed gives two words, different in each call", () => {
    const seeds = [1, 2, 3].map(() => new Recorder().call("wasi:random/insecure-seed", "insecure-seed"));
    expect(new Set(seeds.flat()).size).toBe(6);
  });
});
