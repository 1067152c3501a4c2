import { describe, expect, test } from "bun:test";
import { positionAt } from "../lib/position.ts";

describe("positionAt()", () => {
  const cases = [
    { text: "", offset: 0, place: [1, 1], why: "an empty text has one line" },
    { text: "ab", offset: 1, place: [1, 2], why: "columns count from 1" },
    { text: "a\nb", offset: 1, place: [1, 2], why: "the line feed belongs to the line it ends" },
    { text: "a\nb", offset: 2, place: [2, 1], why: "the character after it starts the next" },
    { text: "a\r\nb", offset: 3, place: [2, 1], why: "CR and LF end one line" },
    { text: "\n\n\n", offset: 3, place: [4, 1], why: "empty lines count" },
    { text: "😀b", offset: 2, place: [1, 3], why: "columns are UTF-16 code units" },
    { text: "a\nb", offset: 99, place: [2, 2], why: "an offset beyond the end means the end" },
  ];
  for (const { text, offset, place, why } of cases) {
    test(`${JSON.stringify(text)} at ${offset}: ${why}`, () => {
      const { line, column } = positionAt(text, offset);
      expect([line, column]).toEqual(place);
    });
  }
});
