/**
 * `kami exec` with a tool that asks its user: on a terminal, and where there is none.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { TemporaryDirectory } from "../cli/support/directory.ts";
import { kami, writePackage } from "../cli/support/kami.ts";
import { kamiOnTerminal } from "../cli/support/terminal.ts";

const ASK = "dev.example.ask";
const ENDLESS = "dev.example.endless";
const CTRL_D = "\u0004";

const FORM = {
  type: "object",
  properties: {
    name: { type: "string", title: "Your name\u001b[2J", description: "As you like it" },
    age: { type: "integer", minimum: 0 },
    color: { type: "string", enum: ["red", "blue"], enumNames: ["Red", "Blue"], default: "blue" },
    sizes: { type: "array", items: { type: "string", enum: ["s", "m"] } },
    sure: { type: "boolean" },
    from: { type: "string", format: "date" },
    loud: { type: "boolean", default: false },
  },
  required: ["name", "sure"],
};
const QUESTION = {
  resultType: "input_required",
  inputRequests: { who: { method: "elicitation/create", params: { message: "Who\nare you?", requestedSchema: FORM } } },
  requestState: "s",
};
const INPUT = ["--input", JSON.stringify(QUESTION)];

let temporary: TemporaryDirectory;
let at: { readonly home: string };

beforeAll(async () => {
  temporary = new TemporaryDirectory();
  at = { home: temporary.at("home") };
  const rest = 'elicitation = "form"\nmax_fuel = 10000000';
  for (const [guest, id] of [
    ["ask", ASK],
    ["echo", ENDLESS],
  ] as const) {
    await kami(["install", writePackage(temporary, id, { guest, id, rest }), "--grant", "all"], at);
  }
});

afterAll(() => {
  temporary[Symbol.dispose]();
});

/** What the tool got beside its arguments. */
function gotOf(shown: string): unknown {
  const line = shown.split("\n").findLast((each) => each.startsWith('{"got":')) ?? "{}";
  return JSON.parse(line).got?.["_meta"];
}

describe("kami exec on a terminal", () => {
  test("asks field by field, again where an answer does not fit, and says whose words they are", async () => {
    const answers = ["y", "Ann", "-1", "", "green", "", "s, m", "yes", "2026-02-28", ""];
    const { exitCode, shown } = await kamiOnTerminal(["exec", ASK, ...INPUT], at, answers);
    expect(shown).toStartWith(`The tool ${ASK} 1.0.0 asks you, in words of its own. Give it no password and no key.

Who are you?
Answer it? [y/N] y
  As you like it
  Your name: Ann
  age [none]: -1
It must be at least 0.
  age [none]: 
    red: Red
    blue: Blue
  color [blue]: green
It must be one of the values.
`);
    expect(shown).toContain("\n  from (YYYY-MM-DD) [none]: 2026-02-28\n  loud (y/n) [n]: ");
    expect([exitCode, gotOf(shown)]).toEqual([
      0,
      {
        inputResponses: {
          who: {
            action: "accept",
            content: { name: "Ann", color: "blue", sizes: ["s", "m"], sure: true, from: "2026-02-28", loud: false },
          },
        },
        requestState: "s",
      },
    ]);
  });

  test.each([
    ["declined", [""], "decline"],
    ["closed", [CTRL_D], "cancel"],
    ["closed, after three answers that do not fit", ["y", "Ann", "", "", "", "x", "x", "x"], "cancel"],
  ])("tells the tool that it was %s", async (_how, answers, action) => {
    const { exitCode, shown } = await kamiOnTerminal(["exec", ASK, ...INPUT], at, answers);
    expect([exitCode, gotOf(shown)]).toEqual([0, { inputResponses: { who: { action } }, requestState: "s" }]);
  });

  test("ends a call that asks again after that", async () => {
    const { exitCode, shown } = await kamiOnTerminal(["exec", ENDLESS, ...INPUT], at, [""]);
    expect(exitCode).toBe(1);
    expect(shown).toContain(`Cannot ask the user what "${ENDLESS}" wants: they have just declined`);
  });
});

test("kami exec off a terminal fails, and says where it would work", async () => {
  expect(await kami(["exec", ASK, ...INPUT], at)).toEqual({
    exitCode: 6,
    stdout: "",
    stderr: `error: Cannot end the call of "${ASK}": it asks its user "Who are you?", who cannot be asked here
  hint: call it over MCP from a client that shows forms, or on a terminal with: kami exec
`,
  });
});

describe("kami test of a tool that asks", () => {
  const input = {
    resultType: "input_required",
    inputRequests: {
      one: requestFor("One?", { type: "integer", maximum: 9 }),
      two: requestFor("Two?", { type: "boolean" }),
    },
  };
  const answered = { one: { action: "accept", content: { a: 9 } }, two: { action: "decline" } };
  const output = `output = ${inline({ got: { ...input, _meta: { inputResponses: answered } } })}`;
  const unanswered = "it asks its user one, two, and the case has no answers that its forms allow";

  const cases = [
    ["is given answers", 'answers = { one = { a = 9 }, two = "decline" }', output, null],
    ["an answer is not allowed", 'answers = { one = { a = 10 }, two = "decline" }', output, unanswered],
    ["an answer is missing", "answers = { one = { a = 9 } }", output, unanswered],
    ["may not ask without answers", "", 'denied = "elicitation:form"', null],
  ] as const;

  test("gives it the answers of the case, when its form allows them", async () => {
    using own = new TemporaryDirectory();
    const rest = 'elicitation = "form"\nmax_fuel = 10000000';
    const directory = writePackage(own, ASK, { guest: "ask", id: ASK, rest });
    const tables = cases.map(([name, answers, expected]) =>
      ["[[case]]", `name = "${name}"`, `input = ${inline(input)}`, answers, expected].join("\n"),
    );
    own.write(`${ASK}/tests/ask.toml`, tables.join("\n\n"));
    const { stdout } = await kami(["test", directory, "--json"], at);
    const told: readonly { readonly name: string; readonly problem: string | null }[] = JSON.parse(stdout).cases;
    expect(told.map(({ name, problem }) => [name, problem])).toEqual(
      cases.map(([name, , , problem]) => [`tests/ask.toml: ${name}`, problem]),
    );
  });

  test("refuses answers that are none", async () => {
    using own = new TemporaryDirectory();
    const directory = writePackage(own, ASK, { guest: "ask", id: ASK });
    own.write(`${ASK}/tests/ask.toml`, '[[case]]\nname = "a"\nanswers = { one = "allow" }');
    expect((await kami(["test", directory], at)).stderr).toBe(
      `error: Cannot use the test cases in tests/ask.toml: "case.0.answers.one": must be a table of a form's fields, "decline" or "cancel"
  hint: see how cases are written: kami test --help
`,
    );
  });
});

function requestFor(message: string, field: object): object {
  const requestedSchema = { type: "object", properties: { a: field }, required: ["a"] };
  return { method: "elicitation/create", params: { message, requestedSchema } };
}

/** As an inline table of TOML. */
function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{ ${Object.entries(value)
    .map(([name, each]) => `${name} = ${inline(each)}`)
    .join(", ")} }`;
}
