/**
 * What `kami init` writes: for each language a small tool that builds, and passes its tests, at once.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Language } from "./project.ts";
import { ENGINES } from "./script.ts";

/** The languages that a project can be started in. */
export type StartLanguage = Exclude<Language, "go">;

/** What a new tool is called. */
export interface NewTool {
  /** Lower-case letters, digits and dashes. */
  readonly name: string;
  readonly language: StartLanguage;
}

const GUEST = new URL("../guest/", import.meta.url);

/** @returns Texts by their paths, relative to the project. */
export function filesOf({ name, language }: NewTool): ReadonlyMap<string, string> {
  return new Map([
    ["tool.toml", manifest(name, language)],
    ["tests/basic.toml", TESTS],
    [".gitignore", IGNORED[language]],
    ["README.md", readme(name)],
    ...Object.entries(SOURCES[language](name)),
  ]);
}

function manifest(name: string, language: StartLanguage): string {
  return `[tool]
id = "local.${name}"   # a domain of yours, reversed, and the name: it has to be the only one of its kind
name = "${name}"
version = "0.1.0"
wasm = "${name}.wasm"

[mcp]
description = "Gives a text back in capitals, and counts its words. Replace this by what your tool does and when to use it."

[[mcp.arguments]]
name = "text"
type = "string"
description = "The text, for example \\"hello world\\""
required = true

[security]
max_fuel = ${language === "ts" ? 20_000_000 : 1_000_000}   # "kami test" says what it needs
`;
}

const TESTS = `# Run with: kami test
[[case]]
name = "shouts"
input = { text = "hello world" }
output = { shouted = "HELLO WORLD", words = 2 }

[[case]]
name = "says what is missing"
input = { text = "" }
error = "text is empty"
`;

const IGNORED: Readonly<Record<StartLanguage, string>> = {
  ts: "node_modules/\n*.wasm\n*.zip\n",
  rust: "target/\n*.wasm\n*.zip\n",
  c: "*.wasm\n*.zip\n",
  as: "node_modules/\n*.wasm\n*.zip\n",
};

function readme(name: string): string {
  return `# ${name}

A tool for KAMI.

\`\`\`sh
kami build              # ${name}.wasm
kami test               # the cases in tests/
kami install .          # for the agents that this KAMI serves
kami exec ${name} --input '{"text": "hello world"}'
\`\`\`
`;
}

const SOURCES: Readonly<Record<StartLanguage, (name: string) => Readonly<Record<string, string>>>> = {
  ts: (name) => ({
    "package.json": `${JSON.stringify(
      {
        name,
        version: "0.1.0",
        private: true,
        type: "module",
        devDependencies: { [ENGINES.quickjs.name]: ENGINES.quickjs.version },
      },
      undefined,
      2,
    )}\n`,
    "src/tool.ts": script(name),
    "tsconfig.json": `${JSON.stringify({ compilerOptions: { target: "ES2023", module: "Preserve", strict: true, noEmit: true } }, undefined, 2)}\n`,
  }),
  rust: (name) => ({
    "Cargo.toml": `[package]
name = "${name}"
version = "0.1.0"
edition = "2021"

[lib]
crate-type = ["cdylib"]

[dependencies]
kami-guest = { path = "kami-guest" }

[profile.release]
opt-level = "s"
lto = true
strip = true
panic = "abort"

[workspace]
`,
    "src/lib.rs": rust(name),
    ...rustSdk(),
  }),
  c: (name) => ({ [`${name}.c`]: C }),
  as: (name) => ({
    "package.json": `${JSON.stringify({ name, version: "0.1.0", private: true, type: "module", devDependencies: { assemblyscript: "0.28.20" } }, undefined, 2)}\n`,
    "assembly/index.ts": ASSEMBLY,
    "assembly/kami.ts": read("assemblyscript/kami.ts"),
  }),
};

/** Until the crate is published, a project has its own copy. */
function rustSdk(): Readonly<Record<string, string>> {
  const names = ["Cargo.toml", "README.md", "src/lib.rs", "src/abi.rs", "src/json.rs", "component-type.hex"];
  return Object.fromEntries(names.map((name) => [`kami-guest/${name}`, read(`rust/kami-guest/${name}`)]));
}

function read(name: string): string {
  return readFileSync(fileURLToPath(new URL(name, GUEST)), "utf8");
}

function script(name: string): string {
  return `import { defineTool } from "kami/guest";

export default defineTool({
  name: "${name}",
  version: "0.1.0",
  description: "Gives a text back in capitals, and counts its words",
  input: {
    type: "object",
    properties: { text: { type: "string" } },
    required: ["text"],
  },
  run: ({ text }) => {
    if (text === "") throw new Error("text is empty");
    return { shouted: text.toUpperCase(), words: text.trim().split(/\\s+/).length };
  },
});
`;
}

function rust(name: string): string {
  return `kami_guest::kami_tool! {
    name: "${name}",
    version: "0.1.0",
    description: "Gives a text back in capitals, and counts its words",
    handler: run,
}

/// JSON text in, JSON text out; the error is a message for the agent. For more than one field, add serde_json.
fn run(input: &str) -> Result<String, String> {
    let text = input.split_once("\\"text\\":").and_then(|(_, rest)| rest.split('"').nth(1)).ok_or("text is missing")?;
    if text.is_empty() {
        return Err("text is empty".to_string());
    }
    let words = text.split_whitespace().count();
    Ok(format!("{{\\"shouted\\":{},\\"words\\":{words}}}", kami_guest::quote(&text.to_uppercase())))
}
`;
}

const C = `#include <ctype.h>
#include "kami_json.h"
#include "kami_tool.h"

kami_result kami_run(char *input, size_t length) {
  kami_value text = kami_find(input, length, "text");
  if (text.kind != KAMI_STRING) return kami_error("text is missing");
  kami_decode(&text);
  if (text.length == 0) return kami_error("text is empty");
  size_t words = 0;
  for (size_t at = 0; at < text.length; at++) {
    bool starts = at == 0 || isspace((unsigned char)text.text[at - 1]);
    if (starts && !isspace((unsigned char)text.text[at])) words++;
  }
  for (size_t at = 0; at < text.length; at++) text.text[at] = (char)toupper((unsigned char)text.text[at]);
  kami_text out = {0};
  kami_append(&out, "{\\"shouted\\":");
  kami_append_json(&out, text.text, text.length);
  kami_append(&out, ",\\"words\\":");
  kami_append_unsigned(&out, words);
  kami_append(&out, "}");
  return kami_ok(&out);
}
`;

const ASSEMBLY = `import { fail, lift, lower } from "./kami";
export { cabi_realloc, cabi_post_run } from "./kami";

/** JSON text in, JSON text out. For more than one field, add a JSON library. */
function shout(input: string): string {
  const key = input.indexOf('"text":');
  if (key < 0) return fail("text is missing");
  const start = input.indexOf('"', key + 7) + 1;
  const text = input.substring(start, input.indexOf('"', start));
  if (text.length == 0) return fail("text is empty");
  const words = text.trim().split(" ").length;
  return '{"shouted":"' + text.toUpperCase() + '","words":' + words.toString() + "}";
}

export function run(pointer: usize, units: usize): usize {
  return lower(shout(lift(pointer, units)));
}
`;
