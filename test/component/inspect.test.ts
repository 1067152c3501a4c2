import { describe, expect, test } from "bun:test";
import { guestPath } from "../../fixtures/paths.ts";
import { findEntries } from "../../lib/component/entry.ts";
import { planComponent } from "../../lib/component/plan/plan.ts";
import { inspectComponent } from "../../lib/component/inspect.ts";
import type { Exports, Item } from "../../lib/component/scope.ts";
import { Failure } from "../../lib/errors.ts";
import { assemble, component, RUN_TYPE } from "./support/components.ts";

const TOOL = '(instance $t (export "run" (func $run)) (export "describe" (func $describe)))';

/** Runs to the end or to a failure; throws what is neither. */
function outcomeOf(run: () => unknown): string {
  try {
    run();
    return "done";
  } catch (error) {
    if (error instanceof Failure) return `${error.code}: ${error.message}`;
    throw error;
  }
}

function messageOf(run: () => unknown): string {
  const outcome = outcomeOf(run);
  if (outcome === "done") throw new Error("nothing was thrown");
  return outcome;
}

describe("inspectComponent()", () => {
  test("the types of what a component exports are found, through instances, aliases and nested components", async () => {
    const bytes = await component(`
      (component $inner
        (core module $m (func (export "f") (param i32) (result i32) (local.get 0)))
        (core instance $i (instantiate $m))
        (type $small (enum "a" "b"))
        (export $kind "kind" (type $small))
        (func $f (param "x" $kind) (result u8) (canon lift (core func $i "f")))
        (export "f" (func $f)))
      (component $middle
        (alias outer 1 $inner (component $c))
        (instance $n (instantiate $c))
        (export "deep" (instance $n)))
      (instance $a (instantiate $middle))
      (alias export $a "deep" (instance $deep))
      (alias export $deep "f" (func $f))
      (export "f" (func $f))
      (export "all" (instance $a))`);
    const kind: Item = { sort: "type", type: { form: "value", text: "enum { a, b }" } };
    const f: Item = { sort: "func", text: "func(enum { a, b }) -> u8" };
    const inner: Exports = new Map<string, Item>([
      ["kind", kind],
      ["f", f],
    ]);
    const all: Exports = new Map<string, Item>([["deep", { sort: "instance", exports: inner }]]);
    const expected: Exports = new Map<string, Item>([
      ["f", f],
      ["all", { sort: "instance", exports: all }],
    ]);
    expect(inspectComponent(bytes)).toEqual(expected);
  });

  test("value types are written as WIT does", async () => {
    const types: readonly (readonly [wat: string, wit: string])[] = [
      ["u64", "u64"],
      ["(list string)", "list<string>"],
      ["(option (list u8))", "option<list<u8>>"],
      ["(tuple f32 f64)", "tuple<f32, f64>"],
      ["(result)", "result"],
      ["(result char)", "result<char>"],
      ["(result (error bool))", "result<_, bool>"],
      ["(result s8 (error s16))", "result<s8, s16>"],
    ];
    for (const [wat, wit] of types) {
      const bytes = await component(`(import "f" (func $f (param "x" ${wat}) (result ${wat}))) (export "g" (func $f))`);
      expect([...inspectComponent(bytes)]).toEqual([["g", { sort: "func", text: `func(${wit}) -> ${wit}` }]]);
    }
  });

  test("types that name each other twice do not grow without bound", async () => {
    const chain = Array.from({ length: 64 }, (_, index) => `(type $t${index + 1} (tuple $t${index} $t${index}))`);
    const bytes = await component(
      `(type $t0 (list string)) ${chain.join("\n")} (import "f" (func $f (param "x" $t64))) (export "g" (func $f))`,
    );
    const item = inspectComponent(bytes).get("g");
    expect(item?.sort === "func" ? item.text.length : undefined).toBe(201);
  });

  const refused = [
    { text: '(import "f" (func (param "x" (stream u8))))', what: "streams" },
    { text: '(import "f" (func (result (future u8))))', what: "futures" },
    { text: '(import "f" (func async (param "x" u8)))', what: "async functions" },
    { text: '(import "f" (func (param "e" error-context)))', what: "error contexts" },
    { text: '(import "f" (func (param "e" (list u8 4))))', what: "lists of fixed length" },
    { text: '(import "f" (func (param "e" (map string u8))))', what: "maps" },
    { text: "(core func (canon waitable-set.new))", what: "the asynchronous built-in 0x1f" },
    { text: "(core func (canon task.return))", what: "the asynchronous built-in 0x9" },
    { text: '(import "m" (core module))', what: "core modules that are imported" },
    { text: '(import "v" (value string))', what: "values that are imported" },
    { text: "(core module (memory 1 2 shared))", what: "a shared memory (threads)" },
    { text: "(component (core module (memory i64 1)))", what: "a 64-bit memory (memory64)" },
  ];
  for (const { text, what } of refused) {
    test(`${what} are refused by name`, async () => {
      const bytes = await component(text);
      expect(messageOf(() => inspectComponent(bytes))).toBe(
        `COMPONENT_UNSUPPORTED: Cannot compile the component: it uses ${what}, which KAMI refuses`,
      );
    });
  }

  test("an asynchronous lift is refused by name", async () => {
    const bytes = await component(`
      (core module $m (func (export "a") (result i32) unreachable) (func (export "c") (param i32 i32 i32) (result i32) unreachable))
      (core instance $i (instantiate $m))
      (func (export "run") (canon lift (core func $i "a") async (callback (core func $i "c"))))`);
    expect(messageOf(() => inspectComponent(bytes))).toBe(
      "COMPONENT_UNSUPPORTED: Cannot compile the component: it uses async functions, which KAMI refuses",
    );
  });

  test("64 core modules are taken, 65 are not", async () => {
    expect(inspectComponent(await component("(core module)".repeat(64))).size).toBe(0);
    const tooMany = await component("(core module)".repeat(65));
    expect(messageOf(() => inspectComponent(tooMany))).toBe(
      "COMPONENT_LIMIT: Cannot compile the component: the number of core modules is 65, the limit is 64",
    );
  });

  test("core modules of 64 MiB together are taken, one byte more is not", () => {
    expect(inspectComponent(componentOfModules([1_000_000, 66_108_864])).size).toBe(0);
    const tooLarge = componentOfModules([1_000_000, 66_108_865]);
    expect(messageOf(() => inspectComponent(tooLarge))).toBe(
      "COMPONENT_LIMIT: Cannot compile the component: the size of the core modules in bytes is 67108865, the limit is 67108864",
    );
  });

  test("components may stand 50 deep in each other, not 51", async () => {
    expect(inspectComponent(await nested(50)).size).toBe(0);
    const tooDeep = await nested(51);
    expect(messageOf(() => inspectComponent(tooDeep))).toBe(
      "COMPONENT_LIMIT: Cannot compile the component: the nesting of components and types is 51, the limit is 50",
    );
  });

  test("a component cut at any byte is refused or has nothing to export", async () => {
    const whole = await Bun.file(guestPath("kami-tool")).bytes();
    let refusals = 0;
    for (let length = 0; length < whole.length; length++) {
      const cut = whole.slice(0, length);
      try {
        entriesOf(cut);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        expect(["COMPONENT_INVALID", "COMPONENT_NO_ENTRY"]).toContain(error.code);
        refusals += 1;
      }
    }
    // What follows the export section does not change the exports.
    expect(refusals).toBeGreaterThan(whole.length / 2);
  });

  test("a component with any byte changed throws nothing but failures", async () => {
    const whole = await Bun.file(guestPath("kami-tool")).bytes();
    for (let place = 0; place < whole.length; place++) {
      for (const change of [0x01, 0x40, 0xff]) {
        const changed = whole.slice();
        changed[place] = (changed[place] ?? 0) ^ change;
        expect(() => outcomeOf(() => inspectComponent(changed))).not.toThrow();
      }
    }
  });
});

/** The kind, the instance of the first entry, and the names of all. */
function entriesOf(bytes: Uint8Array): { kind: string; instance: string | undefined; names: readonly string[] } {
  const exports = inspectComponent(bytes);
  const { plan } = planComponent(bytes);
  const { kind, entries } = findEntries(plan, exports);
  const first = plan.exports[entries[0]?.exported ?? -1];
  return { kind, instance: first?.instance ?? undefined, names: entries.map(({ name }) => name) };
}

describe("findEntries()", () => {
  const entries = [
    { tail: `${TOOL} (export "kami:tool/tool@0.1.0" (instance $t))`, kind: "tool", instance: "kami:tool/tool@0.1.0" },
    { tail: '(export "run" (func $run))', kind: "bare", instance: undefined },
    {
      tail: '(instance $c (export "run" (func $command))) (export "wasi:cli/run@0.2.12" (instance $c))',
      kind: "command",
      instance: "wasi:cli/run@0.2.12",
    },
    {
      tail: '(instance $c (export "run" (func $command))) (export "wasi:cli/run@0.2.0" (instance $c)) (export "run" (func $run))',
      kind: "bare",
      instance: undefined,
    },
    {
      tail: `(instance $c (export "run" (func $command))) (export "evil:x/run@1.0.0" (instance $c)) (export "run" (func $run))
        ${TOOL} (export "kami:tool/tool@0.1.0" (instance $t))`,
      kind: "tool",
      instance: "kami:tool/tool@0.1.0",
    },
    { tail: '(export "init" (func $command)) (export "run" (func $run))', kind: "bare", instance: undefined },
  ] as const;
  for (const { tail, kind, instance } of entries) {
    test(`${kind}: ${tail}`, async () => {
      expect(entriesOf(await assemble({ tail }))).toMatchObject({ kind, instance });
    });
  }

  const none = [
    { tail: "", exports: "" },
    {
      tail: '(instance $t (export "run" (func $run))) (export "kami:tool/tool@0.1.0" (instance $t))',
      exports: " (it exports kami:tool/tool@0.1.0 { run: func(string) -> result<string, string> })",
    },
    {
      tail: `${TOOL} (export "kami:tool/tool@0.2.0" (instance $t))`,
      exports:
        " (it exports kami:tool/tool@0.2.0 { run: func(string) -> result<string, string>; describe: func() -> string })",
    },
    {
      tail: '(instance $c (export "run" (func $describe))) (export "wasi:cli/run@0.2.3" (instance $c))',
      exports: " (it exports wasi:cli/run@0.2.3 { run: func() -> string })",
    },
    {
      tail: '(instance $c (export "run" (func $command))) (export "wasi:cli/run@0.3.0" (instance $c))',
      exports: " (it exports wasi:cli/run@0.3.0 { run: func() -> result })",
    },
  ];
  for (const { tail, exports } of none) {
    test(`no entry${exports}`, async () => {
      const bytes = await assemble({ tail });
      expect(messageOf(() => entriesOf(bytes))).toBe(
        `COMPONENT_NO_ENTRY: Cannot use the component: it exports none of kami:tool/tool, run and wasi:cli/run${exports}`,
      );
    });
  }

  test.each([
    ['(export "init" (func $describe))', ["init"], "any function"],
    ['(export "run" (func $describe))', ["run"], "a run of another type"],
    ['(instance $x (export "run" (func $run))) (export "run" (instance $x))', ["run.run"], "a run in an instance"],
    [
      '(instance $x (export "add" (func $run))) (export "acme:math/calc@1.0.0" (instance $x)) (export "add" (func $run))',
      ["calc.add", "add"],
      "functions of an interface have its name in front",
    ],
    [
      `(instance $x (export "add" (func $run))) (export "acme:math/calc@1.0.0" (instance $x)) (export "evil:math/calc@1.0.0" (instance $x))`,
      ["calc.add", "evil:math/calc@1.0.0.add"],
      "two interfaces of one name cannot be mistaken",
    ],
  ])("functions: %s", async (tail, names) => {
    expect(entriesOf(await assemble({ tail }))).toMatchObject({ kind: "functions", names });
  });

  const types = [
    '(param "input" string) (result string)',
    '(param "input" string) (result (result string))',
    '(param "input" string) (result (result (error string)))',
    '(param "input" (list u8)) (result (result string (error string)))',
    '(param "a" u32) (param "b" u32) (result (result string (error string)))',
  ];
  for (const type of types) {
    test(`a run of another type is a function like any other: ${type}`, async () => {
      const bytes = await assemble({ type, tail: '(export "run" (func $run))' });
      expect(entriesOf(bytes)).toEqual({ kind: "functions", instance: undefined, names: ["run"] });
    });
  }

  test("the parameter's name does not matter", async () => {
    const bytes = await assemble({ type: RUN_TYPE.replace("input", "request") });
    expect(entriesOf(bytes)).toEqual({ kind: "bare", instance: undefined, names: ["run"] });
  });
});

function nested(depth: number): Promise<Uint8Array> {
  return component("(component".repeat(depth - 1) + ")".repeat(depth - 1));
}

/** A component of core modules that hold nothing but a custom section, so that each has the given size. */
function componentOfModules(sizes: readonly number[]): Uint8Array {
  const preamble = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  const pieces = [Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00)];
  for (const size of sizes) {
    const content = size - preamble.length - 6;
    const body = new Uint8Array(size);
    body.set([...preamble, 0x00, ...leb(content)]);
    pieces.push(Uint8Array.of(0x01, ...leb(size)), body);
  }
  return Buffer.concat(pieces);
}

/** Five bytes, however small the number is. */
function leb(value: number): readonly number[] {
  return [0, 7, 14, 21].map((shift) => ((value >>> shift) & 0x7f) | 0x80).concat((value >>> 28) & 0x7f);
}
