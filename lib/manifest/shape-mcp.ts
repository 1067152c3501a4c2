/**
 * The shape of `[mcp]`: what agents and users read and use of a tool.
 */
import * as v from "valibot";
import { JSON_TYPES } from "../json-type.ts";
import { LIST_LIMITS, TEXT_LIMITS } from "./defaults.ts";
import type { ArgumentType } from "./manifest.ts";
import { choice, line, list, matches, prose, relativePath, table, text, typed } from "./parts.ts";
import { MEDIA_TYPE, resourceUri, templateUri } from "./uri.ts";
import { isTable } from "./value.ts";

/** `[mcp]`. */
export interface ShapedMcp {
  readonly description: string;
  readonly arguments?: readonly ShapedArgument[] | undefined;
  readonly prompts?: readonly ShapedPrompt[] | undefined;
  readonly resources?: readonly ShapedResource[] | undefined;
  readonly resource_templates?: readonly ShapedTemplate[] | undefined;
  /** TOML values. */
  readonly input_schema?: Readonly<Record<string, unknown>> | undefined;
  /** TOML values. */
  readonly output_schema?: Readonly<Record<string, unknown>> | undefined;
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
  readonly text?: string | undefined;
  readonly messages?: readonly ShapedMessage[] | undefined;
  readonly arguments?: readonly ShapedPromptArgument[] | undefined;
}

/** One `[[mcp.prompts.messages]]`. */
export interface ShapedMessage {
  readonly role?: "user" | "assistant" | undefined;
  readonly text?: string | undefined;
  readonly resource?: string | undefined;
  readonly image?: string | undefined;
}

/** One `[[mcp.prompts.arguments]]`. */
interface ShapedPromptArgument extends Pick<ShapedArgument, "name" | "description" | "required"> {
  readonly values?: readonly string[] | undefined;
}

/** One `[[mcp.resources]]`. */
export interface ShapedResource extends ShapedDocument {
  readonly uri: string;
  readonly mime_type: string;
  readonly file: string;
}

/** One `[[mcp.resource_templates]]`. */
export interface ShapedTemplate extends ShapedDocument {
  readonly uri_template: string;
  readonly mime_type?: string | undefined;
}

interface ShapedDocument {
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
}

const ARGUMENT_NAME = /^(?!__proto__$)[A-Za-z_][A-Za-z0-9_-]*$/;
/** Never with two `_` in a row: those stand between a tool's name and its prompt's. */
const PROMPT_NAME = /^[a-z0-9](?:(?:[a-z0-9-]|_(?!_))*[a-z0-9])?$/;
const ROLES = ["user", "assistant"] as const;

const argumentName = text(TEXT_LIMITS.argumentName, (value) =>
  matches(value, ARGUMENT_NAME, 'must be a letter or "_", then letters, digits, "_" and "-", and not "__proto__"'),
);
const argumentDescription = text(TEXT_LIMITS.argumentDescription, prose);
const isRequired = v.optional(v.boolean(typed("a boolean")));
const uri = text(TEXT_LIMITS.resourceUri, resourceUri);
const mediaType = text(TEXT_LIMITS.mediaType, (value) =>
  matches(value, MEDIA_TYPE, "must be a media type without parameters, in lower case, as in text/plain"),
);

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

const message = table({
  role: v.optional(choice(ROLES)),
  text: v.optional(text(TEXT_LIMITS.promptText, prose)),
  // May hold an argument's place: what it leads to is looked up among the package's own resources.
  resource: v.optional(text(TEXT_LIMITS.resourceUri, line)),
  image: v.optional(uri),
});

const prompt = table({
  name: text(TEXT_LIMITS.promptName, (value) =>
    matches(value, PROMPT_NAME, 'must be of a-z, 0-9 and inner "-" and "_", no two "_" in a row'),
  ),
  description: text(TEXT_LIMITS.argumentDescription, prose),
  text: v.optional(text(TEXT_LIMITS.promptText, prose)),
  messages: v.optional(list(message, LIST_LIMITS.promptMessages)),
  arguments: v.optional(
    list(
      table({
        name: argumentName,
        description: argumentDescription,
        required: isRequired,
        values: v.optional(list(text(TEXT_LIMITS.promptValue, line), LIST_LIMITS.promptValues)),
      }),
      LIST_LIMITS.promptArguments,
    ),
  ),
});

const named = {
  name: text(TEXT_LIMITS.name, line),
  title: v.optional(text(TEXT_LIMITS.name, line)),
  description: v.optional(argumentDescription),
};

const resource = table({ ...named, uri, mime_type: mediaType, file: text(TEXT_LIMITS.wasm, relativePath) });

const template = table({
  ...named,
  uri_template: text(TEXT_LIMITS.resourceUri, templateUri),
  mime_type: v.optional(mediaType),
});

/** The shape. */
export const mcp: v.GenericSchema<unknown, ShapedMcp> = table({
  description: text(TEXT_LIMITS.toolDescription, prose),
  arguments: v.optional(list(argument, LIST_LIMITS.arguments)),
  prompts: v.optional(list(prompt, LIST_LIMITS.prompts)),
  resources: v.optional(list(resource, LIST_LIMITS.resources)),
  resource_templates: v.optional(list(template, LIST_LIMITS.resourceTemplates)),
  input_schema: v.optional(v.custom<Readonly<Record<string, unknown>>>(isTable, typed("a table"))),
  output_schema: v.optional(v.custom<Readonly<Record<string, unknown>>>(isTable, typed("a table"))),
});
