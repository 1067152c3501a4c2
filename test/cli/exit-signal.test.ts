import { describe, expect, test } from "bun:test";
import { EndWatch, Interrupted } from "../../lib/cli/exit-signal.ts";
import { testHost } from "./support/host.ts";

describe("EndWatch", () => {
  test("aborts at the first signal, and ends the process at the second", () => {
    const host = testHost();
    using end = new EndWatch(host);
    expect([end.signal.aborted, end.exitCode]).toEqual([false, undefined]);
    host.send("SIGINT");
    expect([end.signal.aborted, end.exitCode, host.exits]).toEqual([true, 130, []]);
    host.send("SIGTERM");
    expect(host.exits).toEqual([130]);
  });

  test("tells the signals apart", () => {
    const host = testHost();
    using end = new EndWatch(host);
    host.send("SIGTERM");
    expect(end.exitCode).toBe(143);
  });

  test("listens no longer once it is disposed", () => {
    const host = testHost();
    const end = new EndWatch(host);
    end[Symbol.dispose]();
    host.send("SIGINT");
    expect(end.signal.aborted).toBe(false);
  });
});

describe("EndWatch.interruptible()", () => {
  test("gives what the work gives", async () => {
    using end = new EndWatch(testHost());
    expect(await end.interruptible(Promise.resolve(5))).toBe(5);
  });

  test("fails as the work fails", async () => {
    using end = new EndWatch(testHost());
    const error = new Error("no");
    expect(await end.interruptible(Promise.reject(error)).catch((caught: unknown) => caught)).toBe(error);
  });

  test("waits no longer after a signal, be it before or during the work", async () => {
    const host = testHost();
    using end = new EndWatch(host);
    const endless = Promise.withResolvers<never>().promise;
    const during = end.interruptible(endless);
    host.send("SIGINT");
    const caught = await Promise.allSettled([during, end.interruptible(endless)]);
    expect(caught.map((result) => result.status === "rejected" && result.reason instanceof Interrupted)).toEqual([
      true,
      true,
    ]);
  });
});
