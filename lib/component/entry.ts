/**
 * Decides how a component is called, from what it exports. Pure.
 */
import { refuse } from "../errors.ts";
import type { Entry } from "./artifact.ts";
import type { Exports, Item } from "./scope.ts";

const TOOL = "kami:tool/tool@0.1.0";
const COMMAND = /^wasi:cli\/run@0\.2\.\d{1,4}$/;
const RUN = "func(string) -> result<string, string>";
const TOOL_FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ["run", RUN],
  ["describe", "func() -> string"],
]);
const COMMAND_FUNCTIONS: ReadonlyMap<string, string> = new Map([["run", "func() -> result"]]);

/** Most exports that a message names. */
const SHOWN = 9;

/**
 * Finds a component's entry: `kami:tool/tool`, else a bare `run`, else `wasi:cli/run`. Each counts only with its exact types; other
 * exports are ignored, such as the `init` that QuickJS leaves behind.
 *
 * @throws {Failure} COMPONENT_NO_ENTRY when there is none.
 */
export function findEntry(exports: Exports): Entry {
  if (hasFunctions(exports.get(TOOL), TOOL_FUNCTIONS)) return { kind: "tool", instance: TOOL };
  const run = exports.get("run");
  if (run?.sort === "func" && run.text === RUN) return { kind: "bare", instance: undefined };
  for (const [name, item] of exports) {
    if (COMMAND.test(name) && hasFunctions(item, COMMAND_FUNCTIONS)) return { kind: "command", instance: name };
  }
  throw refuse("COMPONENT_NO_ENTRY", { exports: describeExports(exports) });
}

function hasFunctions(item: Item | undefined, functions: ReadonlyMap<string, string>): boolean {
  if (item?.sort !== "instance") return false;
  return [...functions].every(([name, text]) => {
    const found = item.exports.get(name);
    return found?.sort === "func" && found.text === text;
  });
}

function describeExports(exports: Exports): readonly string[] {
  const shown: string[] = [];
  for (const [name, item] of exports) {
    if (shown.length < SHOWN) shown.push(describe(name, item));
  }
  return shown;
}

function describe(name: string, item: Item): string {
  if (item.sort === "func") return `${name}: ${item.text}`;
  const isNearEntry = item.sort === "instance" && /^(?:kami:tool|wasi:cli)\//.test(name);
  return isNearEntry ? `${name} { ${describeExports(item.exports).join("; ")} }` : name;
}
