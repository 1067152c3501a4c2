/**
 * Test support: a thread that suspends a call and goes on with it, again and again, while the test's thread abandons it.
 */
import { ControlBlock } from "../../../lib/protocol/control.ts";

declare const self: Worker;

/** Places of int32 words that both threads share. */
export const WORDS = { round: 0, suspended: 1, ended: 2, hasResumed: 3, met: 4 } as const;

/** Rounds of the contest. */
export const ROUNDS = 400;

/** Spends up to a few microseconds, so that neither side is always the first. */
export function dawdle(): void {
  for (let left = Math.random() * 2000; left > 0; left--);
}

/** Waits until a word has a value; gives the core away when that takes long. */
export function awaitWord(words: Int32Array, place: number, value: number): void {
  for (let tries = 1; Atomics.load(words, place) !== value; tries++) {
    if (tries % 1000 === 0) Bun.sleepSync(1);
  }
}

self.onmessage = (event: MessageEvent<{ readonly control: WebAssembly.Memory; readonly words: Int32Array }>) => {
  const { words } = event.data;
  const control = new ControlBlock(event.data.control);
  for (let round = 1; round <= ROUNDS; round++) {
    awaitWord(words, WORDS.round, round);
    control.begin();
    control.suspend();
    Atomics.store(words, WORDS.suspended, round);
    // Where both share a core, who waits here loses, and who does not wins.
    if (round % 2 === 0) awaitWord(words, WORDS.met, round);
    dawdle();
    Atomics.store(words, WORDS.hasResumed, control.resume() ? 1 : 0);
    Atomics.store(words, WORDS.ended, round);
  }
};
