/**
 * The shape of a parsed `tool.toml`, key by key: types, lengths, grammars and ranges.
 *
 * Source: Semantic Versioning 2.0.0 (the expression is the one it suggests).
 */
import * as v from "valibot";
import { JSON_TYPES } from "../json-type.ts";
import { forbiddenCharacter } from "./characters.ts";
import { LIMIT_RANGES, LIST_LIMITS, TEXT_LIMITS, type IntegerRange } from "./defaults.ts";
import type { ArgumentType, ManifestSecurity } from "./manifest.ts";
import { NETWORK_ENTRY_LIMIT, parseNetworkEntry } from "../network-rule.ts";
import type { BrokenRule } from "./problem.ts";
import { describeToml, isTable } from "./value.ts";

/** A document of the right shape, with TOML's names and values, and nothing filled in. */
export interface ShapedManifest {
  readonly tool: { readonly id: string; readonly name: string; readonly version: string; readonly wasm: string };
  readonly mcp: {
    readonly description: string;
    readonly arguments?: readonly ShapedArgument[] | undefined;
    readonly prompts?: readonly ShapedPrompt[] | undefined;
  };
  readonly security?: ShapedSecurity | undefined;
}

/** One `[[mcp.arguments]]`; `default` and `enum` hold TOML values. */
export interface ShapedArgument {
  readonly name: string;
  readonly type: ArgumentType;
  readonly description: string;
  readonly required?: boolean | undefined;
  readonly default?: unknown;
  readonly enum?: readonly unknown[] | undefined;
}

/** One `[[mcp.prompts]]`. */
export interface ShapedPrompt {
  readonly name: string;
  readonly description: string;
  readonly text: string;
  readonly arguments?: readonly Pick<ShapedArgument, "name" | "description" | "required">[] | undefined;
}

/** `[security]`. */
export interface ShapedSecurity {
  readonly net_allow_list?: readonly string[] | undefined;
  readonly fs_access?: ManifestSecurity["fsAccess"] | undefined;
  readonly env_allow_list?: readonly string[] | undefined;
  readonly elicitation?: ManifestSecurity["elicitation"] | undefined;
  readonly max_memory_mb?: number | undefined;
  readonly max_execution_ms?: number | undefined;
  readonly max_fuel?: number | undefined;
}

/** The document, or every place where its shape is wrong. */
export type ShapeResult =
  | { readonly ok: true; readonly value: ShapedManifest }
  | { readonly ok: false; readonly problems: readonly BrokenRule[] };

const ID = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$/;
const VERSION =
  /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?$/;
const ARGUMENT_NAME = /^(?!__proto__$)[A-Za-z_][A-Za-z0-9_-]*$/;
const PROMPT_NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
const ENVIRONMENT_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const FILE_SYSTEM_ACCESS = ["none", "read-only", "sandbox"] as const;
const ELICITATION = ["none", "form"] as const;

const tool = table({
  id: text(TEXT_LIMITS.id, (value) =>
    matches(value, ID, 'must be a reverse domain: two or more labels of a-z, 0-9 and inner "-", joined by dots'),
  ),
  name: text(TEXT_LIMITS.name, line),
  version: text(TEXT_LIMITS.version, (value) => matches(value, VERSION, "must be a semantic version, as in 1.0.0")),
  wasm: text(TEXT_LIMITS.wasm, relativePath),
});

const argumentName = text(TEXT_LIMITS.argumentName, (value) =>
  matches(value, ARGUMENT_NAME, 'must be a letter or "_", then letters, digits, "_" and "-", and not "__proto__"'),
);
const argumentDescription = text(TEXT_LIMITS.argumentDescription, prose);
const isRequired = v.optional(v.boolean(typed("a boolean")));

const argument = table({
  name: argumentName,
  type: choice(JSON_TYPES),
  description: argumentDescription,
  required: isRequired,
  default: v.optional(v.unknown()),
  enum: v.optional(
    v.pipe(list(v.unknown(), LIST_LIMITS.enum), v.minLength(1, "must have at least one value, or be left out")),
  ),
});

const prompt = table({
  name: text(TEXT_LIMITS.promptName, (value) => matches(value, PROMPT_NAME, 'must be of a-z, 0-9 and inner "-"')),
  description: text(TEXT_LIMITS.argumentDescription, prose),
  text: text(TEXT_LIMITS.promptText, prose),
  arguments: v.optional(
    list(
      table({ name: argumentName, description: argumentDescription, required: isRequired }),
      LIST_LIMITS.promptArguments,
    ),
  ),
});

const mcp = table({
  description: text(TEXT_LIMITS.toolDescription, prose),
  arguments: v.optional(list(argument, LIST_LIMITS.arguments)),
  prompts: v.optional(list(prompt, LIST_LIMITS.prompts)),
});

const security = table({
  net_allow_list: v.optional(list(text(NETWORK_ENTRY_LIMIT, networkEntry), LIST_LIMITS.allowList)),
  fs_access: v.optional(choice(FILE_SYSTEM_ACCESS)),
  env_allow_list: v.optional(
    list(
      text(TEXT_LIMITS.environmentName, (value) =>
        matches(value, ENVIRONMENT_NAME, 'must be a letter or "_", then letters, digits and "_"'),
      ),
      LIST_LIMITS.allowList,
    ),
  ),
  elicitation: v.optional(choice(ELICITATION)),
  max_memory_mb: v.optional(integer(LIMIT_RANGES.maxMemoryMb)),
  max_execution_ms: v.optional(integer(LIMIT_RANGES.maxExecutionMs)),
  max_fuel: v.optional(integer(LIMIT_RANGES.maxFuel)),
});

const document = table({ tool, mcp, security: v.optional(security) });

/**
 * Checks the shape of a document.
 *
 * @param parsed - What smol-toml returned, with `integersAsBigInt`.
 * @returns The document, or one problem for each wrong value, in no particular order. Unknown keys are not looked at.
 */
export function checkShape(parsed: unknown): ShapeResult {
  const result = v.safeParse(document, parsed, { abortPipeEarly: true });
  if (result.success) return { ok: true, value: result.output };
  return {
    ok: false,
    problems: result.issues.map((issue) => ({
      kind: "invalid",
      path: (issue.path ?? []).map((item) => (typeof item.key === "number" ? item.key : String(item.key))),
      rule: issue.message,
    })),
  };
}

type Rule = (value: string) => string | undefined;

function table<E extends v.ObjectEntries>(entries: E) {
  return v.pipe(v.custom<Readonly<Record<string, unknown>>>(isTable, typed("a table")), v.object(entries));
}

function list<S extends v.GenericSchema>(item: S, limit: number) {
  return v.pipe(v.array(item, typed("an array")), v.maxLength(limit, `must have at most ${limit} entries`));
}

function text(limit: number, rule: Rule) {
  return v.pipe(
    v.string(typed("a string")),
    v.maxLength(limit, `must have at most ${limit} characters`),
    v.rawCheck(({ dataset, addIssue }) => {
      const message = dataset.typed ? rule(dataset.value) : undefined;
      if (message !== undefined) addIssue({ message });
    }),
  );
}

function choice<const T extends string>(options: readonly T[]) {
  const names = options.map((option) => `"${option}"`).join(", ");
  return v.picklist(options, `must be one of ${names}`);
}

function integer({ least, most }: IntegerRange) {
  return v.pipe(
    v.bigint(typed("an integer")),
    v.check((value) => value >= least && value <= most, `must be from ${least} to ${most}`),
    v.transform(Number),
  );
}

function typed(name: string): (issue: { readonly input: unknown }) => string {
  return (issue) => `must be ${name}, got ${describeToml(issue.input)}`;
}

function matches(value: string, pattern: RegExp, rule: string): string | undefined {
  return pattern.test(value) ? undefined : rule;
}

function line(value: string): string | undefined {
  return notBlank(value) ?? forbiddenCharacter(value, "one line");
}

function prose(value: string): string | undefined {
  return notBlank(value) ?? forbiddenCharacter(value, "lines");
}

function notBlank(value: string): string | undefined {
  return value.trim() === "" ? "must not be empty" : undefined;
}

function relativePath(value: string): string | undefined {
  if (value.startsWith("/") || /^[A-Za-z]:/.test(value)) return "must be a relative path inside the package";
  if (value.includes("\\")) return 'must separate its segments with "/", not with a backslash';
  const segments = value.split("/");
  if (segments.includes("..")) return 'must stay inside the package: no ".." segment';
  if (segments.includes("") || segments.includes(".")) return 'must be a plain path: no empty or "." segment';
  return forbiddenCharacter(value, "one line");
}

function networkEntry(value: string): string | undefined {
  const parsed = parseNetworkEntry(value);
  return parsed.ok ? undefined : parsed.problem;
}
