/**
 * Decides how a component is called, from what it exports. Pure.
 */
import { Failure, refuse } from "../errors.ts";
import { toParametersSchema, toResultSchema } from "../schema/wit-schema.ts";
import type { Entries, EntryFunction } from "./artifact.ts";
import { exportedType } from "./exported.ts";
import type { Plan } from "./link/plan.ts";
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
 * Finds the functions that a component is called by: `kami:tool/tool`, else a bare `run`, else `wasi:cli/run`, each only with its exact types;
 * other exports are ignored then, such as the `init` that QuickJS leaves behind. Else all functions whose values JSON can hold.
 *
 * @param exports - What the component exports, with types in text.
 * @throws {Failure} COMPONENT_NO_ENTRY when there is none; COMPONENT_UNSUPPORTED when there are some, and JSON can hold the values of none.
 */
export function findEntries(plan: Plan, exports: Exports): Entries {
  if (hasFunctions(exports.get(TOOL), TOOL_FUNCTIONS))
    return { kind: "tool", entries: [entryAt(plan, TOOL, "run"), entryAt(plan, TOOL, "describe")] };
  const run = exports.get("run");
  if (run?.sort === "func" && run.text === RUN) return { kind: "bare", entries: [entryAt(plan, null, "run")] };
  for (const [name, item] of exports) {
    if (COMMAND.test(name) && hasFunctions(item, COMMAND_FUNCTIONS))
      return { kind: "command", entries: [entryAt(plan, name, "run")] };
  }
  const entries = listFunctions(plan, exports);
  if (entries.length > 0) return { kind: "functions", entries };
  throw refuse("COMPONENT_NO_ENTRY", { exports: describeExports(exports) });
}

function entryAt({ exports }: Plan, instance: string | null, name: string): EntryFunction {
  const exported = exports.findIndex((each) => each.instance === instance && each.name === name);
  if (exported === -1) throw new Error(`BUG: the plan has no export ${name}`);
  return { name, exported };
}

/** Interfaces that are called in ways of their own, or not at all: one that is nearly an entry is a mistake, no set of functions. */
const RESERVED = /^(?:kami:tool|wasi:cli)\//;

/** What componentize-qjs leaves behind: it put the script into the engine when the component was made. */
const LEFTOVER = { name: "init", text: "func(string, string, option<string>, bool) -> result<_, string>" } as const;

/** Lists the functions that can be called with JSON. What an interface exports has its name in front; all of it when two would be the same. */
function listFunctions(plan: Plan, exports: Exports): readonly EntryFunction[] {
  const entries = new Map<string, number>();
  let reason: Failure | undefined;
  for (const [exported, { instance, name }] of plan.exports.entries()) {
    if (instance === null ? isLeftover(exports, name) : RESERVED.test(instance)) continue;
    const problem = findProblem(plan, exported);
    reason ??= problem;
    if (problem !== undefined) continue;
    const short = [...(instance === null ? [] : [shortName(instance)]), name].join(".");
    entries.set(entries.has(short) ? `${instance ?? ""}.${name}` : short, exported);
  }
  if (entries.size === 0 && reason !== undefined) throw reason;
  return [...entries].map(([name, exported]) => ({ name, exported }));
}

function isLeftover(exports: Exports, name: string): boolean {
  const item = exports.get(name);
  return name === LEFTOVER.name && item?.sort === "func" && item.text === LEFTOVER.text;
}

/** Why a function cannot be called with JSON. */
function findProblem(plan: Plan, exported: number): Failure | undefined {
  try {
    const type = exportedType(plan, exported);
    toParametersSchema(type);
    toResultSchema(type);
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

/** `acme:math/calc@1.0.0` is `calc`. */
function shortName(instance: string): string {
  return instance.replace(/@.*$/, "").replace(/^.*\//, "");
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
