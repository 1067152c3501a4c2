import { describe, expect, test } from "bun:test";
import { exampleCall, shellQuote, shellWord } from "../../lib/cli/example.ts";
import { MANIFEST_DEFAULTS } from "../../lib/manifest/defaults.ts";
import type { Manifest, ManifestArgument } from "../../lib/manifest/manifest.ts";

function example(...declared: readonly Partial<ManifestArgument>[]): string {
  return exampleCall("Try", { manifest: manifestOf(declared), functions: [] });
}

function manifestOf(declared: readonly Partial<ManifestArgument>[]): Manifest {
  return {
    tool: { id: "dev.example.x", name: "x", version: "1.0.0", wasm: "x.wasm" },
    mcp: {
      description: "",
      arguments: declared.map(filledIn),
    },
    security: MANIFEST_DEFAULTS.security,
  };
}

function filledIn(argument: Partial<ManifestArgument>): ManifestArgument {
  return { name: "a", type: "string", description: "", required: true, ...argument };
}

const CALL = "kami exec dev.example.x --input";

describe("exampleCall()", () => {
  test("gives the required arguments, when the manifest says what they may be", () => {
    expect(
      example(
        { name: "count", type: "integer" },
        { name: "optional", required: false },
        { name: "mode", enum: ["fast", "slow"] },
        { name: "deep", type: "boolean" },
      ),
    ).toBe(`Try: ${CALL} '{"count":1,"mode":"fast","deep":true}'`);
  });

  test("gives the first described arguments, when none is required", () => {
    const optional = ["a", "b", "c"].map((name) => ({ name, type: "number", required: false }) as const);
    expect(example(...optional)).toBe(`Try: ${CALL} '{"a":1,"b":1}'`);
    expect(example({ required: false, default: "," })).toBe(`Try: ${CALL} '{}'`);
    expect(example()).toBe(`Try: ${CALL} '{}'`);
  });

  test("gives the shape to fill in, when a value has to be thought of", () => {
    expect(example({ name: "query" }, { name: "data", type: "object", required: false })).toBe(
      `Try (fill in each …): ${CALL} '{"query": …, "data": …}'`,
    );
    expect(
      example({ name: "csv" }, { name: "by", required: false, default: "," }, { name: "n", type: "integer" }),
    ).toBe(`Try (fill in each …): ${CALL} '{"csv": …, "n": 1}'`);
  });

  const hostile: readonly { text: string; why: string }[] = [
    { text: "'; touch /tmp/owned; '", why: "it closes the quotes" },
    { text: "$(touch x) `touch x` \\", why: "it substitutes" },
    { text: "\n touch x\n", why: "it starts a line" },
  ];
  test.each(hostile)("is safe to paste although $why", ({ text }) => {
    const written = example({ enum: [text] });
    const shell = Bun.spawnSync(["sh", "-c", written.replace(`Try: ${CALL}`, "printf %s")]);
    expect([shell.stdout.toString(), shell.stderr.toString()]).toEqual([JSON.stringify({ a: text }), ""]);
  });

  test("shows nothing but printable ASCII, and nothing long", () => {
    const placeholder = `Try (fill in each …): ${CALL} '{ … }'`;
    expect(example({ enum: ["\u202ex"] })).toBe(placeholder);
    expect(example({ enum: ["x".repeat(200)] })).toBe(placeholder);
  });
});

describe("shellQuote()", () => {
  test("quotes quotes", () => {
    expect(shellQuote("it's")).toBe("'it'\\''s'");
  });
});

describe("shellWord()", () => {
  test("quotes what a shell would take apart, and nothing else", () => {
    expect(["--cwd=/a/b-1", "/a b", "$x", ""].map(shellWord)).toEqual(["--cwd=/a/b-1", "'/a b'", "'$x'", "''"]);
  });
});

function call(name: string, inputSchema: Readonly<Record<string, unknown>>): string {
  const functions = [{ name, inputSchema, outputSchema: undefined }];
  return exampleCall("Try", { manifest: manifestOf([]), functions });
}

describe("exampleCall() of a tool of functions", () => {
  test("names the first, and what it needs", () => {
    expect(call("calc.add", { type: "object", required: ["a", "b"] })).toBe(
      `Try (fill in each …): kami exec dev.example.x --function calc.add --input '{"a": …, "b": …}'`,
    );
  });

  test("gives nothing to one that needs nothing", () => {
    expect(call("now", { type: "object" })).toBe("Try: kami exec dev.example.x --function now --input '{}'");
  });

  test("is safe to paste, whatever the functions are called", () => {
    expect(call("a'; rm -rf ~", { required: ["$(x)'"] })).toBe(
      `Try (fill in each …): kami exec dev.example.x --function 'a'\\''; rm -rf ~' --input '{"$(x)'\\''": …}'`,
    );
  });
});
