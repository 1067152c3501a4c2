/**
 * Where the schemas within a schema are, what their references lead to, and what following these costs. References lead to places of the same
 * schema only.
 *
 * A schema may lead back to itself through a part of the value (a tree of nodes): each turn takes the value a level deeper, and values have few. It may
 * not through the same value (`allOf` of itself): that never ends.
 *
 * Source: JSON Schema 2020-12, Core §8.2 (identifiers, references), §9.4.1 (infinite recursion); RFC 6901 §3, §6 (pointers in fragments).
 */
import { clean, refuse } from "../errors.ts";
import { isJsonObject } from "../json-type.ts";

/** A schema that was checked: an object, of known keywords only. */
export type ForeignSchema = Readonly<Record<string, unknown>>;

/** What stands where a schema may: `true` is for everything, `false` for nothing. */
export type AnySchema = ForeignSchema | boolean;

/** Keywords with one schema, with a list of them, with named ones; and whether they are about the same value or about a part of it. */
const APPLIED: ReadonlyMap<string, { readonly holds: "one" | "list" | "named"; readonly isSameValue: boolean }> =
  new Map([
    ["allOf", { holds: "list", isSameValue: true }],
    ["anyOf", { holds: "list", isSameValue: true }],
    ["oneOf", { holds: "list", isSameValue: true }],
    ["not", { holds: "one", isSameValue: true }],
    ["if", { holds: "one", isSameValue: true }],
    ["then", { holds: "one", isSameValue: true }],
    ["else", { holds: "one", isSameValue: true }],
    ["dependentSchemas", { holds: "named", isSameValue: true }],
    ["properties", { holds: "named", isSameValue: false }],
    ["additionalProperties", { holds: "one", isSameValue: false }],
    ["propertyNames", { holds: "one", isSameValue: false }],
    ["prefixItems", { holds: "list", isSameValue: false }],
    ["items", { holds: "one", isSameValue: false }],
    ["contains", { holds: "one", isSameValue: false }],
  ]);

interface Inner {
  /** From the schema around it, escaped: `/properties/a`. */
  readonly pointer: string;
  readonly schema: AnySchema;
  /** Whether it is about the same value as the schema around it. */
  readonly isSameValue: boolean;
}

const known = new WeakMap<ForeignSchema, ReadonlyMap<string, AnySchema>>();

/**
 * Finds what a reference leads to.
 *
 * @param root - The whole schema.
 * @param reference - `#`, `#/…` to a schema within it, or `#anchor`.
 */
export function resolveReference(root: ForeignSchema, reference: string): AnySchema | undefined {
  const targets = targetsOf(root);
  return targets.get(reference) ?? targets.get(decode(reference));
}

/**
 * Makes sure that every reference leads somewhere and that following them ends.
 *
 * @param root - Copied, and of known keywords only.
 * @param name - What messages call it.
 * @returns How many schemas it stands for: each counted as often as references lead to it, one that leads back to itself once.
 * @throws {Failure} `DESCRIBE_REFUSED`
 */
export function countSchemas(root: ForeignSchema, name: string): number {
  const walk = new Walk(root, name);
  for (const target of targetsOf(root).values()) walk.refuseLoop(target);
  return walk.count(root);
}

class Walk {
  readonly #root: ForeignSchema;
  readonly #name: string;
  readonly #counts = new Map<ForeignSchema, number>();
  readonly #counting = new Set<ForeignSchema>();
  readonly #ending = new Set<ForeignSchema>();
  readonly #open = new Set<ForeignSchema>();

  constructor(root: ForeignSchema, name: string) {
    this.#root = root;
    this.#name = name;
  }

  /** Follows what is about the same value. */
  refuseLoop(schema: AnySchema): void {
    if (typeof schema === "boolean" || this.#ending.has(schema)) return;
    this.#open.add(schema);
    for (const inner of innerSchemas(schema)) if (inner.isSameValue) this.refuseLoop(inner.schema);
    const target = this.#referred(schema);
    if (typeof target === "object" && this.#open.has(target))
      this.#fail(`refers to itself, by ${String(schema["$ref"])}`);
    if (target !== undefined) this.refuseLoop(target);
    this.#open.delete(schema);
    this.#ending.add(schema);
  }

  count(schema: AnySchema): number {
    if (typeof schema === "boolean" || this.#counting.has(schema)) return 1;
    const counted = this.#counts.get(schema);
    if (counted !== undefined) return counted;
    this.#counting.add(schema);
    let sum = 1;
    for (const inner of innerSchemas(schema)) sum += this.count(inner.schema);
    const target = this.#referred(schema);
    if (target !== undefined) sum += this.count(target);
    this.#counting.delete(schema);
    this.#counts.set(schema, sum);
    return sum;
  }

  #referred(schema: ForeignSchema): AnySchema | undefined {
    const reference = schema["$ref"];
    if (typeof reference !== "string") return undefined;
    return resolveReference(this.#root, reference) ?? this.#fail(`has no ${reference}`);
  }

  #fail(problem: string): never {
    throw refuse("DESCRIBE_REFUSED", { reason: clean(`${this.#name} ${problem}`, 300) });
  }
}

function targetsOf(root: ForeignSchema): ReadonlyMap<string, AnySchema> {
  const targets = known.get(root) ?? collectTargets(root);
  known.set(root, targets);
  return targets;
}

/** Lists what references may lead to: each schema by its pointer, and by its anchor. */
function collectTargets(root: ForeignSchema): ReadonlyMap<string, AnySchema> {
  const targets = new Map<string, AnySchema>([["#", root]]);
  const add = (schema: AnySchema, pointer: string): void => {
    targets.set(pointer, schema);
    if (typeof schema === "boolean") return;
    const anchor = schema["$anchor"];
    if (typeof anchor === "string") {
      if (targets.has(`#${anchor}`))
        throw refuse("DESCRIBE_REFUSED", { reason: `two schemas have the $anchor "${anchor}"` });
      targets.set(`#${anchor}`, schema);
    }
    for (const inner of innerSchemas(schema)) add(inner.schema, pointer + inner.pointer);
    for (const [name, each] of namedSchemas(schema["$defs"])) add(each, `${pointer}/$defs/${escape(name)}`);
  };
  add(root, "#");
  return targets;
}

/** Lists the schemas right within one, without its `$defs`, which count where they are referred to. */
function innerSchemas(schema: ForeignSchema): readonly Inner[] {
  return Object.entries(schema).flatMap(([keyword, value]): readonly Inner[] => {
    const applied = APPLIED.get(keyword);
    if (applied === undefined) return [];
    const { isSameValue, holds } = applied;
    if (holds === "one") return isSchema(value) ? [{ pointer: `/${keyword}`, schema: value, isSameValue }] : [];
    return namedSchemas(value).map(([name, each]) => {
      return { pointer: `/${keyword}/${escape(name)}`, schema: each, isSameValue };
    });
  });
}

function namedSchemas(value: unknown): readonly (readonly [string, AnySchema])[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).filter((entry): entry is [string, AnySchema] => isSchema(entry[1]));
}

/** Whether a parsed value may stand where a schema may. */
export function isSchema(value: unknown): value is AnySchema {
  return typeof value === "boolean" || isJsonObject(value);
}

function escape(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** A fragment may have its characters percent-encoded. */
function decode(reference: string): string {
  try {
    return decodeURIComponent(reference);
  } catch {
    return reference;
  }
}
