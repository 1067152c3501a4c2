/**
 * What a `tool.toml` says, once it has been parsed and checked. Untrusted in content (a hostile author wrote it), trusted in shape.
 */

/** A parsed `tool.toml`. */
export interface Manifest {
  readonly tool: {
    /** Reverse-domain identifier, `[a-z0-9-]` labels, at least one dot, at most 128 characters. */
    readonly id: string;
    readonly name: string;
    /** Semantic version. */
    readonly version: string;
    /** Path of the component, relative to the manifest, with `/` separators and no `..`. */
    readonly wasm: string;
  };
  readonly mcp: {
    /** What the agent reads about the tool. */
    readonly description: string;
    /** In manifest order; empty when the manifest declares none. */
    readonly arguments: readonly ManifestArgument[];
    /** In manifest order; absent when the manifest declares none. */
    readonly prompts?: readonly ManifestPrompt[];
  };
  readonly security: ManifestSecurity;
}

/** One `[[mcp.arguments]]`. */
export interface ManifestArgument {
  readonly name: string;
  readonly type: ArgumentType;
  readonly description: string;
  readonly required: boolean;
  /** Used when the caller leaves the argument out. Of the declared type. */
  readonly default?: unknown;
  /** The only values allowed. Each of the declared type. */
  readonly enum?: readonly unknown[];
}

/** One `[[mcp.prompts]]`: a text that a user may send to the model. */
export interface ManifestPrompt {
  /** `[a-z0-9-]`. */
  readonly name: string;
  readonly description: string;
  /** With `{{name}}` where an argument's value goes. */
  readonly text: string;
  readonly arguments: readonly ManifestPromptArgument[];
}

/** One `[[mcp.prompts.arguments]]`: a text. */
interface ManifestPromptArgument {
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
}

/** The JSON types an argument may have. */
export type ArgumentType = "string" | "number" | "integer" | "boolean" | "object" | "array";

/** What the tool asks for. A request, never a grant. */
export interface ManifestSecurity {
  /** Network rules as written, each already checked for its syntax. */
  readonly netAllowList: readonly string[];
  readonly fsAccess: "none" | "read-only" | "sandbox";
  /** Names of environment variables. */
  readonly envAllowList: readonly string[];
  /** Whether its calls may ask their user questions, and how. */
  readonly elicitation: "none" | "form";
  /** Mebibytes, all memories and tables of a call together. */
  readonly maxMemoryMb: number;
  /** Milliseconds of wall time. */
  readonly maxExecutionMs: number;
  /** Fuel units: see docs/fuel.md. */
  readonly maxFuel: number;
}
