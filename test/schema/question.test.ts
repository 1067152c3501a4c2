/**
 * Questions of guests, each limit one below, at, and one above.
 */
import { describe, expect, test } from "bun:test";
import {
  FORMS_LIMIT,
  isQuestion,
  QUESTION_LIMIT,
  readAnswers,
  readQuestion,
  STATE_LIMIT,
} from "../../lib/schema/question.ts";

const SCHEMA = { type: "object", properties: { ok: { type: "boolean" } } };

function request(params: object = {}): object {
  return { method: "elicitation/create", params: { message: "Sure?", requestedSchema: SCHEMA, ...params } };
}

function write(question: object): string {
  return JSON.stringify({ resultType: "input_required", inputRequests: { sure: request() }, ...question });
}

function many(length: number): object {
  return { inputRequests: Object.fromEntries(Array.from({ length }, (_, at) => [`q${at}`, request()])) };
}

describe("isQuestion()", () => {
  test.each([
    [write({}), true],
    [write({ inputRequests: null }), true],
    ['{"resultType":"complete","input_required":1}', false],
    ['{"nested":{"resultType":"input_required"}}', false],
    ['["input_required"]', false],
    ['"input_required"', false],
    ['{"resultType":"input_required"', false],
    [`{"resultType":"input_required","a":${"[".repeat(100)}${"]".repeat(100)}}`, false],
    ["", false],
  ])("%.60s: %p", (output, is) => {
    expect(isQuestion(output)).toBe(is);
  });
});

function problemOf(question: object): unknown {
  return readQuestion(write(question));
}

describe("readQuestion()", () => {
  test("reads the forms and the state; results of MCP may have more in _meta", () => {
    const read = readQuestion(write({ requestState: "s", _meta: { a: 1 } }));
    const forms: unknown = read.ok ? [...read.value.forms] : undefined;
    expect(forms).toEqual([["sure", { message: "Sure?", schema: SCHEMA }]]);
    expect(read.ok && read.value.state).toBe("s");
  });

  test("cleans and cuts the message", () => {
    const read = readQuestion(
      write({ inputRequests: { a: request({ message: `\u001b[2J\n\nKAMI:${"x".repeat(2000)}` }) } }),
    );
    expect(read.ok && read.value.forms.get("a")?.message).toMatch(/^KAMI:x{989}…$/);
  });

  test.each([
    ["Log in at https://evil.example", "Log in at https: //evil.example"],
    ["See HTTP://a.b, www.a.b and mailto:a@b.c", "See HTTP: //a.b, www .a.b and mailto: a@b.c"],
    ["[Log in](//a.b) [x][1] [1]: //a.b", "[Log in] (//a.b) [x] [1] [1] : //a.b"],
    ['<a href="//a.b">x</a> 1 < 2', '< a href="//a.b">x< /a> 1 < 2'],
    ["a: b, data: c", "a: b, data: c"],
  ])("makes no link of a message, of a title, of a description: %s", (words, shown) => {
    const requestedSchema = {
      type: "object",
      properties: { a: { type: "boolean", title: words, description: words } },
    };
    const read = readQuestion(write({ inputRequests: { a: request({ message: words, requestedSchema }) } }));
    const form = read.ok ? read.value.forms.get("a") : undefined;
    expect(form?.message).toBe(shown);
    expect(form?.schema.properties["a"]).toEqual({ type: "boolean", title: shown, description: shown });
  });

  const filler = QUESTION_LIMIT - write({ _meta: "" }).length;
  const BOUNDS = [
    ["forms", many(FORMS_LIMIT), many(FORMS_LIMIT + 1), "inputRequests has more than 8 questions"],
    [
      "state",
      { requestState: "s".repeat(STATE_LIMIT) },
      { requestState: "s".repeat(STATE_LIMIT + 1) },
      "requestState must have at most 8192 characters",
    ],
    [
      "size",
      { _meta: "x".repeat(filler) },
      { _meta: "x".repeat(filler + 1) },
      "the question has more than 32768 characters",
    ],
  ] as const;
  test.each(BOUNDS.map(([what, ...rest]) => [what, rest] as const))("bounds its %s", (_what, [most, more, problem]) => {
    expect(readQuestion(write(most)).ok).toBe(true);
    const read = readQuestion(write(more));
    expect(!read.ok && `${read.field} ${read.problem}`).toBe(problem);
  });

  const REFUSED = [
    ["nothing", { inputRequests: {} }, "inputRequests", /asks something$/],
    ["in another way", { inputRequests: [] }, "inputRequests", /asks something$/],
    ["with more beside", { content: [] }, "content", "is not known here"],
    [
      "under another name",
      { inputRequests: { "a b\u001b[2J": request() } },
      "inputRequests.a b",
      /^must be of letters/,
    ],
    [
      "by way of the model",
      { inputRequests: { a: { method: "sampling/createMessage", params: {} } } },
      "inputRequests.a.method",
      /^must be "elicitation\/create"/,
    ],
    [
      "for the user's roots",
      { inputRequests: { a: { method: "roots/list" } } },
      "inputRequests.a.method",
      /^must be "elicitation\/create"/,
    ],
    [
      "by a web page",
      { inputRequests: { a: request({ mode: "url", url: "https://evil.example" }) } },
      "inputRequests.a.params.mode",
      /^must be "form"/,
    ],
    [
      "with a link",
      { inputRequests: { a: request({ url: "https://evil.example" }) } },
      "inputRequests.a.params.url",
      "is not known here",
    ],
    [
      "without words",
      { inputRequests: { a: request({ message: "\u001b[2J \n" }) } },
      "inputRequests.a.params.message",
      "must not be empty",
    ],
    [
      "with a form that is none",
      { inputRequests: { a: request({ requestedSchema: { type: "object", properties: { x: { type: "object" } } } }) } },
      "inputRequests.a.params.requestedSchema.properties.x.type",
      /^Invalid type/,
    ],
    ["with a state that is no text", { requestState: {} }, "requestState", /^Invalid type/],
  ] as const;
  test.each(REFUSED.map(([what, ...rest]) => [what, rest] as const))(
    "refuses one that asks %s, and says where",
    (_how, [question, field, problem]) => {
      const rule: unknown = typeof problem === "string" ? problem : expect.stringMatching(problem);
      expect(problemOf(question)).toEqual({ ok: false, field, problem: rule });
    },
  );
});

describe("readAnswers()", () => {
  const read = readQuestion(write({ ...many(2), requestState: "s" }));
  const answers = (responses: unknown): unknown => (read.ok ? readAnswers(read.value, responses) : "no question");
  const YES = { action: "accept", content: { ok: true } };
  const NO = { action: "decline" };

  test("gives the tool all answers and its state, and nothing that it did not ask for", () => {
    expect(answers({ q0: YES, q1: NO, q2: YES })).toEqual({
      inputResponses: { q0: YES, q1: NO },
      requestState: "s",
    });
  });

  test.each([
    ["one is missing", { q0: YES }],
    ["one is wrong", { q0: YES, q1: { action: "accept", content: { ok: "yes" } } }],
    ["there are none", undefined],
    ["they are none", "q0"],
  ])("gives none when %s", (_why, responses) => {
    expect(answers(responses)).toBeUndefined();
  });
});
