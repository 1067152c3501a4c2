/**
 * Whether docs/wasi.md says what is so: every function of every interface of the standard, each case that the conformance guest has, and for each
 * function whether the host serves it.
 */
import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { INTERFACES } from "../../lib/worker/imports.ts";
import { readWit } from "../worker/wasi/wit.ts";
import { CASES } from "./cases.ts";

const ROOT = join(import.meta.dir, "../..");
const WIT = join(ROOT, "node_modules/@bytecodealliance/jco/lib/wit/builtin/0.2.12");
const TEXT = await Bun.file(join(ROOT, "docs/wasi.md")).text();

interface Row {
  /** `wasi:io/poll poll` */
  readonly name: string;
  readonly status: string;
  readonly cases: string;
  readonly note: string;
}

const ROWS: readonly Row[] = TEXT.split("\n### ")
  .slice(1)
  .flatMap((section) => {
    const [heading = ""] = section.split("\n", 1);
    const rows = section.matchAll(/^\| `([^`]+)` +\| (\w+) +\| ([^|]*?) +\| ([^|]*?) *\|$/gm);
    return [...rows].map(([, name = "", status = "", cases = "", note = ""]) => ({
      name: `${heading.replaceAll("`", "")} ${name}`,
      status,
      cases,
      note,
    }));
  });

function isServed(name: string): boolean {
  const [home = "", each = ""] = name.split(" ");
  return INTERFACES.get(home)?.functions.has(each) === true;
}

async function readStandard(): Promise<readonly string[]> {
  const files = readdirSync(WIT).map((name) => join(WIT, name, "package.wit"));
  const texts = await Promise.all(files.map((file) => Bun.file(file).text()));
  const interfaces = texts.flatMap((text) => Array.from(readWit(text)));
  return interfaces.flatMap(([name, functions]) => Array.from(functions.keys(), (each) => `${name} ${each}`));
}

describe("docs/wasi.md", () => {
  test("has a row for every function of every interface of the standard, and no others", async () => {
    expect(ROWS.map(({ name }) => name).toSorted()).toEqual((await readStandard()).toSorted());
  });

  test("says of each whether it is served, and why not", () => {
    // The one export: a tool serves it, not the host.
    const passing = ROWS.filter(({ name, status }) => status === "pass" && name !== "wasi:cli/run run");
    expect(passing.filter(({ name }) => !isServed(name))).toEqual([]);
    const others = ROWS.filter(({ status }) => status !== "pass");
    expect(others.filter(({ status, note }) => status !== "exception" || note === "")).toEqual([]);
  });

  test("names for each function that passes cases that there are, or a file whose tests call it", async () => {
    for (const { name, cases } of ROWS.filter(({ status }) => status === "pass")) {
      const file = /\]\(\.\.\/([^)]+)\)/.exec(cases)?.[1];
      if (file === undefined) {
        const named = [...cases.matchAll(/`([^`]+)`/g)].map(([, each = ""]) => each);
        expect([name, named.length > 0, named.filter((each) => !CASES.includes(each))]).toEqual([name, true, []]);
      } else {
        const word = name.split(/ (?:\[\w+\])?/)[1] ?? "";
        expect([name, (await Bun.file(join(ROOT, file)).text()).includes(word)]).toEqual([name, true]);
      }
    }
  });

  test("names every case", () => {
    const named = new Set([...TEXT.matchAll(/`([a-z]+\.[\w-]+)`/g)].map(([, each = ""]) => each));
    expect(CASES.filter((each) => !named.has(each))).toEqual([]);
  });
});
