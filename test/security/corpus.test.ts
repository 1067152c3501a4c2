/**
 * The corpus of hostile guests: each ends in the failure that is its own, uses no more than it may, and leaves the next call and the calls
 * at its side as they were.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { CORPUS } from "../../fixtures/hostile/corpus.ts";
import { HOSTILE_LIMITS, type HostileGuest } from "../../fixtures/hostile/endings.ts";
import { hostilePath } from "../../fixtures/paths.ts";
import { capturedLines } from "../../lib/cli/call.ts";
import { Failure } from "../../lib/errors.ts";
import { guestLines } from "../../lib/mcp/guest-log.ts";
import { toToolResult, WIRE_LIMIT_BYTES } from "../../lib/mcp/result.ts";
import { CAPTURE_LIMIT_BYTES, type Limits, RESULT_LIMIT_BYTES } from "../../lib/protocol/limits.ts";
import type { CallResult } from "../../lib/runtime.ts";
import { AMPLE, summarize, TestRuntime } from "../support/runtime.ts";

/** Honest calls at the side of the hostile ones. */
const HONEST_LANES = 8;
/** Milliseconds that a call may last beyond its deadline here, where other tests want the processor too. */
const LATE_MS = 2000;
const COMPILERS = 2;

const REFUSED = CORPUS.filter(({ at }) => at === "install");
const RUNNING = CORPUS.filter(({ at }) => at === undefined);

let kami: TestRuntime;
beforeAll(async () => {
  kami = new TestRuntime({ concurrency: 2 });
  const script = join(import.meta.dir, "compile-corpus.ts");
  const compilers = Array.from({ length: COMPILERS }, (_, turn) => {
    const names = RUNNING.filter((_guest, index) => index % COMPILERS === turn).map(({ name }) => name);
    return Bun.spawn([process.execPath, script, kami.home.path, ...names], { stdout: "ignore", stderr: "inherit" });
  });
  expect(await Promise.all(compilers.map(({ exited }) => exited))).toEqual(compilers.map(() => 0));
});
afterAll(async () => {
  await kami[Symbol.asyncDispose]();
});

describe("the corpus", () => {
  test("has at least 70 guests, each of its own name and attack", () => {
    expect(CORPUS.length).toBeGreaterThanOrEqual(70);
    expect(new Set(CORPUS.map(({ name }) => name)).size).toBe(CORPUS.length);
    expect(new Set(CORPUS.map(({ attack }) => attack)).size).toBe(CORPUS.length);
  });
});

describe("a hostile guest", () => {
  test.each(RUNNING)("$name: $attack", async (guest) => {
    const lanes = Array.from({ length: HONEST_LANES }, (_, lane) => lane);
    const beside = lanes.map((lane) => callHonest(guest.name, lane));
    const result = await runHostile(guest);
    expect(endOf(result, guest)).toEqual(guest.ends);
    expectPlausible(result, limitsOf(guest));
    expectClean(result);
    expect((await Promise.all(beside)).map(summarize)).toEqual(
      lanes.map((lane) => ({ output: { beside: guest.name, lane } })),
    );
    expect(summarize(await callHonest(guest.name, -1))).toEqual({ output: { beside: guest.name, lane: -1 } });
  });
});

describe("a component that is refused", () => {
  test.each(REFUSED)("$name: $attack", async (guest) => {
    const tools = kami.runtime.registry.list();
    const failure = await install(guest.name).catch((error: unknown) => error);
    if (!(failure instanceof Failure)) throw new Error(`it was installed: ${String(failure)}`);
    expect(endOf({ ok: false, failure }, guest)).toEqual(guest.ends);
    expect(failure.message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(kami.runtime.registry.list()).toEqual(tools);
  });
});

function limitsOf({ limits }: HostileGuest): Limits {
  return { ...HOSTILE_LIMITS, ...limits };
}

function runHostile(guest: HostileGuest): Promise<CallResult> {
  return kami.runtime.runFile(hostilePath(guest.name), "{}", { limits: limitsOf(guest), client: "hostile" });
}

/** What the corpus says of an ending: with the message only where it says one. */
function endOf(
  result: { ok: true; output: string } | { ok: false; failure: Failure },
  { ends }: HostileGuest,
): unknown {
  if (result.ok) return { output: result.output };
  const { code, message } = result.failure;
  return "message" in ends ? { code, message } : { code };
}

function expectPlausible(result: CallResult, limits: Limits): void {
  const { usage, captured } = result;
  expect(usage.fuel).toBeLessThanOrEqual(limits.fuel);
  if (!result.ok && result.failure.code === "FUEL_EXHAUSTED") expect(usage.fuel).toBe(limits.fuel);
  expect(usage.fuel).toBeGreaterThan(0);
  expect(usage.peakMemoryBytes).toBeLessThanOrEqual(limits.memoryBytes);
  expect(usage.wallMs).toBeLessThan(limits.timeoutMs + LATE_MS);
  expect(usage.outputBytes).toBeLessThanOrEqual(RESULT_LIMIT_BYTES);
  expect(captured.pieces.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThanOrEqual(CAPTURE_LIMIT_BYTES);
}

/** Nothing that the guest said steers a terminal, or breaks out of its line or its message. */
function expectClean(result: CallResult): void {
  const said = result.ok ? [] : [result.failure.message, result.failure.hint ?? ""];
  const lines = [...said, ...capturedLines(result.captured), ...guestLines("dev.x.t", result.captured)];
  expect(lines.filter((line) => /[[\p{Cc}\p{Cf}\u2028\u2029]--[\u200c\u200d]]/v.test(line))).toEqual([]);
  const answer = toToolResult(result);
  expect(answer.isError ?? false).toBe(!result.ok);
  expect(JSON.stringify(answer).length).toBeLessThan(WIRE_LIMIT_BYTES);
}

function callHonest(name: string, lane: number): Promise<CallResult> {
  return kami.run("echo", { beside: name, lane }, { limits: AMPLE, client: `honest ${lane}` });
}

async function install(name: string): Promise<unknown> {
  const directory = kami.home.join("package", name);
  await Bun.write(
    join(directory, "tool.toml"),
    `[tool]\nid = "dev.kami.hostile.${name}"\nname = "${name}"\nversion = "1.0.0"\nwasm = "tool.wasm"\n\n[mcp]\ndescription = "Hostile"\n`,
  );
  await copyFile(hostilePath(name), join(directory, "tool.wasm"));
  return await kami.runtime.install(directory);
}
