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
    /** In manifest order; absent when the manifest declares none. */
    readonly resources?: readonly ManifestResource[];
    /** In manifest order; absent when the manifest declares none. */
    readonly templates?: readonly ManifestTemplate[];
    /** JSON Schema of the input, in place of `arguments`. */
    readonly inputSchema?: Readonly<Record<string, unknown>>;
    /** JSON Schema of the result. */
    readonly outputSchema?: Readonly<Record<string, unknown>>;
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

/** One `[[mcp.prompts]]`: messages that a user may send to the model. */
export interface ManifestPrompt {
  /** `[a-z0-9_-]`, no two `_` in a row. */
  readonly name: string;
  readonly description: string;
  /** At least one. */
  readonly messages: readonly ManifestMessage[];
  readonly arguments: readonly ManifestPromptArgument[];
}

/** One `[[mcp.prompts.messages]]`. */
export type ManifestMessage = { readonly role: "user" | "assistant" } & (
  | {
      /** With `{{name}}` where an argument's value goes. */
      readonly text: string;
    }
  | {
      /** The URI of one of the package's resources; with `{{name}}` where an argument's value goes. */
      readonly resource: string;
    }
  | {
      /** The URI of one of the package's resources, an image. */
      readonly image: string;
    }
);

/** One `[[mcp.prompts.arguments]]`: a text. */
interface ManifestPromptArgument {
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  /** What a client may offer for it. Others are allowed. */
  readonly values?: readonly string[];
}

/** One `[[mcp.resources]]`: a file of the package that agents can read. */
export interface ManifestResource {
  readonly uri: string;
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly mimeType: string;
  /** Path relative to the manifest, with `/` separators and no `..`. */
  readonly file: string;
}

/** One `[[mcp.resource_templates]]`: URIs whose content the tool makes, called with the variables as its arguments. */
export interface ManifestTemplate {
  readonly uriTemplate: string;
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  /** Default: what the tool's result is. */
  readonly mimeType?: string;
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
