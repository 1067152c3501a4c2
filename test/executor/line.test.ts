import { describe, expect, test } from "bun:test";
import { Failure } from "../../lib/errors.ts";
import { type Caller, Line } from "../../lib/executor/line.ts";

const said = (given: string | Failure): string => (given instanceof Failure ? given.message : given);
const of = (client: string): Caller<undefined> => ({ client, wants: undefined });
const chooseCommon = (wants: string): string | undefined => (wants === "common" ? wants : undefined);
const CANCELLED = "The call was cancelled";

describe("Line", () => {
  test("gives turns in order, refuses who finds no room, and has nobody left", async () => {
    const line = new Line<string, undefined>(2, () => 70);
    const waits = ["a", "a", "a"].map((client) => line.wait(of(client)).then(said));
    expect([
      line.size,
      line.give(() => "first"),
      line.give(() => "second"),
      line.give(() => "third"),
      line.size,
    ]).toEqual([2, true, true, false, 0]);
    expect(await Promise.all(waits)).toEqual([
      "first",
      "second",
      "Cannot start the call: the queue is full, retry in 70 ms",
    ]);
  });

  test("is left at once by who is cancelled, who gets no turn", async () => {
    const line = new Line<string, undefined>(2, () => 70);
    const stop = new AbortController();
    const waits = [line.wait({ ...of("a"), signal: stop.signal }).then(said), line.wait(of("b")).then(said)];
    stop.abort();
    expect([line.size, line.give(() => "turn")]).toEqual([1, true]);
    expect(await Promise.all(waits)).toEqual([CANCELLED, "turn"]);
  });

  test("lets others pass one for whom there is nothing, in turns, and keeps its place", async () => {
    const line = new Line<string, string>(4, () => 70);
    const order: string[] = [];
    const wait = async (client: string, wants: string): Promise<void> => {
      order.push(`${client} ${said(await line.wait({ client, wants }))}`);
    };
    const waits = [wait("a", "rare"), wait("a", "common"), wait("b", "rare"), wait("c", "common")];
    expect([1, 2, 3].map(() => line.give(chooseCommon))).toEqual([true, true, false]);
    expect([line.give((wants) => wants), line.give((wants) => wants), line.size]).toEqual([true, true, 0]);
    await Promise.all(waits);
    // The turn of "a" has passed, though not with its oldest.
    expect(order).toEqual(["a common", "c common", "b rare", "a rare"]);
  });

  test("takes one back before its client's others, though it is full", async () => {
    const line = new Line<string, undefined>(2, () => 70);
    const order: string[] = [];
    const wait = (name: string, isBack: boolean): Promise<unknown> =>
      line.wait({ client: "a", wants: undefined, isBack }).then((given) => order.push(`${name}: ${said(given)}`));
    const waits = [wait("1", false), wait("2", false), wait("0", true), wait("3", false)];
    for (const place of ["x", "y", "z"]) line.give(() => place);
    await Promise.all(waits);
    expect([order, line.size]).toEqual([
      ["3: Cannot start the call: the queue is full, retry in 70 ms", "0: x", "1: y", "2: z"],
      0,
    ]);
  });

  test("takes several back in the order in which they come back", async () => {
    const line = new Line<string, undefined>(9, () => 70);
    const order: string[] = [];
    const wait = (name: string, isBack: boolean): Promise<unknown> =>
      line.wait({ client: "a", wants: undefined, isBack }).then(() => order.push(name));
    const waits = [wait("4", false), wait("1", true), wait("2", true), wait("5", false), wait("3", true)];
    while (line.give(() => "turn"));
    await Promise.all(waits);
    expect(order).toEqual(["1", "2", "3", "4", "5"]);
  });

  test("answers everyone when it is beyond its limit: a call that is taken back keeps nobody waiting for ever", async () => {
    const line = new Line<string, undefined>(2, () => 70);
    const waits = [line.wait(of("a")), line.wait(of("a")), line.wait({ ...of("a"), isBack: true }), line.wait(of("b"))];
    while (line.give(() => "turn"));
    const full = "Cannot start the call: the queue is full, retry in 70 ms";
    expect((await Promise.all(waits)).map(said)).toEqual(["turn", full, "turn", "turn"]);
  });

  test("sends everyone away when it is cleared", async () => {
    const line = new Line<string, undefined>(2, () => 70);
    const waits = ["a", "b"].map((client) => line.wait(of(client)).then(said));
    line.clear();
    expect(await Promise.all(waits)).toEqual([CANCELLED, CANCELLED]);
  });
});
