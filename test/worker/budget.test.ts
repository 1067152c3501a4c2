import { describe, expect, test } from "bun:test";
import { ControlBlock } from "../../lib/protocol/control.ts";
import type { Limits } from "../../lib/protocol/limits.ts";
import { Budget, StopSignal } from "../../lib/worker/budget.ts";

const MIB = 1_048_576;
const LIMITS: Limits = { fuel: 1_000_000, memoryBytes: MIB, timeoutMs: 60_000 };

function budgetOf(
  limits: Partial<Limits> = {},
  startedAt: number = performance.now(),
): { budget: Budget; control: ControlBlock } {
  const control = new ControlBlock();
  return { budget: new Budget({ ...LIMITS, ...limits }, control, startedAt), control };
}

/** Burns as the metered code does: subtracts, and asks when it is below zero. Returns how much it burned until refused. */
function burn(budget: Budget, step: number, most: number): number {
  let burned = 0;
  while (burned < most) {
    budget.fuel.value -= step;
    burned += step;
    if (budget.fuel.value < 0 && budget.refill() === 0) return burned;
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
    expect(budget.refill()).toBe(0);
    expect(budget.fuelUsed).toBe(120_000);
  });

  test("pays 100 units for a call into the host, and refuses it when they are not there", () => {
    const { budget } = budgetOf({ fuel: 250 });
    budget.enterHost();
    budget.enterHost();
    expect(budget.fuelUsed).toBe(200);
    expect(() => budget.enterHost()).toThrow(StopSignal);
    expect(budget.stopped).toEqual({ code: "FUEL_EXHAUSTED", detail: { fuelLimit: 250 } });
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
    control.interrupt("cancelled");
    expect(budget.refill()).toBe(0);
    expect(budget.stopped).toEqual({ code: "CANCELLED", detail: {} });
    expect(budget.fuel.value).toBeLessThan(0);
  });

  test("come from the Worker's own clock when the host is busy", () => {
    const { budget } = budgetOf({ timeoutMs: 5 }, performance.now() - 5);
    expect(budget.refill()).toBe(0);
    expect(budget.stopped).toEqual({ code: "DEADLINE_EXCEEDED", detail: { limitMs: 5 } });
  });

  test("do not change the reason of a call that was stopped already", () => {
    const { budget, control } = budgetOf();
    budget.stop("CAPABILITY_DENIED", { capability: "x" });
    control.interrupt("cancelled");
    budget.settle();
    expect(budget.stopped?.code).toBe("CAPABILITY_DENIED");
  });
});

describe("Budget memory", () => {
  const PAGE = 65_536;

  test("grows to exactly the limit, and not one page further", () => {
    const { budget } = budgetOf({ memoryBytes: 4 * PAGE });
    const memory = new WebAssembly.Memory({ initial: 1 });
    budget.addMemory(memory);
    expect(budget.grow(memory, 2)).toBe(1);
    expect(budget.grow(memory, 2)).toBe(-1);
    expect(budget.memoryRefused).toBe(true);
    expect(budget.grow(memory, 1)).toBe(3);
    expect([budget.peakMemoryBytes, memory.buffer.byteLength]).toEqual([4 * PAGE, 4 * PAGE]);
  });

  test("counts all memories and tables together", () => {
    const { budget } = budgetOf({ memoryBytes: 3 * PAGE });
    const first = new WebAssembly.Memory({ initial: 1 });
    budget.addMemory(first);
    budget.addMemory(new WebAssembly.Memory({ initial: 1 }));
    budget.addTableElements(PAGE / 8 - 1);
    expect(budget.grow(first, 1)).toBe(-1);
    expect(budget.growTable(1)).toBe(1);
    expect(budget.growTable(1)).toBe(-1);
  });

  test("reads a negative number of pages as a very large one", () => {
    const { budget } = budgetOf();
    const memory = new WebAssembly.Memory({ initial: 1 });
    budget.addMemory(memory);
    expect(budget.grow(memory, -1)).toBe(-1);
    expect(budget.growTable(-1)).toBe(-1);
  });

  test("stops a call whose memories do not fit at the start", () => {
    const { budget } = budgetOf({ memoryBytes: PAGE });
    budget.reserve(1);
    expect(() => budget.reserve(2)).toThrow(StopSignal);
    expect(budget.stopped).toEqual({ code: "MEMORY_EXHAUSTED", detail: { limitBytes: PAGE } });
  });

  test("cannot grow past what the memory itself allows", () => {
    const { budget } = budgetOf();
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 2 });
    budget.addMemory(memory);
    expect(budget.grow(memory, 2)).toBe(-1);
    expect(budget.grow(memory, 1)).toBe(1);
  });

  test("costs 4,096 units for each new page beside the call", () => {
    const { budget } = budgetOf();
    const memory = new WebAssembly.Memory({ initial: 1 });
    budget.addMemory(memory);
    budget.grow(memory, 2);
    expect(budget.fuelUsed).toBe(100 + 2 * 4096);
  });
});
