/**
 * Huge lists and texts that a guest gives to its imports, or returns: nothing is built of them outside fuel, memory limit and deadline.
 */
import { describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";

const CHILD = fileURLToPath(new URL("./lift-child.ts", import.meta.url));
const MIB = 1_048_576;

/** The guest's memory is 58 MiB; what once built its 60 million elements took 2200 MiB. */
const GROWN_LIMIT_BYTES = 600 * MIB;
/** Generous: nothing takes a tenth of it on an idle machine. What built the elements took 11 s. */
const WALL_LIMIT_MS = 3000;

interface Report {
  readonly ends: unknown;
  readonly wallMs: number;
  readonly fuel: number;
  readonly grownBytes: number;
}

const trapped = (reason: string): unknown => ({ code: "GUEST_TRAP", message: `The tool crashed: ${reason}` });

const BOMBS = [
  {
    guest: "lift-bomb",
    call: "",
    ends: {
      code: "CAPABILITY_DENIED",
      message: "The tool was stopped: it asked for an unknown host function (x:y/z@1.0.0 boom), which is denied",
    },
    why: "a denied function looks at no argument",
  },
  {
    guest: "lift-bomb-served",
    call: "poll-mistyped",
    ends: trapped("it imports wasi:io/poll poll with types that it does not have"),
    why: "60 million elements of one byte are not 60 million handles",
  },
  {
    guest: "lift-bomb-served",
    call: "random-mistyped",
    ends: trapped("it imports wasi:random/random get-random-bytes with types that it does not have"),
    why: "a list is no number",
  },
  {
    guest: "lift-bomb-served",
    call: "poll",
    ends: trapped("it passes more than 4 MiB in one call of a function"),
    why: "the length of a list counts before its elements",
  },
  {
    guest: "lift-bomb-served",
    call: "write",
    ends: trapped("it wrote 60000000 bytes where check-write permitted 0"),
    why: "bytes are looked at where they are",
  },
  {
    guest: "lift-bomb-served",
    call: "log",
    ends: trapped("it passes more than 4 MiB in one call of a function"),
    why: "the length of a text counts before it is decoded",
  },
  {
    guest: "lift-bomb-served",
    call: "log-mistyped",
    ends: trapped("it imports kami:tool/host log with types that it does not have"),
    why: "a list is no text",
  },
  {
    guest: "lift-bomb-served",
    call: "log-most",
    ends: { output: { call: "log-most" } },
    why: "4 MiB are decoded, and most of them dropped",
  },
  {
    guest: "lift-bomb-served",
    call: "trampoline",
    ends: {
      code: "CAPABILITY_DENIED",
      message: "The tool was stopped: it asked for an unknown host function (trampoline0), which is denied",
    },
    why: "no name is the linker's own",
  },
] as const;

describe.skipIf(process.platform !== "linux")("60 MB from a guest", () => {
  test.each(BOMBS.map((bomb) => [bomb.guest, bomb.call, bomb.ends, bomb.why] as const))(
    "%s %s",
    async (guest, call, ends) => {
      const report = await runBomb(guest, call);
      expect(report.ends).toEqual(ends);
      expect(report.wallMs).toBeLessThan(WALL_LIMIT_MS);
      expect(report.grownBytes).toBeLessThan(GROWN_LIMIT_BYTES);
    },
  );

  test.each(["return", "return-error"])("%s: a result is not built to be refused", async (call) => {
    const report = await runBomb("lift-bomb-served", call);
    expect(report.ends).toMatchObject({ code: "RESULT_TOO_LARGE" });
    expect(report.wallMs).toBeLessThan(WALL_LIMIT_MS);
    expect(report.grownBytes).toBeLessThan(GROWN_LIMIT_BYTES);
  });

  test("a text costs fuel by its length, and ends when it is used up", async () => {
    // 4,194,304 / 16 = 262,144, beside 3,768,000 for the memory that the guest grows.
    const [short, enough] = [{ fuel: 3_900_000 }, { fuel: 4_200_000 }];
    expect((await runBomb("lift-bomb-served", "log-most", short)).ends).toMatchObject({ code: "FUEL_EXHAUSTED" });
    const { ends, fuel } = await runBomb("lift-bomb-served", "log-most", enough);
    expect(ends).toEqual({ output: { call: "log-most" } });
    expect(fuel).toBeGreaterThan(4_028_000);
  });

  test("the deadline ends texts without end", async () => {
    const endless = { fuel: Number.MAX_SAFE_INTEGER, timeoutMs: 250 };
    const { ends, wallMs, grownBytes } = await runBomb("lift-bomb-served", "log-forever", endless);
    expect(ends).toEqual({
      code: "DEADLINE_EXCEEDED",
      message: "Cannot finish the call: it ran longer than 250 ms",
    });
    expect(wallMs).toBeLessThan(WALL_LIMIT_MS);
    expect(grownBytes).toBeLessThan(GROWN_LIMIT_BYTES);
  });
});

/** Runs a guest in a process of its own: a peak is a process's, and other tests have theirs. */
async function runBomb(guest: string, call: string, limits: object = {}): Promise<Report> {
  const child = Bun.spawn([process.execPath, CHILD, guest, JSON.stringify({ call }), JSON.stringify(limits)], {
    stderr: "inherit",
  });
  const report: unknown = await new Response(child.stdout).json();
  if (!isReport(report)) throw new Error("no report");
  return report;
}

function isReport(value: unknown): value is Report {
  return typeof value === "object" && value !== null && "ends" in value && "grownBytes" in value;
}
