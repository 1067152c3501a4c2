/**
 * Attacks on the linker by components that are valid: names that JavaScript has a use for, bombs of types, plans and instances, and resources
 * that are told apart by nothing but their type. Each is compiled and called as KAMI does it.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { COMPONENT_LIMITS } from "../../lib/component/artifact.ts";
import { compileComponent } from "../../lib/component/compile.ts";
import { Failure } from "../../lib/errors.ts";
import { METER_EXPORTS } from "../../lib/wasm/layout.ts";
import { assemble, RUN_TYPE } from "../component/support/components.ts";
import { AMPLE, summarize, TestRuntime } from "../support/runtime.ts";

let kami: TestRuntime;
beforeAll(() => {
  kami = new TestRuntime({ concurrency: 1 });
});
afterAll(async () => {
  await kami[Symbol.asyncDispose]();
});

/** Compiles and calls a component. @returns Its end, as an agent reads it. */
async function endOf(component: Uint8Array): Promise<unknown> {
  const path = join(kami.home.path, `${Bun.hash(component).toString(36)}.wasm`);
  await Bun.write(path, component);
  try {
    return summarize(await kami.runtime.runFile(path, "{}", { limits: { ...AMPLE, timeoutMs: 5000 } }));
  } catch (error) {
    if (error instanceof Failure) return { code: error.code, message: error.message };
    throw error;
  }
}

/** A bare tool whose `run` has this body, beside core functions `$f0`, …. Returns its input. */
function tool(parts: {
  head: string;
  lowered: readonly string[];
  types: readonly string[];
  body: string;
  tail?: string;
}): Promise<Uint8Array> {
  const { head, lowered, types, body } = parts;
  const imports = types.map((type, index) => `(import "host" "f${index}" (func $f${index} ${type}))`).join(" ");
  const given = lowered.map((_, index) => `(export "f${index}" (func $f${index}))`).join(" ");
  return assemble({
    head: `${head}
      (core module $lib (memory (export "memory") 2) (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 70000)))
      (core instance $lib (instantiate $lib))
      ${lowered.map((text, index) => `(core func $f${index} ${text})`).join("\n")}
      (core module $tool (import "lib" "memory" (memory 1)) ${imports}
        (func (export "go") (param i32 i32) (result i32) ${body}
          (i32.store (i32.const 20) (local.get 0)) (i32.store (i32.const 24) (local.get 1)) (i32.const 16)))
      (core instance $tool (instantiate $tool (with "lib" (instance $lib)) (with "host" (instance ${given}))))
      (func $go ${RUN_TYPE} (canon lift (core func $tool "go") (memory (core memory $lib "memory")) (realloc (core func $lib "realloc"))))`,
    tail: parts.tail ?? '(export "run" (func $go))',
  });
}

/** Imports a version of `wasi:io/poll`. */
function importPoll(version: string, name: string): string {
  return `
    (import "wasi:io/poll@${version}" (instance ${name}
      (export "pollable" (type (sub resource)))
      (export "[method]pollable.ready" (func (param "self" (borrow 0)) (result bool)))))`;
}

/** Compiles what must not compile. */
async function refusal(component: Uint8Array): Promise<string> {
  const failure = await compileComponent(component).catch((error: unknown) => error);
  return failure instanceof Failure ? `${failure.code}: ${failure.message}` : "compiled";
}

/** Hands one instance of many items to many modules. */
function amplified(items: number, modules: number): Promise<Uint8Array> {
  return assemble({
    head: `(core module $a (func (export "f"))) (core instance $a (instantiate $a)) (alias core export $a "f" (core func $f))
          (core instance $big ${Array.from({ length: items }, (_, index) => `(export "${"n".repeat(900)}${index}" (func $f))`).join(" ")})
          (core module $b (import "x" "${"n".repeat(900)}0" (func)))
          ${'(core instance (instantiate $b (with "x" (instance $big))))'.repeat(modules)}`,
  });
}

/** Types of which each is two of the one before. */
function paired(count: number): string {
  return `(type $t0 u8)
    ${Array.from({ length: count }, (_, index) => `(type $t${index + 1} (tuple $t${index} $t${index}))`).join(" ")}`;
}

/** Passes such a type to a component inside. */
function passing(count: number): Promise<Uint8Array> {
  return tool({
    head: `(component $inner ${paired(count)}
            (core module $m (memory (export "memory") 20)
              (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64)) (func (export "f") (param i32)))
            (core instance $m (instantiate $m))
            (func (export "f") (param "x" $t${count}) (canon lift (core func $m "f") (memory (core memory $m "memory")) (realloc (core func $m "realloc")))))
          (instance $inner (instantiate $inner))`,
    lowered: ['(canon lower (func $inner "f") (memory (core memory $lib "memory")))'],
    types: ["(param i32)"],
    body: "(call $f0 (i32.const 0))",
  });
}

const ECHOED = { output: {} };

describe("names that JavaScript has a use for", () => {
  const NAMES = [
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "then",
    "valueOf",
    "default",
    "$root",
    "0",
    "-1",
    "",
  ];

  test.each(NAMES)("%j as a core module, function, memory and import", async (name) => {
    const component = await assemble({
      head: `(core module $p (memory (export "${name}") 1) (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64)))
        (core instance $p (instantiate $p))
        (core module $q (import "${name}" "${name}" (memory 1)) (func (export "${name}") (param i32 i32) (result i32)
          (i32.store (i32.const 20) (local.get 0)) (i32.store (i32.const 24) (local.get 1)) (i32.const 16)))
        (alias core export $p "${name}" (core memory $own))
        (core instance $items (export "${name}" (memory $own)))
        (core instance $q (instantiate $q (with "${name}" (instance $items))))
        (func $go ${RUN_TYPE} (canon lift (core func $q "${name}") (memory $own) (realloc (core func $p "realloc"))))`,
      tail: '(export "run" (func $go))',
    });
    expect(await endOf(component)).toEqual(ECHOED);
  });

  test.each(["constructor", "to-string", "value-of", "has-own-property", "then", "proto"])(
    "%s as a field, a case, a flag and a function's name is a name",
    async (name) => {
      const component = await tool({
        head: `(type $record-type (record (field "${name}" u32)))
          (import "record-name" (type $record (eq $record-type)))
          (type $variant-type (variant (case "${name}" $record)))
          (import "variant-name" (type $variant (eq $variant-type)))
          (import "x:y/${name === "constructor" ? "z" : name}@1.0.0" (instance $i (export "${name}" (func))))
          (component $inner
            (type $rt (record (field "${name}" u32))) (export $r "r" (type $rt))
            (type $vt (variant (case "${name}" $r))) (export $v "v" (type $vt))
            (core module $m (func (export "f") (param i32 i32) (result i32) (local.get 1)))
            (core instance $m (instantiate $m))
            (func (export "f") (param "${name}" $v) (result u32) (canon lift (core func $m "f"))))
          (instance $inner (instantiate $inner))`,
        lowered: ['(canon lower (func $inner "f"))', `(canon lower (func $i "${name}"))`],
        types: ["(param i32 i32) (result i32)", ""],
        body: "(if (i32.ne (call $f0 (i32.const 0) (i32.const 77)) (i32.const 77)) (then unreachable))",
      });
      expect(await endOf(component)).toEqual(ECHOED);
    },
  );

  test("an interface is no path, and a version no way around one", async () => {
    for (const name of [
      "wasi:cli/environment@0.2.0-rc.1",
      "wasi:cli/environment@0.2.0+x",
      "wasi:cli/environment@0.3.0",
      "kami:tool/host@0.2.0",
      "wasi-cli:cli/environment@0.2.0",
    ]) {
      const component = await tool({
        head: `(import "${name}" (instance $i (export "get-arguments" (func (result (list string))))))`,
        lowered: [
          '(canon lower (func $i "get-arguments") (memory (core memory $lib "memory")) (realloc (core func $lib "realloc")))',
        ],
        types: ["(param i32)"],
        body: "(call $f0 (i32.const 64))",
      });
      expect(await endOf(component)).toEqual({
        code: "CAPABILITY_DENIED",
        message: `The tool was stopped: it asked for an unknown host function (${name} get-arguments), which is denied`,
      });
    }
  });
});

describe("a function that is imported without an interface", () => {
  test("may have the name of a resource's", async () => {
    const component = await tool({
      head: `(import "r" (type $r (sub resource))) (import "[constructor]r" (func $new (result (own $r))))`,
      lowered: ["(canon lower (func $new))"],
      types: ["(result i32)"],
      body: "(drop (call $f0))",
    });
    expect(await endOf(component)).toEqual({
      code: "CAPABILITY_DENIED",
      message: "The tool was stopped: it asked for an unknown host function ([constructor]r), which is denied",
    });
  });
});

describe("the meter's own exports", () => {
  test.each(Object.values(METER_EXPORTS))("%s is nothing that a component can name", async (name) => {
    const named = [
      `(alias core export $i "${name}" (core func $stolen))`,
      `(core module $thief (import "m" "${name}" (func))) (core instance (instantiate $thief (with "m" (instance $i))))`,
    ];
    for (const text of named) {
      const component = await assemble({ tail: `${text} (export "run" (func $run))` });
      expect(await refusal(component)).toMatch(/^COMPONENT_(?:INVALID|UNSUPPORTED): /);
    }
  });
});

describe("exports that share a name", () => {
  test("are told apart by their instance: the entry is what was found, whatever comes before and after it", async () => {
    const trapping = `(core module $t (func (export "f") (result i32) unreachable)) (core instance $t (instantiate $t))
      (func $trap (result (result)) (canon lift (core func $t "f")))
      (instance $evil (export "run" (func $trap)))`;
    for (const order of [
      [
        '(export "evil:x/run@1.0.0" (instance $evil))',
        '(export "run" (func $go))',
        '(export "wasi:cli/run@0.2.3" (instance $evil))',
      ],
      [
        '(export "wasi:cli/run@0.2.3" (instance $evil))',
        '(export "evil:x/run@1.0.0" (instance $evil))',
        '(export "run" (func $go))',
      ],
    ]) {
      const component = await tool({ head: trapping, lowered: [], types: [], body: "", tail: order.join(" ") });
      expect(await endOf(component)).toEqual(ECHOED);
    }
  });
});

describe("resources that only their type tells apart", () => {
  test("two patch versions of WASI are one: a handle of one is none of another type for the other", async () => {
    const component = await tool({
      head: `${importPoll("0.2.0", "$old")} ${importPoll("0.2.9", "$new")}
        (alias export $new "pollable" (type $pollable))
        (import "wasi:clocks/monotonic-clock@0.2.9" (instance $clock
          (alias outer 1 $pollable (type $p)) (export "pollable" (type $q (eq $p)))
          (export "subscribe-duration" (func (param "when" u64) (result (own $q))))))`,
      lowered: [
        '(canon lower (func $clock "subscribe-duration"))',
        '(canon lower (func $old "[method]pollable.ready"))',
        '(canon lower (func $new "[method]pollable.ready"))',
      ],
      types: ["(param i64) (result i32)", "(param i32) (result i32)", "(param i32) (result i32)"],
      body: `(local $h i32) (local.set $h (call $f0 (i64.const 0)))
        (if (i32.ne (i32.add (call $f1 (local.get $h)) (call $f2 (local.get $h))) (i32.const 2)) (then unreachable))`,
    });
    expect(await endOf(component)).toEqual(ECHOED);
  });

  test("a resource of another interface by the name of a served one is another", async () => {
    const component = await tool({
      head: `(import "wasi:io/error@0.2.0" (instance $fake (export "pollable" (type (sub resource)))))
        (alias export $fake "pollable" (type $pollable))
        (import "wasi:clocks/monotonic-clock@0.2.9" (instance $clock
          (alias outer 1 $pollable (type $p)) (export "pollable" (type $q (eq $p)))
          (export "subscribe-duration" (func (param "when" u64) (result (own $q))))))`,
      lowered: ['(canon lower (func $clock "subscribe-duration"))'],
      types: ["(param i64) (result i32)"],
      body: "(drop (call $f0 (i64.const 0)))",
    });
    expect(await endOf(component)).toEqual({
      code: "GUEST_TRAP",
      message:
        "The tool crashed: it imports wasi:clocks/monotonic-clock subscribe-duration with types that it does not have",
    });
  });
});

describe("bombs", () => {
  test("one instance of many items, handed to many modules, is refused by the plan's size", async () => {
    expect(await refusal(await amplified(300, 6))).toBe("compiled");
    expect(await refusal(await amplified(3000, 200))).toMatch(
      new RegExp(
        `^COMPONENT_LIMIT: Cannot compile the component: the size of the plan in bytes is \\d+, the limit is ${COMPONENT_LIMITS.planBytes}$`,
      ),
    );
  });

  test("types that are half a million values: one call passes what 4 MiB stand for, and no more", async () => {
    expect(await endOf(await passing(16))).toEqual(ECHOED);
    expect(await endOf(await passing(17))).toEqual({
      code: "GUEST_TRAP",
      message: "The tool crashed: it passes more than 4 MiB in one call of a function",
    });
  });

  test("a function of the host's that is declared with such a type is none of its functions", async () => {
    const component = await tool({
      head: `${paired(17)} (import "wasi:random/random@0.2.0" (instance $i (export "get-random-bytes" (func (param "len" $t17) (result $t17)))))`,
      lowered: ['(canon lower (func $i "get-random-bytes") (memory (core memory $lib "memory")))'],
      types: ["(param i32 i32)"],
      body: "(call $f0 (i32.const 0) (i32.const 0))",
    });
    expect(await endOf(component)).toEqual({
      code: "GUEST_TRAP",
      message: "The tool crashed: it imports wasi:random/random get-random-bytes with types that it does not have",
    });
  });

  test("components inside each other that are instantiated twice each are refused by their number", async () => {
    const chain = Array.from(
      { length: 14 },
      (_, index) => `(component $c${index + 1} (alias outer 1 $c${index} (component $c))
      (instance (instantiate $c)) (instance (instantiate $c)))`,
    ).join("\n");
    expect(await refusal(await assemble({ head: `(component $c0) ${chain} (instance (instantiate $c14))` }))).toMatch(
      /^COMPONENT_LIMIT: Cannot compile the component: the number of component instances is /,
    );
  });
});
