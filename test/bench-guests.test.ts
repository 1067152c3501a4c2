/**
 * The guests of the compute suite: what is committed is what their sources build. A guest whose exact toolchain is not here is not rebuilt, and
 * says so. Rust guests are never rebuilt here: that takes the network. That each computes its known answer, the suite itself checks.
 */
import { describe, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname } from "node:path";
import { guestFile, GUESTS } from "../bench/guests/list.ts";
import { lockGuest, readLock, sourceFile } from "../bench/guests/lock.ts";
import { compileC, identifyClang } from "../fixtures/clang.ts";

const lock = await readLock();
const clang = await identifyClang();

describe("bench/guests/built.json", () => {
  test("names exactly the guests that there are, in order", () => {
    expect([...lock.keys()]).toEqual(GUESTS.map(({ stem }) => stem));
  });

  test.each(GUESTS)("has the digests of $name", async (guest) => {
    const { sources, wasm } = await lockGuest(guest);
    const locked = lock.get(guest.stem);
    expect({ sources, wasm }).toEqual({ sources: locked?.sources ?? "", wasm: locked?.wasm ?? "" });
  });
});

describe("the committed guest is what its source builds", () => {
  for (const guest of GUESTS.filter(({ language }) => language === "c")) {
    const wanted = lock.get(guest.stem)?.toolchain ?? "a toolchain that is not recorded";
    test.skipIf(lock.get(guest.stem)?.toolchain !== clang)(`${guest.name} (${wanted})`, async () => {
      const committed = await readFile(guestFile(guest));
      expect(Buffer.compare(committed, await compileC([sourceFile(guest)], { model: "reactor" }))).toBe(0);
    });
  }
});

describe("a guest", () => {
  test.each(GUESTS)("$name names no path of the machine that built it", async (guest) => {
    const text = (await readFile(guestFile(guest))).toString("latin1");
    const paths = [dirname(import.meta.dir), homedir(), "/tmp/", "/home/", "/root/", "/usr/"];
    expect(paths.filter((path) => text.includes(path))).toEqual([]);
  });
});
