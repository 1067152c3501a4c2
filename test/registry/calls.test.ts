import { describe, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { join } from "node:path";
import { CALLS_KEPT, CALLS_PENDING, type CallRecord } from "../../lib/registry/calls.ts";
import { Registry } from "../../lib/registry/registry.ts";
import { temporaryDirectory } from "./support.ts";

function makeRecord(startedAt: number): CallRecord {
  const usage = {
    fuel: Number.MAX_SAFE_INTEGER,
    cpuMs: 1.125,
    wallMs: 1.25,
    peakMemoryBytes: 65_536,
    hostCalls: 3,
    inputBytes: 2,
    outputBytes: 5,
    isPartial: false,
  };
  return { toolId: "dev.example.echo", startedAt, outcome: "OK", usage };
}

const startTimes = (calls: readonly CallRecord[]): readonly number[] => calls.map(({ startedAt }) => startedAt);

describe("Registry.calls()", () => {
  test("gives back whole records, newest first, also to another process's registry", async () => {
    using directory = temporaryDirectory();
    using registry = Registry.open(directory.path);
    const records: CallRecord[] = [
      makeRecord(1_700_000_000_000),
      { ...makeRecord(2), toolId: "", outcome: "FUEL_EXHAUSTED" },
      { ...makeRecord(4), outcome: "WORKER_LOST", usage: { ...makeRecord(4).usage, isPartial: true } },
      makeRecord(3),
    ];
    await Promise.all(records.map((record) => registry.recordCall(record)));
    using other = Registry.open(directory.path);
    expect(other.calls()).toEqual(records.toReversed());
    expect(other.calls(2)).toEqual(records.toReversed().slice(0, 2));
    expect(other.calls(0)).toEqual([]);
  });

  test("leaves out a call whose outcome it does not know", async () => {
    using directory = temporaryDirectory();
    using registry = Registry.open(directory.path);
    await registry.recordCall(makeRecord(1));
    await registry.recordCall(makeRecord(2));
    const database = new Database(join(directory.path, "registry.db"));
    database.run("UPDATE calls SET outcome = 'FROM_THE_FUTURE' WHERE started_at = 1");
    database.close();
    expect(startTimes(registry.calls())).toEqual([2]);
  });

  test("keeps the newest ten thousand", () => {
    using directory = temporaryDirectory();
    using registry = Registry.open(directory.path);
    expect(CALLS_KEPT).toBe(10_000);
    for (let index = 1; index <= 9_999; index++) void registry.recordCall(makeRecord(index));
    expect([registry.calls(20_000).length, registry.calls(20_000).at(-1)?.startedAt]).toEqual([9_999, 1]);
    void registry.recordCall(makeRecord(10_000));
    expect([registry.calls(20_000).length, registry.calls(20_000).at(-1)?.startedAt]).toEqual([10_000, 1]);
    void registry.recordCall(makeRecord(10_001));
    expect([registry.calls(20_000).length, registry.calls(20_000).at(-1)?.startedAt]).toEqual([10_000, 2]);
  });
});

describe("Registry.recordCall()", () => {
  test("does not wait while another process writes, and records the call afterwards", async () => {
    using directory = temporaryDirectory();
    using registry = Registry.open(directory.path);
    using holder = new Database(join(directory.path, "registry.db"));
    holder.run("BEGIN IMMEDIATE");
    const startedAt = performance.now();
    for (let index = 1; index <= 20; index++) await registry.recordCall(makeRecord(index));
    // One wait of the busy timeout alone would be five seconds.
    expect(performance.now() - startedAt).toBeLessThan(2500);
    expect(startTimes(registry.calls(3))).toEqual([20, 19, 18]);
    holder.run("COMMIT");
    await registry.recordCall(makeRecord(21));
    expect(holder.query("SELECT count(*) AS count FROM calls").get()).toEqual({ count: 21 });
    expect(startTimes(registry.calls(3))).toEqual([21, 20, 19]);
  });

  test("keeps the newest thousand while it cannot write", async () => {
    using directory = temporaryDirectory();
    using registry = Registry.open(directory.path);
    using holder = new Database(join(directory.path, "registry.db"));
    holder.run("BEGIN IMMEDIATE");
    expect(CALLS_PENDING).toBe(1000);
    await Promise.all(Array.from({ length: 1001 }, (_, index) => registry.recordCall(makeRecord(index + 1))));
    expect([registry.calls(2000).length, registry.calls(2000).at(-1)?.startedAt]).toEqual([1000, 2]);
    holder.run("COMMIT");
    expect([registry.calls(2000).length, registry.calls(2000).at(-1)?.startedAt]).toEqual([1000, 2]);
  });

  test("writes what is pending when the registry closes", () => {
    using directory = temporaryDirectory();
    const registry = Registry.open(directory.path);
    const holder = new Database(join(directory.path, "registry.db"));
    holder.run("BEGIN IMMEDIATE");
    void registry.recordCall(makeRecord(7));
    holder.run("COMMIT");
    holder.close();
    registry[Symbol.dispose]();
    using other = Registry.open(directory.path);
    expect(startTimes(other.calls())).toEqual([7]);
  });

  test("writes calls that end together at once, before it resolves", async () => {
    using directory = temporaryDirectory();
    using registry = Registry.open(directory.path);
    using reader = new Database(join(directory.path, "registry.db"));
    const count = (): unknown => reader.query("SELECT count(*) AS count FROM calls").get();
    const first = registry.recordCall(makeRecord(1));
    const second = registry.recordCall(makeRecord(2));
    expect(count()).toEqual({ count: 0 });
    await first;
    expect(count()).toEqual({ count: 2 });
    await second;
  });

  test("does not throw when the record cannot be kept at all, nor after closing, and goes on", async () => {
    using directory = temporaryDirectory();
    const registry = Registry.open(directory.path);
    await registry.recordCall({ ...makeRecord(1), usage: { ...makeRecord(1).usage, fuel: Number.NaN } });
    await registry.recordCall(makeRecord(2));
    expect(startTimes(registry.calls())).toEqual([2]);
    const database = new Database(join(directory.path, "registry.db"));
    database.run("DROP TABLE calls");
    database.close();
    await registry.recordCall(makeRecord(3));
    registry[Symbol.dispose]();
    await registry.recordCall(makeRecord(4));
  });
});
