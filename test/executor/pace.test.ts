import { describe, expect, test } from "bun:test";
import { Pace } from "../../lib/executor/pace.ts";

/** After enough calls of one length the average is that length. */
function paceOf(callMs: number): Pace {
  const pace = new Pace();
  for (let index = 0; index < 1000; index++) pace.note(callMs);
  return pace;
}

describe("Pace.retryAfterMs()", () => {
  for (const { callMs, queueLimit, concurrency, after, why } of [
    { callMs: 20, queueLimit: 256, concurrency: 4, after: 640, why: "half the queue, so many at once" },
    {
      callMs: 400,
      queueLimit: 0,
      concurrency: 2,
      after: 200,
      why: "without a queue one of the running calls has to end",
    },
    { callMs: 400, queueLimit: 1, concurrency: 2, after: 200, why: "half a call is none" },
    { callMs: 49, queueLimit: 2, concurrency: 1, after: 50, why: "one below the least" },
    { callMs: 50, queueLimit: 2, concurrency: 1, after: 50, why: "at the least" },
    { callMs: 51, queueLimit: 2, concurrency: 1, after: 51, why: "one above the least" },
    { callMs: 4999, queueLimit: 2, concurrency: 1, after: 4999, why: "one below the most" },
    { callMs: 5000, queueLimit: 2, concurrency: 1, after: 5000, why: "at the most" },
    { callMs: 5001, queueLimit: 2, concurrency: 1, after: 5000, why: "one above the most" },
  ]) {
    test(`${callMs} ms a call, ${queueLimit} waiting, ${concurrency} at once: ${after} ms (${why})`, () => {
      expect(paceOf(callMs).retryAfterMs(queueLimit, concurrency)).toBe(after);
    });
  }

  test("takes 100 ms a call before the first one has ended, and follows what comes", () => {
    const pace = new Pace();
    expect(pace.retryAfterMs(0, 1)).toBe(100);
    pace.note(1700);
    expect(pace.retryAfterMs(0, 1)).toBe(200);
  });
});
