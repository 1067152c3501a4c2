/**
 * Parses a plan as if a stranger had written it: every number is of something that is there.
 */
import * as v from "valibot";
import { COMPONENT_LIMITS } from "./artifact.ts";
import type { Plan, Step, TypeNode } from "./link/plan.ts";

const NUMBER = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const NAME = v.pipe(v.string(), v.maxLength(1000));
const NAMED = v.tuple([NAME, NUMBER]);
const RESOURCE = v.union([NUMBER, NAME]);

const PRIMITIVE = v.picklist([
  "bool",
  "s8",
  "u8",
  "s16",
  "u16",
  "s32",
  "u32",
  "s64",
  "u64",
  "f32",
  "f64",
  "char",
  "string",
]);

const TYPE = v.variant("kind", [
  v.strictObject({ kind: PRIMITIVE }),
  v.strictObject({ kind: v.literal("list"), element: NUMBER }),
  v.strictObject({ kind: v.literal("record"), fields: v.array(NAMED) }),
  v.strictObject({ kind: v.literal("tuple"), elements: v.array(NUMBER) }),
  v.strictObject({ kind: v.literal("variant"), cases: v.array(v.tuple([NAME, v.nullable(NUMBER)])) }),
  v.strictObject({ kind: v.picklist(["enum", "flags"]), names: v.array(NAME) }),
  v.strictObject({ kind: v.literal("option"), some: NUMBER }),
  v.strictObject({ kind: v.literal("result"), ok: v.nullable(NUMBER), error: v.nullable(NUMBER) }),
  v.strictObject({ kind: v.picklist(["own", "borrow"]), resource: RESOURCE }),
]);

const CORE_EXPORT = v.strictObject({ from: v.literal("export"), instance: NUMBER, name: NAME });
const INNER_OPTIONS = {
  instance: NUMBER,
  memory: v.nullable(CORE_EXPORT),
  encoding: v.picklist(["utf8", "utf16", "latin1+utf16"]),
};
/** An allocator and a post-return function are a core instance's own. */
const OPTIONS = v.strictObject({
  ...INNER_OPTIONS,
  realloc: v.nullable(CORE_EXPORT),
  postReturn: v.nullable(CORE_EXPORT),
});
const RESOURCE_FUNCTION = v.strictObject({
  from: v.picklist(["resource.new", "resource.drop", "resource.rep"]),
  resource: RESOURCE,
  instance: NUMBER,
});
const CORE_ITEM = v.variant("from", [
  CORE_EXPORT,
  v.strictObject({ from: v.literal("lower"), function: NUMBER, options: OPTIONS }),
  RESOURCE_FUNCTION,
]);
const SIGNATURE = v.strictObject({ parameters: v.array(NAMED), result: v.nullable(NUMBER) });

const PLAN = v.strictObject({
  types: v.pipe(v.array(TYPE), v.maxLength(COMPONENT_LIMITS.types)),
  resources: v.array(v.strictObject({ instance: NUMBER, destructor: v.nullable(CORE_EXPORT) })),
  instances: NUMBER,
  functions: v.array(
    v.variant("from", [
      v.strictObject({ from: v.literal("import"), interface: NAME, name: NAME, type: SIGNATURE }),
      v.strictObject({ from: v.literal("lift"), core: CORE_EXPORT, type: SIGNATURE, options: OPTIONS }),
    ]),
  ),
  steps: v.pipe(
    v.array(
      v.strictObject({
        module: NUMBER,
        imports: v.array(v.tuple([NAME, v.union([NUMBER, v.array(v.tuple([NAME, CORE_ITEM]))])])),
      }),
    ),
    v.maxLength(COMPONENT_LIMITS.instances),
  ),
  exports: v.pipe(
    v.array(v.strictObject({ instance: v.nullable(NAME), name: NAME, function: NUMBER })),
    v.maxLength(COMPONENT_LIMITS.exports),
  ),
});

/** Parts that a type may have, written out as a tree. Source: wasmparser, `MAX_TYPE_SIZE`. */
const MOST_PARTS = 1_000_000;
/** How deep a type may nest. Source: wasmparser, `MAX_TYPE_DEPTH`. */
const MOST_DEPTH = 100;

/**
 * Parses a plan.
 *
 * @param modules - How many core modules there are.
 * @returns Undefined when anything about it is not as it should be.
 */
export function parsePlan(input: unknown, modules: number): Plan | undefined {
  const parsed = v.safeParse(PLAN, input, { abortEarly: true });
  return parsed.success && isWhole(parsed.output, modules) ? parsed.output : undefined;
}

/** Whether parts come before what they are part of, so that nothing goes in circles. What is not there is noticed when it is linked. */
function isWhole(plan: Plan, modules: number): boolean {
  return (
    areBounded(plan.types) &&
    plan.steps.every((step, number) => step.module < modules && instancesOf(step).every((made) => made < number)) &&
    plan.exports.every((exported) => plan.functions[exported.function]?.from === "lift")
  );
}

/** Whether each type is made of those before it, and nobody who follows it, as a tree, has far to go. */
function areBounded(types: readonly TypeNode[]): boolean {
  const known: { readonly parts: number; readonly depth: number }[] = [];
  for (const type of types) {
    let [parts, depth] = [1, 0];
    for (const part of partsOf(type)) {
      const found = known[part];
      if (found === undefined) return false;
      parts += found.parts;
      depth = Math.max(depth, found.depth);
    }
    if (parts > MOST_PARTS || depth >= MOST_DEPTH) return false;
    known.push({ parts, depth: depth + 1 });
  }
  return true;
}

function partsOf(type: TypeNode): readonly number[] {
  switch (type.kind) {
    case "list":
      return [type.element];
    case "record":
      return type.fields.map(([, part]) => part);
    case "tuple":
      return type.elements;
    case "variant":
      return type.cases.map(([, part]) => part).filter(isPart);
    case "option":
      return [type.some];
    case "result":
      return [type.ok, type.error].filter(isPart);
    default:
      return [];
  }
}

function isPart(part: number | null): part is number {
  return part !== null;
}

function instancesOf({ imports }: Step): readonly number[] {
  return imports.flatMap(([, from]) => (typeof from === "number" ? [from] : []));
}
