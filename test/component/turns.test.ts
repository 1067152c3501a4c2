import { describe, expect, test } from "bun:test";
import { Turns } from "../../lib/component/turns.ts";

describe("Turns.run()", () => {
  test("never runs more at once than it may, and the rest in the order they came", async () => {
    const turns = new Turns(2);
    const started: number[] = [];
    const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
    const runs = gates.map((gate, index) => turns.run(() => (started.push(index), gate.promise)));
    expect(started).toEqual([0, 1]);
    gates[1]?.resolve();
    await runs[1];
    expect(started).toEqual([0, 1, 2]);
    for (const gate of gates) gate.resolve();
    await Promise.all(runs);
    expect(started).toEqual([0, 1, 2, 3, 4]);
  });

  test("gives the turn back when the work fails", async () => {
    const turns = new Turns(1);
    const failing = turns.run(() => Promise.reject(new Error("no")));
    const next = turns.run(async () => "yes");
    await expect(failing).rejects.toThrow("no");
    expect(await next).toBe("yes");
    expect(await turns.run(async () => "again")).toBe("again");
  });
});
