import { describe, expect, test } from "bun:test";
import { Failure } from "../../lib/errors.ts";
import { Line } from "../../lib/executor/line.ts";

const said = (given: string | Failure): string => (given instanceof Failure ? given.message : given);
const CANCELLED = "The call was cancelled";

describe("Line", () => {
  test("gives turns in order, refuses who finds no room, and has nobody left", async () => {
    const line = new Line<string>(2, () => 70);
    const waits = ["a", "a", "a"].map((client) => line.wait(client).then(said));
    expect([line.size, line.give("first"), line.give("second"), line.give("third"), line.size]).toEqual([
      2,
      true,
      true,
      false,
      0,
    ]);
    expect(await Promise.all(waits)).toEqual([
      "first",
      "second",
      "Cannot start the call: the queue is full, retry in 70 ms",
    ]);
  });

  test("is left at once by who is cancelled, who gets no turn", async () => {
    const line = new Line<string>(2, () => 70);
    const stop = new AbortController();
    const waits = [line.wait("a", stop.signal).then(said), line.wait("b").then(said)];
    stop.abort();
    expect([line.size, line.give("turn")]).toEqual([1, true]);
    expect(await Promise.all(waits)).toEqual([CANCELLED, "turn"]);
  });

  test("sends everyone away when it closes", async () => {
    const line = new Line<string>(2, () => 70);
    const waits = ["a", "b"].map((client) => line.wait(client).then(said));
    line.close();
    expect(await Promise.all(waits)).toEqual([CANCELLED, CANCELLED]);
  });
});
