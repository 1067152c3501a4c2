import { describe, expect, test } from "bun:test";
import { guestPath } from "../../fixtures/paths.ts";
import { compileComponent } from "../../lib/component/compile.ts";
import { compileArtifact, type LoadableArtifact } from "../../lib/component/loadable.ts";
import { Executor } from "../../lib/executor/executor.ts";
import { ControlBlock } from "../../lib/protocol/control.ts";
import { NO_OUTPUT, NO_USAGE } from "../../lib/protocol/limits.ts";
import { AMPLE, summarize, TestRuntime } from "../support/runtime.ts";
import { createExecutor, emptyArtifact, outcomeOf, tell } from "./support/calls.ts";
import { DENY_ALL } from "../../lib/policy/policy.ts";

describe("Executor.call()", () => {
  for (const [queueLimit, busy] of [
    [0, 2],
    [1, 1],
    [2, 0],
  ] as const) {
    test(`with a queue of ${queueLimit} and one Worker refuses ${busy} of 3 calls, and says when to come back`, async () => {
      using executor = createExecutor({ queueLimit });
      const outcomes = await Promise.all([1, 2, 3].map(() => executor.call(tell("takes 50 ms")))).then((all) =>
        all.map(outcomeOf),
      );
      const refused = outcomes.filter((outcome) => outcome !== "done");
      expect(refused).toEqual(
        Array.from({ length: busy }, () => "BUSY Cannot start the call: the queue is full, retry in 100 ms"),
      );
    });
  }

  test("gives ten tools fair turns at two Workers", async () => {
    using executor = createExecutor({ concurrency: 2, queueLimit: 500 });
    const clients = Array.from({ length: 10 }, (_, index) => `tool${index}`);
    const done = new Map(clients.map((client) => [client, 0]));
    let widest = 0;
    const count = (client: string): void => {
      done.set(client, (done.get(client) ?? 0) + 1);
      widest = Math.max(widest, Math.max(...done.values()) - Math.min(...done.values()));
    };
    // Each tool sends all its calls before the next one comes: without turns the first would be done before the last begins.
    const calls = clients.flatMap((client) =>
      Array.from({ length: 20 }, () => executor.call(tell("ok", { client })).then(() => count(client))),
    );
    await Promise.all(calls);
    expect([...done.values()]).toEqual(clients.map(() => 20));
    // Turns are taken when calls begin; how far ends drift apart is the scheduler's. Without turns it would be 20.
    expect(widest).toBeLessThan(10);
  });

  test("lets a tool with few calls pass one with many", async () => {
    using executor = createExecutor({ queueLimit: 500 });
    const order: string[] = [];
    const send = (client: string, calls: number): Promise<unknown>[] =>
      Array.from({ length: calls }, () => executor.call(tell("ok", { client })).then(() => order.push(client)));
    await Promise.all([...send("many", 50), ...send("few", 3)]);
    expect(order.slice(0, 8)).toEqual(["many", "many", "few", "many", "few", "many", "few", "many"]);
  });

  test("answers CANCELLED for what runs, what waits, and what comes later, when it is disposed of", async () => {
    const executor = createExecutor({ queueLimit: 1 });
    await executor.call(tell("ok"));
    const calls = [executor.call(tell("wedged")), executor.call(tell("ok"))];
    executor[Symbol.dispose]();
    calls.push(executor.call(tell("ok")));
    expect((await Promise.all(calls)).map(outcomeOf)).toEqual(calls.map(() => "CANCELLED The call was cancelled"));
  });
});

describe("Executor over KAMI's own Worker", () => {
  test("reports a plan that does not load as the component's failure, keeps the Worker, and loads it again", async () => {
    using executor = new Executor({ concurrency: 1, queueLimit: 0 });
    const sound = await compileArtifact(await compileComponent(await Bun.file(guestPath("echo")).bytes()));
    const call = (artifact: LoadableArtifact): Promise<unknown> =>
      executor
        .call({ artifact, input: "{}", limits: AMPLE, policy: DENY_ALL, client: "test" })
        .then((settled) => summarize(settled));
    for (let round = 0; round < 2; round++) {
      expect(await call({ ...sound, digest: "broken", plan: { ...sound.plan, types: [] } })).toEqual({
        code: "ARTIFACT_UNUSABLE",
        message: "Cannot use the compiled component: BUG: a plan names a type that it does not have",
      });
    }
    expect(await call(sound)).toEqual({ output: {} });
  });

  test("outlives a plan that fails before its call comes", async () => {
    const worker = new Worker(new URL("../../lib/worker/entry.ts", import.meta.url), { env: {} });
    const said: unknown[] = [];
    worker.onmessage = (event: MessageEvent<unknown>) => said.push(event.data);
    worker.onerror = (event) => said.push(event.message);
    worker.postMessage({ type: "load", digest: "broken", artifact: emptyArtifact("broken") });
    await Bun.sleep(100);
    const control = new ControlBlock().memory;
    worker.postMessage({
      type: "call",
      id: 1,
      digest: "broken",
      input: "{}",
      limits: AMPLE,
      policy: DENY_ALL,
      control,
    });
    while (said.length < 2) await Bun.sleep(1);
    worker.terminate();
    const detail = { reason: expect.stringMatching(/^BUG: /) };
    const outcome = { ok: false, code: "ARTIFACT_UNUSABLE", detail };
    expect(said).toEqual([
      { type: "ready" },
      { type: "settled", id: 1, outcome, usage: NO_USAGE, captured: NO_OUTPUT },
    ]);
  });

  test("keeps its memory through 5,000 calls", async () => {
    await using kami = new TestRuntime();
    const run = async (calls: number): Promise<void> => {
      for (let index = 0; index < calls; index++) {
        const result = await kami.run("echo", { a: 1 });
        if (!result.ok) throw result.failure;
      }
    };
    await run(1000);
    const before = process.memoryUsage.rss();
    await run(4000);
    expect((process.memoryUsage.rss() - before) / 1_048_576).toBeLessThan(100);
  });
});
