/**
 * Every hostile guest ends in its own, correctly named failure, and the next call works.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Plan } from "../../lib/component/link/plan.ts";
import { EMPTY_PLAN } from "../component/support/plans.ts";
import { guestDirectory } from "../../fixtures/paths.ts";
import { capturedLines } from "../../lib/cli/call.ts";
import { Failure } from "../../lib/errors.ts";
import { Executor } from "../../lib/executor/executor.ts";
import { guestLines } from "../../lib/mcp/guest-log.ts";
import type { Limits } from "../../lib/protocol/limits.ts";
import { AMPLE, summarize, TestRuntime } from "../support/runtime.ts";
import { DENY_ALL } from "../../lib/policy/policy.ts";

let kami: TestRuntime;
beforeAll(() => {
  kami = new TestRuntime();
});
afterAll(async () => {
  await kami[Symbol.asyncDispose]();
});

interface Hostile {
  readonly guest: string;
  readonly input?: unknown;
  readonly limits?: Partial<Limits>;
  readonly ends: unknown;
  readonly why: string;
}

const NO_FUEL = { code: "FUEL_EXHAUSTED", message: "Cannot finish the call: all 20000000 fuel is used up" };
const FEW: Partial<Limits> = { fuel: 20_000_000 };
const NO_MEMORY = { code: "MEMORY_EXHAUSTED", message: "Cannot finish the call: it needs more than 64 MiB of memory" };
const ENDLESS: Partial<Limits> = { fuel: Number.MAX_SAFE_INTEGER, timeoutMs: 200 };
const TOO_LATE = { code: "DEADLINE_EXCEEDED", message: "Cannot finish the call: it ran longer than 200 ms" };
const DENIED = (what: string): unknown => ({
  code: "CAPABILITY_DENIED",
  message: `The tool was stopped: it asked for ${what}, which is denied`,
});

/** What the engine says of a trap differs from version to version: the text is only one clean line. */
const CRASH = { code: "GUEST_TRAP", message: expect.stringMatching(/^The tool crashed: [ -~]+$/) };

const HOSTILE: readonly Hostile[] = [
  { guest: "spin", limits: FEW, ends: NO_FUEL, why: "a loop runs out of fuel" },
  { guest: "spin", limits: ENDLESS, ends: TOO_LATE, why: "a loop with fuel without end reaches its deadline" },
  { guest: "spin-start", limits: FEW, ends: NO_FUEL, why: "a start function counts" },
  { guest: "spin-start", limits: ENDLESS, ends: TOO_LATE, why: "a start function reaches its deadline" },
  { guest: "spin-realloc", limits: FEW, ends: NO_FUEL, why: "cabi_realloc counts" },
  { guest: "hog", ends: NO_MEMORY, why: "a crash after refused memory is named after the memory" },
  { guest: "hog-ignore", limits: FEW, ends: NO_FUEL, why: "who ignores the refusal burns fuel" },
  {
    guest: "hog-table",
    limits: { memoryBytes: 8 * 1_048_576 },
    ends: { code: "MEMORY_EXHAUSTED", message: "Cannot finish the call: it needs more than 8 MiB of memory" },
    why: "tables count as memory",
  },
  {
    guest: "initial-memory",
    ends: {
      code: "COMPONENT_INITIAL_MEMORY",
      message: "Cannot start the component: it needs 4096 MiB of memory to begin with, the limit is 64 MiB",
    },
    why: "memory at the start counts before anything is allocated",
  },
  {
    guest: "recurse",
    ends: { code: "STACK_OVERFLOW", message: "The tool crashed: its recursion is too deep for the stack" },
    why: "recursion without end",
  },
  {
    guest: "trap",
    input: { trap: "unreachable" },
    ends: { code: "GUEST_UNREACHABLE", message: "The tool crashed: it executed an unreachable instruction" },
    why: "an abort",
  },
  {
    guest: "trap",
    input: { trap: "bounds" },
    ends: { code: "GUEST_OUT_OF_BOUNDS", message: "The tool crashed: out-of-bounds memory access" },
    why: "a wild pointer",
  },
  {
    guest: "trap",
    input: { trap: "divide" },
    ends: { code: "GUEST_DIVIDE_BY_ZERO", message: "The tool crashed: it divided by zero" },
    why: "a division by zero",
  },
  { guest: "trap", input: { trap: "overflow" }, ends: CRASH, why: "a quotient that does not fit" },
  { guest: "trap", input: { trap: "truncate" }, ends: CRASH, why: "a number that is none, made an integer" },
  {
    guest: "trap",
    input: { trap: "table" },
    ends: { code: "GUEST_OUT_OF_BOUNDS", message: "The tool crashed: out-of-bounds table access" },
    why: "a call through an index beyond the table",
  },
  { guest: "trap", input: { trap: "null" }, ends: CRASH, why: "a call through an empty slot of the table" },
  { guest: "trap", input: { trap: "signature" }, ends: CRASH, why: "a call with the wrong signature" },
  { guest: "bad-abi", input: { kind: "pointer" }, ends: CRASH, why: "a result that lies outside the memory" },
  { guest: "bad-abi", input: { kind: "length" }, ends: CRASH, why: "a text that is longer than the memory" },
  { guest: "bad-abi", input: { kind: "discriminant" }, ends: CRASH, why: "a result that is neither ok nor error" },
  {
    guest: "bad-abi",
    input: { kind: "utf8" },
    ends: {
      code: "GUEST_TRAP",
      message: "The tool crashed: it broke the component ABI: text that is not valid in its encoding",
    },
    why: "bytes that are not UTF-8",
  },
  {
    guest: "stdout-forger",
    input: { a: 1 },
    ends: { output: { a: 1 } },
    why: "what a guest prints is not its result",
  },
  { guest: "connect", ends: { output: { connect: 1 } }, why: "a socket that may not connect is told access-denied" },
  {
    guest: "http-get",
    input: { authority: "127.0.0.1:1" },
    ends: { output: { refused: "handle", code: 15 } },
    why: "a request that may not leave is told HTTP-request-denied",
  },
  {
    guest: "open-forged",
    ends: {
      code: "GUEST_TRAP",
      message: "The tool crashed: it broke the component ABI: a handle that it does not have",
    },
    why: "a made-up file descriptor",
  },
  {
    guest: "read-file",
    input: { path: "/etc/passwd" },
    ends: { code: "TOOL_ERROR", message: "cannot open /etc/passwd: Capabilities insufficient" },
    why: "a C program finds no directory to open",
  },
  {
    guest: "read-env",
    ends: { output: { environment: 0, names: [], arguments: [] } },
    why: "the environment and the arguments are empty",
  },
  {
    guest: "exit",
    input: { code: 3 },
    ends: { code: "TOOL_EXIT", message: "The tool ended with exit code 3" },
    why: "a tool that exits instead of returning",
  },
  {
    guest: "catch-all",
    input: { call: "exit", then: "return" },
    ends: { code: "TOOL_EXIT", message: "The tool ended with exit code 1" },
    why: "an exit that is swallowed stands, though the guest returned",
  },
  {
    guest: "catch-all",
    input: { call: "door", then: "return" },
    ends: DENIED("an unknown host function (kami:fixture/door open)"),
    why: "a denial that is swallowed stands, though the guest returned",
  },
  {
    guest: "catch-all",
    input: { call: "door", then: "spin" },
    limits: { fuel: Number.MAX_SAFE_INTEGER },
    ends: DENIED("an unknown host function (kami:fixture/door open)"),
    why: "a guest that swallows a denial and spins traps at its next check",
  },
  {
    guest: "big-result",
    input: { bytes: 1_048_577 },
    ends: { code: "RESULT_TOO_LARGE", message: "Cannot return the result: it has 1048577 bytes, the limit is 1048576" },
    why: "a result one byte over the limit",
  },
  {
    guest: "jco-panic",
    ends: {
      code: "COMPILE_CRASHED",
      message:
        "Cannot compile the component: the compiler failed on it (panic: internal error: entered unreachable code)",
    },
    why: "a component that kills its compiler kills nothing else",
  },
  {
    guest: "core-module",
    ends: {
      code: "COMPONENT_IS_CORE_MODULE",
      message: expect.stringMatching(/^Cannot use "[^"]*core-module\.wasm": it is a core module, not a component$/),
    },
    why: "a core module",
  },
  {
    guest: "unknown-opcode",
    ends: {
      code: "INSTRUCTION_UNKNOWN",
      message: 'Cannot meter "tool.core.wasm": unknown instruction 0xfe 0x1e (i32.atomic.rmw.add, threads) at byte 84',
    },
    why: "what the meter does not know never runs",
  },
];

describe("a hostile guest", () => {
  for (const { guest, input, limits, ends, why } of HOSTILE) {
    test(`${guest}: ${why}`, async () => {
      expect(summarize(await kami.run(guest, input, { limits: { ...AMPLE, ...limits } }))).toEqual(ends);
      expect(summarize(await kami.run("echo", { still: "here" }))).toEqual({ output: { still: "here" } });
    });
  }

  test("big-result: a result of exactly the limit passes", async () => {
    const result = await kami.run("big-result", { bytes: 1_048_576 }, { limits: AMPLE });
    expect(result.ok && result.output.length).toBe(1_048_576);
  });

  test("log-flood: keeps the first 64 KiB and says how much was dropped", async () => {
    const { captured } = await kami.run("log-flood", {}, { limits: AMPLE });
    const kept = captured.pieces.reduce((sum, piece) => sum + piece.text.length, 0);
    expect([kept, captured.droppedBytes > 100_000_000]).toEqual([65_536, true]);
  });

  test.each(["stderr-escape", "stdout-forger"])(
    "%s: no line of it steers a terminal or passes for another's",
    async (guest) => {
      const { captured } = await kami.run(guest, {}, { limits: AMPLE });
      const stream = guest === "stdout-forger" ? "stdout" : "stderr";
      expect(captured.pieces.map((piece) => piece.stream)).toEqual([stream]);
      const lines = [...capturedLines(captured), ...guestLines("dev.x.t", captured)];
      expect(lines.length).toBeGreaterThan(2);
      const mark = new RegExp(`^(?:\\[${stream}\\]|dev\\.x\\.t(?: ${stream})?:)(?: |$)`);
      expect(lines.filter((line) => !mark.test(line))).toEqual([]);
      expect(lines.filter((line) => /[\p{Cc}\p{Cf}]/u.test(line))).toEqual([]);
    },
  );

  test("memory-secrets: nothing of a call is there for the next one", async () => {
    const clean = { output: { nonZeroBytes: 0, slotIsNull: true, global: 0, pages: 4 } };
    for (const what of ["write", "grow", "write"]) {
      expect(summarize(await kami.run("memory-secrets", { do: what }, { limits: AMPLE }))).toEqual({
        output: { written: true },
      });
      expect(summarize(await kami.run("memory-secrets", { do: "scan" }, { limits: AMPLE }))).toEqual(clean);
    }
  });

  test("uses the same fuel in every run", async () => {
    const runs = await Promise.all(Array.from({ length: 6 }, () => kami.run("compute", { n: 40 }, { limits: AMPLE })));
    expect(new Set(runs.map(({ usage }) => usage.fuel)).size).toBe(1);
    expect(runs[0]?.ok).toBe(true);
  });
});

describe("installing a hostile guest", () => {
  test.each([
    {
      guest: "jco-panic",
      ends: "COMPILE_CRASHED: Cannot compile the component: the compiler failed on it (panic: internal error: entered unreachable code)",
    },
    {
      guest: "initial-memory",
      ends: "COMPONENT_INITIAL_MEMORY: Cannot start the component: it needs 4096 MiB of memory to begin with, the limit is 64 MiB",
    },
    {
      guest: "unknown-opcode",
      ends: 'INSTRUCTION_UNKNOWN: Cannot meter "tool.core.wasm": unknown instruction 0xfe 0x1e (i32.atomic.rmw.add, threads) at byte 84',
    },
  ])("$guest is refused, leaves nothing, and the next install works", async ({ guest, ends }) => {
    await using fresh = new TestRuntime();
    expect(await refusal(fresh.runtime.install(guestDirectory(guest)))).toBe(ends);
    expect(fresh.runtime.registry.list()).toEqual([]);
    await fresh.runtime.install(guestDirectory("echo"));
    expect(fresh.runtime.registry.list().map(({ id }) => id)).toEqual(["dev.kami.fixture.echo"]);
  });
});

const TEXT: Plan["types"] = [{ kind: "string" }];

/** Exports a function of a core instance that there is not. */
const RUNLESS: Plan = {
  ...EMPTY_PLAN,
  functions: [
    {
      from: "lift",
      core: { from: "export", instance: 0, name: "run" },
      type: { parameters: [["input", 0]], result: null },
      options: { instance: 0, memory: null, realloc: null, postReturn: null, encoding: "utf8" },
    },
  ],
  exports: [{ instance: null, name: "run", function: 0 }],
};

function takesNothing(planned: Plan["functions"][number]): Plan["functions"][number] {
  return { ...planned, type: { parameters: [], result: null } };
}

describe("the executor", () => {
  test("refuses calls beyond its queue, and serves those in it", async () => {
    await using narrow = new TestRuntime({ concurrency: 1, queueLimit: 1 });
    const spin = async (): Promise<unknown> =>
      summarize(await narrow.run("spin", {}, { limits: { ...AMPLE, ...ENDLESS } }));
    const ends = await Promise.all([spin(), spin(), spin()]);
    expect(ends).toEqual(
      expect.arrayContaining([
        TOO_LATE,
        { code: "BUSY", message: expect.stringMatching(/^Cannot start the call: the queue is full, retry in \d+ ms$/) },
      ]),
    );
    expect(ends.filter((end) => Bun.deepEquals(end, TOO_LATE))).toHaveLength(2);
  });

  test.each([
    { plan: EMPTY_PLAN, why: "exports nothing" },
    { plan: { ...RUNLESS, functions: [] }, why: "exports a function that it does not have" },
    { plan: RUNLESS, why: "has a function whose type it does not have" },
    {
      plan: { ...RUNLESS, types: TEXT, functions: RUNLESS.functions.map(takesNothing) },
      why: "calls a core instance that is never made",
    },
    { plan: { ...RUNLESS, types: TEXT, steps: [{ module: 7, imports: [] }] }, why: "makes a module that there is not" },
  ])("fails a call whose plan $why, and runs the next one", async ({ plan, why }) => {
    using executor = new Executor({ concurrency: 1, queueLimit: 1 });
    const job = { input: "{}", limits: AMPLE, policy: DENY_ALL, client: "test", signal: undefined };
    const artifact = { digest: why, kind: "bare", entries: [{ name: "run", exported: 0 }], plan, modules: [] } as const;
    const ends = [await executor.call({ ...job, artifact }), await executor.call({ ...job, artifact })].map(summarize);
    const unusable = {
      code: "ARTIFACT_UNUSABLE",
      message: expect.stringMatching(/^Cannot use the compiled component: BUG: [ -~]+$/),
    };
    expect(ends).toEqual([unusable, unusable]);
  });
});

async function refusal(work: Promise<unknown>): Promise<string> {
  const end = await work.catch((error: unknown) => error);
  return end instanceof Failure ? `${end.code}: ${end.message}` : "no failure";
}
