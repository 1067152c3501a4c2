/**
 * A `kami:tool/tool` component describes itself: at install, once, under limits; and is held to it.
 */
import { describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { conformanceDirectory, guestPath } from "../fixtures/paths.ts";
import { describeTool } from "../lib/mcp/entry.ts";
import { readPackage } from "../lib/registry/package.ts";
import { readDescription } from "../lib/schema/described.ts";
import { told } from "./cli/support/failure.ts";
import { summarize, TestRuntime } from "./support/runtime.ts";
import { TemporaryDirectory } from "./support/temporary.ts";

const SAID = '{"name":"kami-tool","description":"Gives its input back and logs it once","version":"1.0.0"}';
const ID = "dev.x.described";

/** Makes a package of a tool that says something else of itself; it gives its input back. */
function packageSaying(home: string, said: string): string {
  const directory = join(home, `package-${Bun.hash(said)}`);
  mkdirSync(directory);
  const component = readFileSync(guestPath("kami-tool"));
  const at = component.indexOf(SAID);
  if (at === -1 || said.length > SAID.length) throw new Error("the fixture has changed");
  component.write(said.padEnd(SAID.length), at);
  writeFileSync(join(directory, "tool.wasm"), component);
  writeFileSync(
    join(directory, "tool.toml"),
    `[tool]\nid = "${ID}"\nname = "described"\nversion = "1.0.0"\nwasm = "tool.wasm"\n[mcp]\ndescription = "x"\n`,
  );
  return directory;
}

function refusal(problem: string): object {
  return { code: "INPUT_INVALID", message: `Cannot use the input: ${problem}` };
}

describe("what a component says of itself", () => {
  test("is asked at install, recorded, shown to agents, and its results are held to it", async () => {
    await using kami = new TestRuntime();
    const { runtime, home } = kami;
    const { tool } = await runtime.install(
      packageSaying(home.path, '{"outputSchema":{"type":"object","required":["a"]}}'),
    );
    const outputSchema = { type: "object", required: ["a"] };
    expect(tool.described).toEqual({ outputSchema });
    const entry = describeTool(
      { name: "x", tool, function: undefined },
      runtime.limitsOf(tool),
      runtime.registry.grants.weigh(tool),
    );
    expect(JSON.stringify(entry.outputSchema)).toBe(JSON.stringify(outputSchema));
    expect(summarize(await runtime.call(ID, '{"a":1}'))).toEqual({ output: { a: 1 } });
    expect(summarize(await runtime.call(ID, '{"b":1}'))).toEqual({
      code: "RESULT_INVALID",
      message: 'Cannot use the tool\'s result: "result.a" is missing',
    });
    const result = await runtime.call(ID, "[]");
    expect([result.ok, result.usage.fuel > 0, runtime.registry.calls(1)[0]?.outcome]).toEqual([
      false,
      true,
      "RESULT_INVALID",
    ]);
  });

  test("checks inputs before any guest starts, where the manifest declares none", async () => {
    await using kami = new TestRuntime();
    const { runtime, home } = kami;
    await runtime.install(
      packageSaying(home.path, '{"inputSchema":{"type":"object","properties":{"n":{"type":"integer"}}}}'),
    );
    expect(summarize(await runtime.call(ID, '{"n":1}'))).toEqual({ output: { n: 1 } });
    const refused = await runtime.call(ID, '{"n":"x"}');
    expect([summarize(refused), refused.usage.fuel]).toEqual([
      { code: "INPUT_INVALID", message: expect.stringContaining("must be integer, got a string") },
      0,
    ]);
  });

  test("lists a schema of many keywords as it is, and enforces it", async () => {
    await using kami = new TestRuntime();
    const { runtime } = kami;
    const { tool } = await runtime.install(conformanceDirectory("json-schema-2020-12-tool"));
    expect(tool.described?.inputSchema).toMatchObject({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      $defs: { address: { $anchor: "addressDef" } },
      if: { required: ["contactMethod"] },
    });
    const call = async (input: object) => summarize(await runtime.call(tool.id, JSON.stringify(input)));
    expect(await call({ email: "a" })).toEqual({ output: { email: "a" } });
    expect(await call({ phone: "1" })).toEqual(refusal('"input.email" is missing'));
    expect(await call({ phone: "1", contactMethod: "phone" })).toEqual({
      output: { phone: "1", contactMethod: "phone" },
    });
    expect(await call({})).toEqual(refusal('"input" is none of what it can be'));
    expect(await call({ email: "a", address: { city: 1 } })).toEqual(
      refusal('"input.address.city" must be string, got an integer'),
    );
    expect(await call({ email: "a", other: 1 })).toEqual(refusal('"input.other" is not known'));
  });

  test("gives up on an input that takes two ways on each of its levels, before the guest starts", async () => {
    await using kami = new TestRuntime();
    const { runtime, home } = kami;
    await runtime.install(
      packageSaying(
        home.path,
        '{"inputSchema":{"type":"object","properties":{"n":{"anyOf":[{"$ref":"#"},{"$ref":"#"}]}}}}',
      ),
    );
    const refused = await runtime.call(ID, `${'{"n":'.repeat(60)}1${"}".repeat(60)}`);
    expect([summarize(refused), refused.usage.fuel]).toEqual([
      { code: "INPUT_INVALID", message: expect.stringContaining('"input" takes too long to be checked') },
      0,
    ]);
  });

  test.each([
    [
      '{"outputSchema":{"type":"object","properties":{"a":{"pattern":"(a+)+$"}}}}',
      'outputSchema/properties/a has "pattern"',
    ],
    ['{"outputSchema":{"type":"object","x-mcp-header":"A"}}', 'outputSchema has "x-mcp-header"'],
    ['{"outputSchema":{"type":"object","oneOf":[{"$ref":"#"}]}}', "outputSchema refers to itself, by #"],
    ["no JSON", "it is not JSON"],
    ["[]", "it is not a JSON object"],
  ])("refuses the install of one that says %s, and keeps nothing of it", async (said, reason) => {
    await using kami = new TestRuntime();
    const { runtime, home } = kami;
    const [code, message] = await told(() => runtime.install(packageSaying(home.path, said)));
    expect([code, message]).toEqual(["DESCRIBE_REFUSED", expect.stringContaining(reason)]);
    expect(runtime.registry.list()).toEqual([]);
  });

  test("goes with an update that says nothing any more", async () => {
    await using kami = new TestRuntime();
    const { runtime, home } = kami;
    await runtime.install(packageSaying(home.path, '{"outputSchema":{"type":"object","required":["a"]}}'));
    const { tool } = await runtime.install(packageSaying(home.path, "{}"));
    expect(tool.described).toEqual({});
    expect(summarize(await runtime.call(ID, "{}"))).toEqual({ output: {} });
  });
});

/** Makes a package of a guest whose manifest has more under `[mcp]`. */
function packageDeclaring(home: string, guest: string, more: string): string {
  const directory = join(home, `package-${Bun.hash(guest + more)}`);
  mkdirSync(directory);
  cpSync(guestPath(guest), join(directory, "tool.wasm"));
  const head = `[tool]\nid = "${ID}"\nname = "described"\nversion = "1.0.0"\nwasm = "tool.wasm"\n[mcp]\ndescription = "x"\n`;
  writeFileSync(join(directory, "tool.toml"), head + more);
  return directory;
}

describe("what a manifest says of its component", () => {
  const SHAPES = `
[mcp.input_schema]
type = "object"
"$schema" = "https://json-schema.org/draft/2020-12/schema"
required = ["shape"]
properties.shape = { oneOf = [{ "$ref" = "#circle" }, { "$ref" = "#/$defs/square" }] }
[mcp.input_schema."$defs"]
circle = { "$anchor" = "circle", properties = { r = { type = "number" } }, required = ["r"] }
square = { properties = { a = { type = "number", minimum = 0.5 } }, required = ["a"], maxProperties = 1 }
[mcp.output_schema]
type = "object"
additionalProperties = { type = "object" }
`;

  test("is listed and enforced, above what the component says", async () => {
    await using kami = new TestRuntime();
    const { runtime, home } = kami;
    const { tool } = await runtime.install(packageDeclaring(home.path, "kami-tool", SHAPES));
    const entry = describeTool(
      { name: "x", tool, function: undefined },
      runtime.limitsOf(tool),
      runtime.registry.grants.weigh(tool),
    );
    expect(entry).toMatchObject({
      inputSchema: {
        $schema: "https://json-schema.org/draft/2020-12/schema",
        $defs: { square: { properties: { a: { minimum: 0.5 } }, maxProperties: 1 } },
        properties: { shape: { oneOf: [{ $ref: "#circle" }, { $ref: "#/$defs/square" }] } },
      },
      outputSchema: { additionalProperties: { type: "object" } },
    });
    const call = async (input: object) => summarize(await runtime.call(ID, JSON.stringify(input)));
    expect(await call({ shape: { r: 1 } })).toEqual({ output: { shape: { r: 1 } } });
    expect(await call({ shape: { a: 0.1 } })).toEqual(refusal('"input.shape" is none of what it can be one of'));
    expect(await call({ shape: { r: 1 }, more: 1 })).toEqual({
      code: "RESULT_INVALID",
      message: 'Cannot use the tool\'s result: "result.more" must be object, got an integer',
    });
  });

  test.each([
    ['[mcp.input_schema]\ntype = "string"\n', 'must have the type "object" at its root'],
    ['[mcp.input_schema]\ntype = "object"\npattern = "(a+)+$"\n', 'input_schema has "pattern"'],
    ['[mcp.output_schema]\ntype = "object"\n"$ref" = "#"\n', "output_schema refers to itself, by #"],
    ['[mcp.input_schema]\ntype = "object"\ndefault = 2020-01-01\n', "must be a JSON value, got a date or time"],
    [
      '[mcp.input_schema]\ntype = "object"\n[[mcp.arguments]]\nname = "a"\ntype = "string"\ndescription = "d"\n',
      "must be left out: the tool has arguments",
    ],
    ['input_schema = "schema.json"\n', "must be a table, got a string"],
  ])("is refused when it is no schema that KAMI takes: %j", async (more, problem) => {
    using temporary = new TemporaryDirectory();
    const directory = packageDeclaring(temporary.path, "upper", more);
    const [code, message] = await told(() => readPackage(directory));
    expect([code, message]).toEqual(["MANIFEST_INVALID", expect.stringContaining(problem)]);
    expect(message).toContain(`${join(directory, "tool.toml")}:8:`);
  });

  test("is refused of a component of functions, whose types say it", async () => {
    await using kami = new TestRuntime();
    const { runtime, home } = kami;
    const directory = packageDeclaring(home.path, "functions", '[mcp.output_schema]\ntype = "object"\n');
    expect((await told(() => runtime.install(directory)))[0]).toBe("COMPONENT_UNSUPPORTED");
  });
});

describe("readDescription()", () => {
  test("bounds what it reads", async () => {
    expect((await told(() => readDescription(`"${"x".repeat(98_303)}"`)))[1]).toContain(
      "it has 98305 bytes, the limit is 98304",
    );
    expect((await told(() => readDescription("[".repeat(60))))[1]).toContain("it nests deeper than 60 levels");
  });
});
