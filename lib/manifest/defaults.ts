/**
 * What a `tool.toml` means where it says nothing, and the bounds of what it may say.
 */
import type { ManifestSecurity } from "./manifest.ts";

/** The most bytes that a `tool.toml` may have. The package reader enforces it before it parses. */
export const MANIFEST_LIMIT_BYTES: number = 65_536;

/** What each optional key means when it is absent. */
export interface ManifestDefaults {
  readonly argument: { readonly required: boolean };
  readonly security: ManifestSecurity;
}

/** The defaults of `tool.toml`: everything denied, a small budget. */
export const MANIFEST_DEFAULTS: ManifestDefaults = Object.freeze({
  argument: Object.freeze({ required: false }),
  security: Object.freeze({
    netAllowList: Object.freeze([]),
    fsAccess: "none",
    envAllowList: Object.freeze([]),
    elicitation: "none",
    maxMemoryMb: 64,
    maxExecutionMs: 5000,
    maxFuel: 1_000_000,
  }),
});

/** An inclusive range of integers. */
export interface IntegerRange {
  readonly least: number;
  readonly most: number;
}

/** What each limit in `[security]` may be: mebibytes, milliseconds, fuel units. */
export const LIMIT_RANGES: Readonly<Record<"maxMemoryMb" | "maxExecutionMs" | "maxFuel", IntegerRange>> = Object.freeze(
  {
    maxMemoryMb: Object.freeze({ least: 1, most: 4096 }),
    maxExecutionMs: Object.freeze({ least: 1, most: 600_000 }),
    maxFuel: Object.freeze({ least: 1, most: Number.MAX_SAFE_INTEGER }),
  },
);

/** Most UTF-16 code units of each kind of text. */
export const TEXT_LIMITS: Readonly<
  Record<
    | "id"
    | "name"
    | "version"
    | "wasm"
    | "toolDescription"
    | "argumentName"
    | "argumentDescription"
    | "environmentName"
    | "promptName"
    | "promptText"
    | "promptValue"
    | "resourceUri"
    | "mediaType",
    number
  >
> = Object.freeze({
  id: 128,
  name: 128,
  version: 128,
  wasm: 255,
  toolDescription: 4096,
  argumentName: 64,
  argumentDescription: 1024,
  environmentName: 128,
  promptName: 40,
  promptText: 16_384,
  promptValue: 256,
  resourceUri: 512,
  mediaType: 100,
});

/** Most entries of each kind of list. */
export const LIST_LIMITS: Readonly<
  Record<
    | "arguments"
    | "enum"
    | "allowList"
    | "prompts"
    | "promptArguments"
    | "promptMessages"
    | "promptValues"
    | "resources"
    | "resourceTemplates",
    number
  >
> = Object.freeze({
  arguments: 64,
  enum: 256,
  allowList: 256,
  prompts: 16,
  promptArguments: 16,
  promptMessages: 16,
  promptValues: 256,
  resources: 64,
  resourceTemplates: 16,
});

/** The most levels that tables and arrays may nest within one value. */
export const NESTING_LIMIT: number = 16;
