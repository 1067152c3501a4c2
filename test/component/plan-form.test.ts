/**
 * Plans that a stranger wrote: refused when they are read, or linked and run to an end that is an error like any other.
 *
 * `KAMI_FUZZ_PLANS` is how many are made by chance, of each component.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { guestPath } from "../../fixtures/paths.ts";
import type { Plan } from "../../lib/component/link/plan.ts";
import { Linker } from "../../lib/component/link/linker.ts";
import { parsePlan } from "../../lib/component/plan-form.ts";
import { planComponent } from "../../lib/component/plan/plan.ts";
import { Failure } from "../../lib/errors.ts";
import { INTERFACES } from "../../lib/worker/imports.ts";
import { Recorder } from "../worker/wasi/recorder.ts";
import { Random } from "./link/support/random.ts";
import { EMPTY_PLAN } from "./support/plans.ts";

const PLANS = Number(process.env["KAMI_FUZZ_PLANS"] ?? 1500);

const IMPORTED = { from: "import", interface: "a", name: "b", type: { parameters: [], result: null } } as const;
const CORE = { from: "export", instance: 0, name: "f" } as const;
const OPTIONS = { instance: 0, memory: null, realloc: null, postReturn: null, encoding: "utf8" } as const;
const LIFTED = { from: "lift", core: CORE, type: IMPORTED.type, options: OPTIONS } as const;
const BYTE = { kind: "u8" } as const;

describe("parsePlan()", () => {
  test("takes an empty plan", () => {
    expect(parsePlan(EMPTY_PLAN, 0)).toEqual(EMPTY_PLAN);
  });

  test.each([
    ["nothing", undefined],
    ["a list", []],
    ["a further key", { ...EMPTY_PLAN, extra: 1 }],
    ["a key less", { types: [], resources: [], instances: 1, functions: [], steps: [] }],
    ["a type of no kind", { ...EMPTY_PLAN, types: [{ kind: "i32" }] }],
    ["a kind of an object's own", { ...EMPTY_PLAN, types: [{ kind: "__proto__" }] }],
    ["a type that is part of itself", { ...EMPTY_PLAN, types: [{ kind: "list", element: 0 }] }],
    ["a type of a later one", { ...EMPTY_PLAN, types: [{ kind: "option", some: 1 }, BYTE] }],
    ["a type of number 0.5", { ...EMPTY_PLAN, types: [BYTE, { kind: "option", some: 0.5 }] }],
    ["a type of number -1", { ...EMPTY_PLAN, types: [BYTE, { kind: "option", some: -1 }] }],
    [
      "an encoding that there is not",
      { ...EMPTY_PLAN, functions: [{ ...LIFTED, options: { ...OPTIONS, encoding: "utf-8" } }] },
    ],
    [
      "an allocator that is lowered",
      {
        ...EMPTY_PLAN,
        functions: [{ ...LIFTED, options: { ...OPTIONS, realloc: { from: "lower", function: 0, options: OPTIONS } } }],
      },
    ],
    ["a module that there is not", { ...EMPTY_PLAN, steps: [{ module: 1, imports: [] }] }],
    ["imports from an instance that is made later", { ...EMPTY_PLAN, steps: [{ module: 0, imports: [["a", 0]] }] }],
    [
      "an export of an import",
      { ...EMPTY_PLAN, functions: [IMPORTED], exports: [{ instance: null, name: "run", function: 0 }] },
    ],
    ["an export of nothing", { ...EMPTY_PLAN, exports: [{ instance: null, name: "run", function: 0 }] }],
    ["257 core instances", { ...EMPTY_PLAN, steps: Array.from({ length: 257 }, () => ({ module: 0, imports: [] })) }],
    ["a name of 1001 characters", { ...EMPTY_PLAN, functions: [{ ...IMPORTED, name: "x".repeat(1001) }] }],
    ["200,001 types", { ...EMPTY_PLAN, types: Array.from({ length: 200_001 }, () => BYTE) }],
  ])("refuses %s", (_, plan) => {
    expect(parsePlan(plan, 1)).toBeUndefined();
  });

  test("takes types of depth 100, and no deeper ones", () => {
    expect(parsePlan(chain(99), 0)).toBeDefined();
    expect(parsePlan(chain(100), 0)).toBeDefined();
    expect(parsePlan(chain(101), 0)).toBeUndefined();
  });

  test("refuses types that are short as a graph and endless as a tree", () => {
    expect(parsePlan(pairs(19), 0)).toBeDefined();
    expect(parsePlan(pairs(20), 0)).toBeUndefined();
    expect(parsePlan(pairs(90), 0)).toBeUndefined();
  });
});

/** Options of options of a byte. */
function chain(depth: number): Plan {
  const types: Plan["types"] = Array.from({ length: depth }, (_, index) =>
    index === 0 ? BYTE : { kind: "option", some: index - 1 },
  );
  return { ...EMPTY_PLAN, types };
}

/** Each type but the first is two of the one before. */
function pairs(count: number): Plan {
  const types: Plan["types"] = Array.from({ length: count }, (_, index) =>
    index === 0 ? BYTE : { kind: "tuple", elements: [index - 1, index - 1] },
  );
  return { ...EMPTY_PLAN, types };
}

/** A component's plan and modules. */
interface Subject {
  readonly plan: Plan;
  readonly modules: readonly WebAssembly.Module[];
  readonly bytes: Uint8Array;
}

describe("plans and components changed by chance", () => {
  const GUESTS = ["echo", "kami-tool", "http-get", "open-forged"];
  const subjects = new Map<string, Subject>();

  beforeAll(async () => {
    for (const name of GUESTS) {
      const bytes = await Bun.file(guestPath(name)).bytes();
      const { plan, modules } = planComponent(bytes);
      const compiled = await Promise.all(modules.map((module) => WebAssembly.compile(Uint8Array.from(module))));
      subjects.set(name, { plan, modules: compiled, bytes });
    }
  });

  test.each(GUESTS)("%s: a plan is refused, or ends in an error or a result", async (name) => {
    const { plan, modules } = subjects.get(name) ?? { plan: EMPTY_PLAN, modules: [] };
    const random = new Random(name.length);
    const json = JSON.stringify(plan);
    const ends = { refused: 0, failed: 0, ran: 0 };
    for (let left = PLANS; left > 0; left--) {
      const changed: unknown = JSON.parse(json);
      for (let changes = 1 + random.below(3); changes > 0; changes--) mutate(changed, random);
      const parsed = parsePlan(changed, modules.length);
      if (parsed === undefined) ends.refused += 1;
      else ends[await run(parsed, modules)] += 1;
    }
    expect(ends.refused + ends.failed + ends.ran).toBe(PLANS);
    expect(Math.min(ends.refused, ends.failed, ends.ran)).toBeGreaterThan(0);
  });

  test.each(GUESTS)("%s: a component with bytes changed is planned, or refused with a failure", (name) => {
    const { bytes } = subjects.get(name) ?? { bytes: new Uint8Array() };
    const random = new Random(name.length + 1);
    let planned = 0;
    for (let left = PLANS; left > 0; left--) {
      const changed = bytes.slice();
      for (let changes = 1 + random.below(3); changes > 0; changes--) {
        // Most of the bytes are the core module's, which is not looked at here.
        const at = random.happens(0.7)
          ? changed.length - 1 - random.below(Math.min(900, changed.length))
          : random.below(changed.length);
        changed[at] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)]);
      }
      try {
        const { plan, modules } = planComponent(changed);
        expect(parsePlan(JSON.parse(JSON.stringify(plan)), modules.length) ?? "refused").toBeTruthy();
        planned += 1;
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
      }
    }
    expect(planned).toBeGreaterThan(0);
  });
});

/** Links a plan and calls what it exports. Throws what is no error of the linker's, the engine's or the guest's. */
async function run(plan: Plan, modules: readonly WebAssembly.Module[]): Promise<"failed" | "ran"> {
  const call = new Recorder();
  call.modules = modules;
  try {
    const linker = new Linker(plan, INTERFACES);
    const linked = await linker.instantiate(call);
    for (const exported of plan.exports) await linked.invoke(exported.function, ["{}"]);
    return "ran";
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return "failed";
  }
}

/** Changes one thing somewhere in a value of JSON. */
function mutate(value: unknown, random: Random): void {
  const places: (readonly [holder: object, key: string])[] = [];
  const visit = (holder: unknown): void => {
    if (typeof holder !== "object" || holder === null) return;
    for (const key of Object.keys(holder)) {
      places.push([holder, key]);
      visit(Reflect.get(holder, key));
    }
  };
  visit(value);
  const [holder, key] = random.pick(places);
  const old: unknown = Reflect.get(holder, key);
  if (Array.isArray(old) && random.happens(0.5)) {
    const items: unknown[] = old;
    if (items.length > 0 && random.happens(0.5)) items.splice(random.below(items.length), 1);
    else items.push(items[random.below(Math.max(1, items.length))]);
    return;
  }
  Reflect.set(holder, key, replacement(old, random));
}

function replacement(old: unknown, random: Random): unknown {
  if (typeof old === "number") return random.pick([0, 1, old + 1, old - 1, 7, 2 ** 31, 2 ** 53 - 1, -1, 0.5, null]);
  if (typeof old === "string")
    return random.pick([
      "",
      "__proto__",
      "constructor",
      "memory",
      "cabi_realloc",
      "run",
      "u64",
      "string",
      "utf16",
      `${old}x`,
    ]);
  return random.pick([null, 0, [], {}, "x"]);
}
