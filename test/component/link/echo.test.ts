/**
 * Values of all types through two components and the host and back: what comes is what went, and what jco's glue makes of it.
 *
 * `KAMI_ORACLE_SEED` and `KAMI_ORACLE_BATCHES` choose other types, and more of them.
 */
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { describe, expect, test } from "bun:test";
import { define, defineBlocking, ResultError } from "../../../lib/component/link/host.ts";
import type { ValueType } from "../../../lib/schema/value-type.ts";
import { echoText, type Encodings } from "./support/echo.ts";
import { fromJco, outcomeOf, startGlue, toJco } from "./support/jco.ts";
import { type Hosts, type Instance, linkBinary, type TestCall } from "./support/linking.ts";
import { Random } from "./support/random.ts";
import { makeType, makeValue } from "./support/types.ts";

const SEED = Number(process.env["KAMI_ORACLE_SEED"] ?? 1);
const BATCHES = Number(process.env["KAMI_ORACLE_BATCHES"] ?? 20);
const TYPES_A_BATCH = 26;
const VALUES_A_TYPE = 4;

/** All of them but UTF-8 to UTF-8; jco panics on most when one component calls another. */
const ENCODINGS: readonly Encodings[] = [
  ["utf8", "utf16"],
  ["utf8", "latin1+utf16"],
  ["utf16", "utf8"],
  ["utf16", "utf16"],
  ["utf16", "latin1+utf16"],
  ["latin1+utf16", "utf8"],
  ["latin1+utf16", "utf16"],
  ["latin1+utf16", "latin1+utf16"],
];

/** Something that gives values back: KAMI's linker, or jco's glue. Both take and give KAMI's values. */
interface Echo {
  readonly run: (index: number, value: unknown) => unknown;
  /** What the host has been given, newest last. */
  readonly seen: unknown[];
}

/** @param make - Makes a function of the host's that answers at once, or one that may wait. */
async function linkEcho(
  bytes: Uint8Array,
  types: readonly ValueType[],
  make: typeof define<TestCall> = define,
): Promise<Echo & { instance: Instance }> {
  const seen: unknown[] = [];
  const answer = (type: ValueType) => (_: TestCall, value: unknown) => {
    // A view of the guest's memory is valid for as long as this runs.
    seen.push(structuredClone(value));
    return type.kind === "result" ? settle(value) : seen.at(-1);
  };
  const hosts: Hosts = Object.fromEntries(
    types.map((type, index) => [`g${index}`, { "": make([{ x: type }, type], answer(type)) }]),
  );
  const instance = await (await linkBinary(bytes, hosts)).start();
  return { seen, instance, run: (index, value) => instance.run(`f${index}`, value) };
}

async function startEcho(bytes: Uint8Array, types: readonly ValueType[]): Promise<Echo> {
  const seen: unknown[] = [];
  const imports = types.map((type, index) => {
    const answer = (given: unknown): unknown => {
      const value = fromJco(type, given);
      seen.push(value);
      if (type.kind !== "result") return toJco(type, value);
      const outcome = outcomeOf(toJco(type, value));
      if (outcome.isOk) return outcome.value;
      throw Object.assign(new Error("an error of the host's"), { payload: outcome.value });
    };
    return [`g${index}`, answer] as const;
  });
  const exported = await startGlue(bytes, Object.fromEntries(imports));
  const run = (index: number, value: unknown): unknown => {
    const type = types[index] ?? { kind: "bool" };
    const call = (): unknown => exported(`f${index}`)(toJco(type, value));
    if (type.kind !== "result") return fromJco(type, call());
    try {
      return fromJco(type, { tag: "ok", val: call() });
    } catch (error) {
      if (!(error instanceof Error) || !("payload" in error)) throw error;
      return fromJco(type, { tag: "err", val: error.payload });
    }
  };
  return { seen, run };
}

/** A function of the host's that can fail returns the success, and throws the error. */
function settle(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("tag" in value) || !("value" in value)) throw new Error("none");
  if (value.tag === "ok") return value.value;
  throw new ResultError(value.value);
}

/** jco lifts a negative `s8` or `s16` that shares an i64 with other cases of a variant as a number that is too large, and then refuses it. */
function isBeyondJco(run: () => void): boolean {
  try {
    run();
    return false;
  } catch (error) {
    if (error instanceof TypeError && /^must be between -\d+ and \d+$/.test(error.message)) return true;
    throw error;
  }
}

function makeTypes(random: Random): readonly ValueType[] {
  return Array.from({ length: TYPES_A_BATCH }, () => makeType(random, random.below(5)));
}

describe("values of types by chance come back as they went", () => {
  test.each(Array.from({ length: BATCHES }, (_, batch) => batch))("batch %d, as with jco's glue", async (batch) => {
    const random = new Random(SEED * 1000 + batch);
    const types = makeTypes(random);
    const bytes = await parse(`(component ${echoText(types, ["utf8", "utf8"])})`);
    const own = await linkEcho(bytes, types);
    let jco = await startEcho(bytes, types);
    for (const [index, type] of types.entries()) {
      for (let left = VALUES_A_TYPE; left > 0; left--) {
        const value = makeValue(random, type);
        expect([own.run(index, value), own.seen.pop()]).toEqual([value, value]);
        if (isBeyondJco(() => expect([jco.run(index, value), jco.seen.pop()]).toEqual([value, value])))
          jco = await startEcho(bytes, types);
      }
    }
    expect([own.instance.call.ending, own.seen, jco.seen]).toEqual([undefined, [], []]);
  });

  test.each(ENCODINGS)("from %s to %s", async (outer, inner) => {
    const random = new Random(SEED);
    const types = [{ kind: "string" } as const, ...makeTypes(random)];
    const own = await linkEcho(await parse(`(component ${echoText(types, [outer, inner])})`), types);
    for (const [index, type] of types.entries()) {
      for (let left = VALUES_A_TYPE * 3; left > 0; left--) {
        const value = makeValue(random, type);
        expect([own.run(index, value), own.seen.pop()]).toEqual([value, value]);
      }
    }
  });

  test("when the host may wait, and does", async () => {
    const random = new Random(SEED + 1);
    const types = makeTypes(random);
    const bytes = await parse(`(component ${echoText(types, ["utf8", "utf16"])})`);
    const own = await linkEcho(bytes, types, (signature, run) =>
      defineBlocking(signature, async (call: TestCall, value: never) => {
        const given: unknown = structuredClone(value);
        await Bun.sleep(0);
        return Reflect.apply(run, undefined, [call, given]) as unknown;
      }),
    );
    for (const [index, type] of types.entries()) {
      const value = makeValue(random, type);
      expect([await own.run(index, value), own.seen.pop()]).toEqual([value, value]);
    }
    expect(own.instance.call.suspended).toBe(types.length);
  });
});
