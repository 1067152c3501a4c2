/**
 * The suite's diagnostic tools: real guests under the names that it calls, and somebody who changes the list of tools when one of them was called, as a
 * user would. KAMI itself knows nothing of them.
 */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { conformanceDirectory, guestPath } from "../../fixtures/paths.ts";
import { Registry } from "../../lib/registry/registry.ts";
import type { Home } from "../mcp/support/kami.ts";

/** A diagnostic tool. */
interface Diagnostic {
  readonly name: string;
  /** Path of its component. */
  readonly component: string;
  /** Tables of its manifest. */
  readonly tables?: string;
}

const FORM = '[security]\nelicitation = "form"\n';

const TRIGGERS = ["test_trigger_tool_change", "test_trigger_prompt_change"];

/** A tool with a prompt, which comes and goes. */
const CHANGING = "test_changing";

/** A prompt that lacks an argument when it is got. */
const PROMPT =
  '[[mcp.prompts]]\nname = "test_input_required_result_prompt"\ndescription = "Asks"\ntext = "Mind {{context}}"\n' +
  '[[mcp.prompts.arguments]]\nname = "context"\ndescription = "What context to use"\nrequired = true\n';

const DIAGNOSTICS: readonly Diagnostic[] = [
  { name: "test_input_required_result_tampered_state", component: askerPath("request-state"), tables: FORM },
  { name: "test_missing_capability", component: askerPath("elicitation"), tables: FORM },
  { name: "test_streaming_elicitation", component: askerPath("elicitation"), tables: FORM },
  { name: "test_logging_tool", component: guestPath("kami-tool") },
  { name: "test_prompting", component: guestPath("echo"), tables: PROMPT },
  ...TRIGGERS.map((name) => ({ name, component: guestPath("echo") })),
  {
    name: CHANGING,
    component: guestPath("echo"),
    tables: '[[mcp.prompts]]\nname = "say"\ndescription = "Says it"\ntext = "It"\n',
  },
];

/** Milliseconds between two looks at the log of calls. */
const LOOK_MS = 20;

/**
 * Packages the diagnostic tools.
 *
 * @returns Their directories.
 */
export function packDiagnostics(home: Home): readonly string[] {
  return DIAGNOSTICS.map(({ name, component, tables = "" }) => {
    const directory = join(home.path, "packages", name);
    mkdirSync(directory, { recursive: true });
    copyFileSync(component, join(directory, "tool.wasm"));
    const tool = `[tool]\nid = "${idOf(name)}"\nname = "${name}"\nversion = "1.0.0"\nwasm = "tool.wasm"\n`;
    writeFileSync(join(directory, "tool.toml"), `${tool}[mcp]\ndescription = "Diagnoses"\n${tables}`);
    return directory;
  });
}

/** Switches a tool off or on whenever a trigger was called, from another process than the one that serves. */
export class ListChanger implements Disposable {
  readonly #registry: Registry;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #triggers: readonly string[] = TRIGGERS.map(idOf);
  #seen = 0;

  constructor(home: Home) {
    this.#registry = Registry.open(join(home.path, "home"));
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#registry[Symbol.dispose]();
  }

  #look(): void {
    const calls = this.#registry.calls(1000).filter(({ toolId }) => this.#triggers.includes(toolId)).length;
    if (calls <= this.#seen) return;
    this.#seen = calls;
    const { id, enabled } = this.#registry.require(idOf(CHANGING));
    this.#registry.setEnabled(id, !enabled);
  }
}

function askerPath(name: string): string {
  const guest = `test-input-required-result-${name}`;
  return join(conformanceDirectory(guest), `${guest}.wasm`);
}

function idOf(name: string): string {
  return `dev.kami.diagnostic.${name.replaceAll("_", "-")}`;
}
