import { afterAll, describe, expect, test } from "bun:test";
import { TestTool } from "./support/tool.ts";

const tool = new TestTool("text-search");
afterAll(() => tool[Symbol.asyncDispose]());

describe("text-search, with nothing granted", () => {
  test.each([
    [{ pattern: "x" }, "there is no directory to search: the user has to grant one"],
    [{ pattern: "(" }, "the pattern is not a regular expression: Missing ')'"],
    [{ pattern: "a{300}" }, "the pattern is not a regular expression: Invalid contents of {}"],
    [{ pattern: "x", max_matches: 1001 }, '"max_matches" must be from 0 to 1000'],
    [{ pattern: "x", context: 21 }, '"context" must be from 0 to 20'],
  ])("says what is wrong with %j", async (input, error) => {
    expect(await tool.call(input)).toEqual({ error });
  });
});
