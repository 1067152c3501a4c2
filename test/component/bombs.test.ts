/**
 * Small components that would take a compiler, or the engine, minutes or gigabytes: each is refused by a count, before either sees it.
 */
import { describe, expect, test } from "bun:test";
import { COMPONENT_LIMITS } from "../../lib/component/artifact.ts";
import { compileComponent } from "../../lib/component/compile.ts";
import { EngineTime } from "../../lib/component/engine.ts";
import { inspectComponent } from "../../lib/component/inspect.ts";
import { Failure } from "../../lib/errors.ts";
import { MODULE_LIMITS } from "../../lib/wasm/limits.ts";
import {
  assemble as frame,
  COMPONENT_PREAMBLE,
  join,
  MODULE_PREAMBLE,
  name,
  sized,
  unsigned,
  vector,
} from "../fuzz/binary.ts";
import { assemble, component } from "./support/components.ts";

type Bytes = Uint8Array | readonly number[];

const PREFIX = "Cannot compile the component:";
const EMPTY_MODULE = component("");

describe("a core module is refused before the engine reads it:", () => {
  const modules: readonly { readonly what: string; readonly body: Uint8Array; readonly failure: string }[] = [
    {
      what: "a branch table that claims 2^28 labels, for which the engine takes 2 GiB",
      body: join([[0, 0x41, 0, 0x0e], unsigned(2 ** 28 - 1), [0, 0x0b]]),
      failure: `COMPONENT_INVALID: ${PREFIX} malformed core module: a branch to a block that is not open at byte 32`,
    },
    {
      what: "a chain of blocks in a loop, for which the engine takes 1 GiB",
      body: join([[0, 0x03, 0x40], repeat(1_000_000, [0x41, 0, 0x04, 0x40, 0x0b]), [0x0b, 0x0b]]),
      failure: tooMany("the number of blocks of a function, once metered", 250_001, MODULE_LIMITS.blocks),
    },
    {
      what: "a chain of branches, each with a charge behind it, which the engine refuses once metered",
      body: join([[1, 1, 0x7f, 0x02, 0x40], repeat(1_000_000, [0x20, 0, 0x0d, 0]), [0x0b, 0x0b]]),
      failure: tooMany("the size of a function in bytes, once metered", 14_898_427, MODULE_LIMITS.functionBytes),
    },
  ];
  for (const { what, body, failure } of modules) {
    test(what, () => expect(inspect(withCore(functions([body])))).toBe(failure));
  }

  test("locals of many functions, for which the engine takes a gigabyte for each 80 KB", () => {
    const body = join([[1], unsigned(MODULE_LIMITS.locals), [0x7f, 0x0b]]);
    const failure = tooMany("the number of locals of all functions", 5_050_000, MODULE_LIMITS.allLocals);
    expect(inspect(withCore(functions(Array.from({ length: 10_000 }, () => body))))).toBe(failure);
  });

  test("millions of sections", () => {
    const failure = tooMany("the number of sections", 10_001, MODULE_LIMITS.sections);
    expect(inspect(withCore(join([MODULE_PREAMBLE, repeat(5_000_000, [0, 1, 0])])))).toBe(failure);
  });
});

describe("a component is refused before jco reads it:", () => {
  test("components that make two of the one before", async () => {
    const chain = Array.from(
      { length: 40 },
      (_, index) => `(component $c${index + 1} (alias outer 1 $c${index} (component $c))
        (instance (instantiate $c)) (instance (instantiate $c)))`,
    );
    const bytes = await component(`(component $c0) ${chain.join("\n")} (instance (instantiate $c40))`);
    expect(inspect(bytes)).toBe(
      tooMany("the number of component instances", 16_382, COMPONENT_LIMITS.componentInstances),
    );
  });

  test("the same, by components that are handed in", async () => {
    const bytes = await component('(component (import "c" (component $c)) (instance (instantiate $c)))');
    expect(inspect(bytes)).toBe(
      `COMPONENT_UNSUPPORTED: ${PREFIX} it uses components that are imported, which KAMI refuses`,
    );
  });

  const limits: readonly {
    readonly limit: "componentInstances" | "exports" | "sections";
    readonly what: string;
    readonly build: (count: number) => Promise<Uint8Array>;
  }[] = [
    {
      limit: "componentInstances",
      what: "the number of component instances",
      // Section 4 holds an empty component, section 5 makes instances of it.
      build: async (count) =>
        frame(COMPONENT_PREAMBLE, [
          { id: 4, content: await EMPTY_MODULE },
          { id: 5, content: join([unsigned(count), repeat(count, [0, 0, 0])]) },
        ]),
    },
    {
      limit: "exports",
      what: "the number of exports",
      // Section 7 holds one type, section 11 exports it.
      build: async (count) => {
        const exports = Array.from({ length: count }, (_, index) => join([[0], name(`e${index}`), [3, 0, 0]]));
        return frame(COMPONENT_PREAMBLE, [
          { id: 7, content: Uint8Array.of(1, 0x7d) },
          { id: 11, content: vector(exports) },
        ]);
      },
    },
    {
      limit: "sections",
      what: "the number of sections",
      build: async (count) => join([COMPONENT_PREAMBLE, repeat(count, [0, 1, 0])]),
    },
  ];
  for (const { limit, what, build } of limits) {
    const most = COMPONENT_LIMITS[limit];
    test(`${what}: ${most - 1} and ${most} are taken, ${most + 1} are not`, async () => {
      const outcomes = [most - 1, most, most + 1].map(async (count) => inspect(await build(count)));
      expect(await Promise.all(outcomes)).toEqual(["inspected", "inspected", tooMany(what, most + 1, most)]);
    });
  }
});

describe("compileComponent()", () => {
  test("ends a compiler that would take minutes", async () => {
    const result = '(param "input" string) (result (result string (error string)))';
    const lift = `(canon lift (core func $i "run") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))`;
    const exports = Array.from({ length: 1500 }, (_, index) => `(func (export "g${index}") ${result} ${lift})`);
    const bytes = await assemble({ tail: `(export "run" (func $run)) ${exports.join("\n")}` });
    const started = performance.now();
    const failure = await compileComponent(bytes, { timeoutMs: 300 }).catch((error: unknown) => error);
    expect(failure instanceof Failure ? `${failure.code}: ${failure.message}` : failure).toBe(
      `COMPILE_TIMEOUT: ${PREFIX} it took longer than 300 ms`,
    );
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

describe("EngineTime", () => {
  // A block that takes and gives 1,000 values costs the engine a thousand times what it costs in bytes.
  const wide = functionTypes([[], []], [new Uint8Array(1000).fill(0x7f), new Uint8Array(1000).fill(0x7f)]);
  const costly = functions(
    [join([[0], repeat(1000, [0x41, 0]), repeat(2000, [0x02, 1, 0x0b]), repeat(1000, [0x1a]), [0x0b]])],
    wide,
  );

  test("lets a module through that the engine reads in time", () => {
    expect(new EngineTime().validate(costly).isValid).toBe(true);
  });

  test("tells of a module that is not valid", () => {
    expect(new EngineTime().validate(costly.subarray(0, -1)).isValid).toBe(false);
  });

  test("refuses the module with which the time is over, those before counted in", () => {
    const engine = new EngineTime(300);
    const refusal =
      /^COMPONENT_LIMIT: .*: the time in ms that the engine takes to read the core modules is \d+, the limit is 300$/;
    const outcomes: string[] = [];
    while (outcomes.at(-1) !== "refused")
      outcomes.push(outcomeOf(() => String(engine.validate(costly).isValid)).replace(refusal, "refused"));
    expect(outcomes.length).toBeGreaterThan(1);
  });
});

function tooMany(what: string, value: number, limit: number): string {
  return `COMPONENT_LIMIT: ${PREFIX} ${what} is ${value}, the limit is ${limit}`;
}

function inspect(bytes: Uint8Array): string {
  return outcomeOf(() => inspectComponent(bytes));
}

function outcomeOf(run: () => unknown): string {
  try {
    run();
    return "inspected";
  } catch (error) {
    if (error instanceof Failure) return `${error.code}: ${error.message}`;
    throw error;
  }
}

function withCore(module: Uint8Array): Uint8Array {
  return frame(COMPONENT_PREAMBLE, [{ id: 1, content: module }]);
}

function functionTypes(...types: readonly (readonly [params: Bytes, results: Bytes])[]): Uint8Array {
  return vector(
    types.map(([params, results]) =>
      join([[0x60], unsigned(params.length), params, unsigned(results.length), results]),
    ),
  );
}

/** A module of functions of the first type. */
function functions(bodies: readonly Uint8Array[], types: Uint8Array = functionTypes([[], []])): Uint8Array {
  return frame(MODULE_PREAMBLE, [
    { id: 1, content: types },
    { id: 3, content: vector(bodies.map(() => [0])) },
    { id: 10, content: vector(bodies.map((body) => sized(body))) },
  ]);
}

function repeat(count: number, item: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(count * item.length);
  for (let at = 0; at < bytes.length; at += item.length) bytes.set(item, at);
  return bytes;
}
