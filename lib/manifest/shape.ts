/**
 * The shape of a parsed `tool.toml`, key by key: types, lengths, grammars and ranges.
 *
 * Source: Semantic Versioning 2.0.0 (the expression is the one it suggests).
 */
import * as v from "valibot";
import { NETWORK_ENTRY_LIMIT, parseNetworkEntry } from "../network-rule.ts";
import { LIMIT_RANGES, LIST_LIMITS, TEXT_LIMITS } from "./defaults.ts";
import type { ManifestSecurity } from "./manifest.ts";
import { choice, integer, line, list, matches, relativePath, table, text } from "./parts.ts";
import type { BrokenRule } from "./problem.ts";
import { mcp, type ShapedMcp } from "./shape-mcp.ts";

/** A document of the right shape, with TOML's names and values, and nothing filled in. */
export interface ShapedManifest {
  readonly tool: { readonly id: string; readonly name: string; readonly version: string; readonly wasm: string };
  readonly mcp: ShapedMcp;
  readonly security?: ShapedSecurity | undefined;
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

function networkEntry(value: string): string | undefined {
  const parsed = parseNetworkEntry(value);
  return parsed.ok ? undefined : parsed.problem;
}
