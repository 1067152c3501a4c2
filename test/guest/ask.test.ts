/**
 * `ask` of the TypeScript SDK, as the engines run it: text in, text out, nothing kept between rounds but what the text says.
 */
import { describe, expect, test } from "bun:test";
import { ask } from "../../lib/guest/typescript/ask.ts";
import { defineTool } from "../../lib/guest/typescript/define-tool.ts";
import { isQuestion, readQuestion } from "../../lib/schema/question.ts";

const NAME = { type: "object", properties: { name: { type: "string" } }, required: ["name"] } as const;
const COLOR = { type: "object", properties: { color: { type: "string" } } } as const;
const ANN = { action: "accept", content: { name: "Ann" } };

function run({ by }: { by?: string }): unknown {
  const name = ask("name", "Who?", NAME);
  if (name.action !== "accept") return name.action;
  return { by, name: name.content.name, color: ask("color", `Which color, ${name.content.name}?`, COLOR) };
}

function makeTool(isAsync: boolean) {
  const input = { type: "object", properties: { by: { type: "string" } }, additionalProperties: false } as const;
  const named = { name: "x", version: "1.0.0", description: "d", input };
  return defineTool({ ...named, run: isAsync ? async (given) => run(given) : run });
}

describe.each([
  ["waits", true],
  ["does not wait", false],
])("a tool that asks, whose run %s", (_how, isAsync) => {
  const tool = makeTool(isAsync);
  const call = async (input: object): Promise<string> => tool.run(JSON.stringify(input));

  test("returns a question that KAMI takes, and goes on with all answers of earlier rounds", async () => {
    const first = await call({ by: "me" });
    expect(isQuestion(first)).toBe(true);
    const forms = new Map([["name", { message: "Who?", schema: NAME }]]);
    const question: unknown = readQuestion(first);
    expect(question).toEqual({ ok: true, value: { forms, state: undefined, text: first } });
    const second = JSON.parse(await call({ by: "me", _meta: { inputResponses: { name: ANN } } }));
    expect(second.inputRequests.color.params).toEqual({ message: "Which color, Ann?", requestedSchema: COLOR });
    const color = { action: "decline" };
    const third = await call({ by: "me", _meta: { inputResponses: { color }, requestState: second.requestState } });
    expect(JSON.parse(third)).toEqual({ by: "me", name: "Ann", color });
  });

  test("is told what was declined, and begins with no answers again", async () => {
    const declined = { _meta: { inputResponses: { name: { action: "cancel" } } } };
    expect(await call(declined)).toBe('"cancel"');
    expect(isQuestion(await call({}))).toBe(true);
  });

  test("still reads nothing else beside its arguments", async () => {
    const problem: unknown = await call({ _meta: 1 }).catch((error: unknown) => error);
    expect(problem).toBe("_meta is not known");
  });
});
