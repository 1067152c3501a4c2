import { describe, expect, test } from "bun:test";
import { checkTool, type ComponentFacts } from "../../lib/author/check.ts";
import { MANIFEST_DEFAULTS } from "../../lib/manifest/defaults.ts";
import type { Manifest, ManifestSecurity } from "../../lib/manifest/manifest.ts";

const argument = { name: "text", type: "string", description: "The text", required: true } as const;

function find(
  security: Partial<ManifestSecurity>,
  facts: Partial<ComponentFacts> = {},
  mcp: Partial<Manifest["mcp"]> = {},
): readonly string[] {
  const manifest: Manifest = {
    tool: { id: "a.b", name: "b", version: "1.0.0", wasm: "b.wasm" },
    mcp: { description: "Does something that is long enough", arguments: [argument], ...mcp },
    security: { ...MANIFEST_DEFAULTS.security, ...security },
  };
  return checkTool(manifest, { kind: "tool", imports: [], bytes: 1000, ...facts }).map(
    ({ level, text }) => `${level}: ${text}`,
  );
}

describe("checkTool()", () => {
  test("says nothing about a tool that has nothing wrong", () => {
    expect(find({})).toEqual([]);
    expect(
      find(
        { netAllowList: ["a.example"], fsAccess: "read-only" },
        { imports: ["wasi:http/outgoing-handler", "wasi:filesystem/preopens"] },
      ),
    ).toEqual([]);
  });

  test("compares what is asked for with what is imported", () => {
    expect(find({}, { imports: ["wasi:http/outgoing-handler"] })).toEqual([
      "warning: the component can ask for the network, and the manifest does not: it gets none",
    ]);
    expect(find({ fsAccess: "sandbox", envAllowList: ["A"] })).toEqual([
      "warning: the manifest asks for files, and the component cannot use them",
      "warning: the manifest asks for variables, and the component cannot use them",
    ]);
    expect(find({ netAllowList: ["*"] }, { imports: ["wasi:sockets/tcp"] })).toEqual([
      "warning: the manifest asks for every public host",
    ]);
  });

  test("is mild about an engine that imports all there is", () => {
    expect(find({ maxFuel: 50_000_000 }, { imports: ["wasi:filesystem/preopens"], bytes: 2_000_000 })).toEqual([
      "note: the component can ask for files, and the manifest does not: it gets none",
    ]);
  });

  test("looks at a schema of its own for what agents refuse", () => {
    const inputSchema = { type: "object", allOf: [{ properties: { a: { prefixItems: [{}] } } }] };
    expect(find({}, {}, { arguments: [], inputSchema })).toEqual([
      "warning: the input schema has allOf at its root, and some agents refuse a tool that has it",
      "warning: the input schema has prefixItems, and some agents refuse a tool that has it",
    ]);
    expect(find({}, {}, { arguments: [], inputSchema: { type: "object" } })).toEqual([]);
  });

  test("looks for arguments that a prompt does not use", () => {
    const prompt = {
      name: "p",
      description: "d",
      messages: [
        { role: "user" as const, text: "{{ a }}" },
        { role: "user" as const, resource: "x://{{b}}" },
      ],
      arguments: ["a", "b", "c"].map((name) => ({ name, description: "d", required: true })),
    };
    expect(find({}, {}, { prompts: [prompt] })).toEqual(['warning: the prompt "p" does not use its argument "c"']);
  });

  test("looks at what an agent reads", () => {
    expect(find({}, {}, { description: "Short", arguments: [{ ...argument, description: " " }] })).toEqual([
      "warning: the description has 5 characters: an agent cannot tell when to use the tool",
      'warning: the argument "text" has no description',
    ]);
    expect(find({}, {}, { description: "x".repeat(1001), arguments: [] })).toEqual([
      "warning: the description has 1001 characters, which every agent reads each time",
      "note: the tool takes no arguments",
    ]);
  });

  test("looks at size and fuel", () => {
    expect(find({}, { bytes: 9_000_000 })).toEqual([
      "warning: max_fuel is 1000000, which an engine inside the component can use up before the tool begins",
      "note: the component has 8.6 MiB: it takes seconds to install, and its first call half of one",
    ]);
  });
});
