import { describe, expect, test } from "bun:test";
import { ControlBlock, SLICE } from "../../lib/protocol/control.ts";
import type { Limits } from "../../lib/protocol/limits.ts";
import { Budget } from "../../lib/worker/budget.ts";

const MIB = 1_048_576;
const LIMITS: Limits = { fuel: 1_000_000, memoryBytes: MIB, timeoutMs: 60_000 };

function budgetOf(
  limits: Partial<Limits> = {},
  startedAt: number = performance.now(),
): { budget: Budget; control: ControlBlock } {
  const control = new ControlBlock();
  return { budget: new Budget({ ...LIMITS, ...limits }, control, startedAt), control };
}

/** A guest with a counter, which settles as the metered code does. */
class Guest {
  left = SLICE;
  stack = 1;
  readonly #control: ControlBlock;

  constructor(budget: Budget) {
    this.#control = new ControlBlock(budget.signal);
    budget.addFuel({ read: () => this.left, write: (left) => (this.left = left), stack: () => this.stack });
  }

  /** Subtracts, and settles when it is below zero. Returns whether it may go on. */
  burn(step: number): boolean {
    this.left -= step;
    if (this.left >= 0) return true;
    this.#control.burnFuel(SLICE - this.left);
    this.left = SLICE;
    return this.#control.fuelLeft >= 0 && this.#control.interrupted === undefined;
  }
}

/** Burns in steps. Returns how much was burned until refused. */
function burn(budget: Budget, step: number, most: number): number {
  const guest = new Guest(budget);
  let burned = 0;
  while (burned < most) {
    burned += step;
    if (!guest.burn(step)) return burned;
  }
  return burned;
}

describe("Budget fuel", () => {
  const STEPS = [1, 7, 49_999, 50_000, 50_001, 123_457];
  for (const step of STEPS) {
    test(`is exact for steps of ${step}, however the slices fall`, () => {
      const rounds = Math.ceil(300_000 / step);
      const fuel = rounds * step;
      const { budget } = budgetOf({ fuel });
      expect(burn(budget, step, fuel)).toBe(fuel);
      budget.settle();
      expect([budget.stopped, budget.fuelUsed]).toEqual([undefined, fuel]);
    });

    test(`refuses the step of ${step} that needs one unit too many`, () => {
      const rounds = Math.ceil(300_000 / step);
      const fuel = rounds * step - 1;
      const { budget } = budgetOf({ fuel });
      burn(budget, step, rounds * step);
      budget.settle();
      expect(budget.stopped).toEqual({ code: "FUEL_EXHAUSTED", detail: { fuelLimit: fuel } });
      expect(budget.fuelUsed).toBe(fuel);
    });
  }

  test("of a stopped call is what it had used by then", () => {
    const { budget } = budgetOf();
    burn(budget, 10, 120_000);
    budget.stop("CAPABILITY_DENIED", { capability: "x" });
    expect(new Guest(budget).burn(1)).toBe(false);
    expect(budget.fuelUsed).toBe(120_000);
  });

  test("pays 100 units for a call into the host, and refuses it when they are not there", () => {
    const { budget } = budgetOf({ fuel: 250 });
    budget.enterHost();
    budget.enterHost();
    expect(budget.fuelUsed).toBe(200);
    expect(() => budget.enterHost()).toThrow(WebAssembly.RuntimeError);
    expect(budget.stopped).toEqual({ code: "FUEL_EXHAUSTED", detail: { fuelLimit: 250 } });
  });

  test("is counted over all instances of the call together", () => {
    const { budget } = budgetOf({ fuel: 120_000 });
    const first = new Guest(budget);
    const second = new Guest(budget);
    for (let i = 0; i < 600; i++) expect([first.burn(100), second.burn(100)]).toEqual([true, true]);
    budget.settle();
    expect([budget.fuelUsed, budget.stopped]).toEqual([120_000, undefined]);
    first.burn(1);
    budget.settle();
    expect([budget.fuelUsed, budget.stopped?.code]).toEqual([120_000, "FUEL_EXHAUSTED"]);
  });

  test("of every instance is gone once the call is stopped, whoever noticed", () => {
    const { budget } = budgetOf();
    const first = new Guest(budget);
    const second = new Guest(budget);
    first.burn(1);
    second.burn(1);
    budget.stop("CAPABILITY_DENIED", { capability: "x" });
    expect([first.burn(1), second.burn(1)]).toEqual([false, false]);
  });

  test("is not used up by waiting", () => {
    const { budget } = budgetOf();
    for (let i = 0; i < 1000; i++) budget.checkInterrupt();
    expect(budget.fuelUsed).toBe(0);
  });
});

describe("Budget interrupts", () => {
  test("land at the next check, with their reason", () => {
    const { budget, control } = budgetOf();
    const guest = new Guest(budget);
    guest.burn(1);
    control.interrupt("cancelled");
    expect(guest.burn(60_000)).toBe(false);
    budget.settle();
    expect(budget.stopped).toEqual({ code: "CANCELLED", detail: {} });
    expect(guest.burn(1)).toBe(false);
  });

  test("come from the Worker's own clock as well, in calls into the host", () => {
    const { budget } = budgetOf({ timeoutMs: 5 }, performance.now() - 5);
    expect(() => budget.enterHost()).toThrow(WebAssembly.RuntimeError);
    expect(budget.stopped).toEqual({ code: "DEADLINE_EXCEEDED", detail: { limitMs: 5 } });
  });

  test("that fall together with a stack or fuel that is used up leave that as the reason", () => {
    const { budget, control } = budgetOf();
    new Guest(budget).stack = -1;
    control.interrupt("cancelled");
    budget.settle();
    expect(budget.stopped).toEqual({ code: "STACK_OVERFLOW", detail: {} });
    const other = budgetOf({ fuel: 10 });
    new Guest(other.budget).burn(11);
    other.control.interrupt("deadline");
    other.budget.settle();
    expect(other.budget.stopped?.code).toBe("FUEL_EXHAUSTED");
  });

  test("do not change the reason of a call that was stopped already", () => {
    const { budget, control } = budgetOf();
    budget.stop("CAPABILITY_DENIED", { capability: "x" });
    control.interrupt("cancelled");
    budget.settle();
    expect(budget.stopped?.code).toBe("CAPABILITY_DENIED");
  });
});

describe("Budget instances", () => {
  const SMALL = { memories: 0, pages: 0, tableElements: 0, heapBytes: 0 };

  test("cost 1,000 units each, and there are at most 256", () => {
    const { budget } = budgetOf();
    for (let i = 0; i < 256; i++) {
      budget.reserve(SMALL);
    }
    expect(budget.fuelUsed).toBe(256_000);
    expect(() => budget.reserve(SMALL)).toThrow(WebAssembly.RuntimeError);
    expect(budget.stopped).toEqual({
      code: "GUEST_TRAP",
      detail: { reason: "it makes more than 256 core instances" },
    });
  });
});

describe("Budget memory", () => {
  const PAGE = 65_536;
  const [LIMIT, ENDLESS] = [{ memoryBytes: 4096 * PAGE }, { memoryBytes: 4096 * PAGE, fuel: 1e12 }];

  test("costs what it grows by, and what it holds as well where it is copied to grow", () => {
    const { budget } = budgetOf(ENDLESS);
    const cost = (delta: number, mayMove: boolean): number => {
      const before = budget.fuelUsed;
      expect(budget.grow(new WebAssembly.Memory({ initial: 5 }), delta, mayMove)).toBe(5);
      return budget.fuelUsed - before;
    };
    expect([cost(0, false), cost(2, false), cost(0, true), cost(2, true)]).toEqual([
      100,
      100 + 2 * 4096,
      100,
      100 + 7 * 4096,
    ]);
  });

  test.each([
    { grows: 254, gives: 1, why: "one page below the bound" },
    { grows: 255, gives: 1, why: "at the bound" },
    { grows: 256, gives: -1, why: "one page above" },
    { grows: -1, gives: -1, why: "more than there can be" },
  ])("is copied to grow up to 16 MiB: $why", ({ grows, gives }) => {
    const { budget } = budgetOf(ENDLESS);
    expect(budget.grow(new WebAssembly.Memory({ initial: 1 }), grows, true)).toBe(gives);
    expect(budget.memoryRefused).toBe(false);
  });

  test("that is copied to grow is not, when the fuel for it is used up", () => {
    const { budget } = budgetOf({ ...LIMIT, fuel: 100 + 2 * 4096 - 1 });
    const memory = new WebAssembly.Memory({ initial: 2 });
    expect(() => budget.grow(memory, 1, true)).toThrow(WebAssembly.RuntimeError);
    expect(budget.stopped?.code).toBe("FUEL_EXHAUSTED");
    expect(memory.buffer.byteLength).toBe(2 * PAGE);
  });

  test("grows to exactly the limit, and not one page further", () => {
    const { budget } = budgetOf({ memoryBytes: 4 * PAGE });
    const memory = new WebAssembly.Memory({ initial: 1 });
    budget.reserve({ memories: 1, pages: 1, tableElements: 0, heapBytes: 0 });
    expect(budget.grow(memory, 2)).toBe(1);
    expect(budget.grow(memory, 2)).toBe(-1);
    expect(budget.memoryRefused).toBe(true);
    expect(budget.grow(memory, 1)).toBe(3);
    expect([budget.memory.peakBytes, memory.buffer.byteLength]).toEqual([4 * PAGE, 4 * PAGE]);
  });

  test("counts all memories and tables together, an element as 48 bytes", () => {
    const { budget } = budgetOf({ memoryBytes: 5 * PAGE });
    budget.reserve({ memories: 1, pages: 2, tableElements: (3 * PAGE) / 48 - 1, heapBytes: 0 });
    expect(budget.grow(new WebAssembly.Memory({ initial: 1 }), 1)).toBe(-1);
    expect([budget.growTable(1), budget.grewTable(7)]).toEqual([1, 7]);
    expect(budget.growTable(1)).toBe(-1);
    expect(budget.memory.peakBytes).toBe(5 * PAGE);
  });

  test("takes back what a table or a memory did not grow by", () => {
    const { budget } = budgetOf({ memoryBytes: 4 * PAGE });
    budget.reserve({ memories: 1, pages: 1, tableElements: 0, heapBytes: 0 });
    for (let i = 0; i < 3; i++) expect([budget.growTable(4096), budget.grewTable(-1)]).toEqual([4096, -1]);
    const full = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    for (let i = 0; i < 3; i++) expect(budget.grow(full, 3)).toBe(-1);
    expect([budget.memory.peakBytes, budget.fuelUsed]).toEqual([PAGE, 1600]);
  });

  test("reads a negative number of pages as a very large one", () => {
    const { budget } = budgetOf();
    const memory = new WebAssembly.Memory({ initial: 1 });
    budget.reserve({ memories: 1, pages: 1, tableElements: 0, heapBytes: 0 });
    expect(budget.grow(memory, -1)).toBe(-1);
    expect(budget.growTable(-1)).toBe(-1);
  });

  test("stops a call whose memories do not fit at the start", () => {
    const { budget } = budgetOf({ memoryBytes: PAGE });
    budget.reserve({ memories: 1, pages: 1, tableElements: 0, heapBytes: 0 });
    expect(() => budget.reserve({ memories: 1, pages: 0, tableElements: 1, heapBytes: 0 })).toThrow(
      WebAssembly.RuntimeError,
    );
    expect(budget.stopped).toEqual({ code: "MEMORY_EXHAUSTED", detail: { limitBytes: PAGE } });
  });

  test("cannot grow past what the memory itself allows", () => {
    const { budget } = budgetOf();
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 2 });
    budget.reserve({ memories: 1, pages: 1, tableElements: 0, heapBytes: 0 });
    expect(budget.grow(memory, 2)).toBe(-1);
    expect(budget.grow(memory, 1)).toBe(1);
  });

  test("costs 4,096 units for each new page beside the call", () => {
    const { budget } = budgetOf();
    const memory = new WebAssembly.Memory({ initial: 1 });
    budget.reserve({ memories: 1, pages: 1, tableElements: 0, heapBytes: 0 });
    budget.grow(memory, 2);
    expect(budget.fuelUsed).toBe(1000 + 100 + 2 * 4096);
  });
});
