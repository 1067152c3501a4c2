import { describe, expect, test } from "bun:test";
import { ControlBlock } from "../../lib/protocol/control.ts";

describe("ControlBlock", () => {
  test("shows one side what the other wrote", () => {
    const host = new ControlBlock();
    const worker = new ControlBlock(host.buffer);
    expect([worker.interrupted, worker.state, worker.fuelUsed]).toEqual([undefined, "waiting", 0]);
    worker.state = "running";
    worker.publishFuel(2 ** 53 - 1, 2 ** 52 + 1);
    host.interrupt("deadline");
    expect([worker.interrupted, host.state, host.fuelUsed]).toEqual(["deadline", "running", 2 ** 52 + 1]);
  });

  test("keeps the first of several reasons", () => {
    const control = new ControlBlock();
    control.interrupt("cancelled");
    control.interrupt("deadline");
    control.interrupt("shutdown");
    expect(control.interrupted).toBe("cancelled");
  });
});
