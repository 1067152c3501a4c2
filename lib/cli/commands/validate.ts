/**
 * `kami validate`: what an install, and then an agent, would stumble over.
 */
import { basename } from "node:path";
import { MANIFEST_DEFAULTS } from "../../manifest/defaults.ts";
import type { Manifest } from "../../manifest/manifest.ts";
import { readComponent, readPackage } from "../../registry/package.ts";
import { type Command, command, JSON_ERROR_NOTE } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { checkComponent, findingLines } from "../workshop.ts";
import { formatBytes } from "../words.ts";

/** `kami validate <path>`. */
export const validate: Command = command({
  name: "validate",
  args: {
    path: { type: "positional", description: "A tool's directory, its .zip, or a component (.wasm)" },
    json: { type: "boolean", description: "Print { ok, kind, bytes, imports, findings }, and an error, as JSON" },
  },
  notes: [
    "Checks the manifest, the component, what it imports against what the manifest",
    "asks for, descriptions, sizes and limits. Nothing of the component runs. Errors",
    "make the exit code 3; warnings and notes do not.",
    JSON_ERROR_NOTE,
  ],
  examples: [
    { line: "kami validate .", meaning: "check the tool of this directory" },
    { line: "kami validate tool.wasm", meaning: "check a component alone" },
  ],
  run: async ({ path }, session) => {
    const { manifest, component } = await read(path);
    const checked = await session.end.interruptible(checkComponent(component, manifest));
    const { findings, kind, imports, bytes } = checked;
    const isOk = !findings.some(({ level }) => level === "error");
    const summary = `${isOk ? session.paint("green", "Valid") : session.paint("red", "Not valid")}: ${KINDS[kind]}, ${formatBytes(bytes)}, ${imports.length} imports`;
    const text = [summary, ...findingLines(findings, session)].join("\n");
    await session.result(text, { ok: isOk, kind, bytes, imports, findings });
    return isOk ? EXIT.ok : EXIT.badPackage;
  },
});

const KINDS = {
  tool: "a KAMI tool",
  bare: "a tool with a bare run",
  command: "a WASI command",
  functions: "a component of functions",
} as const;

interface Subject {
  readonly manifest: Manifest;
  readonly component: Uint8Array;
}

async function read(path: string): Promise<Subject> {
  if (!path.endsWith(".wasm")) return readPackage(path);
  const name = basename(path, ".wasm");
  const tool = { id: `local.${name}`, name, version: "0.0.0", wasm: basename(path) };
  const description = "A component without a manifest: its limits are the defaults";
  return {
    component: await readComponent(path),
    manifest: { tool, mcp: { description, arguments: [] }, security: MANIFEST_DEFAULTS.security },
  };
}
