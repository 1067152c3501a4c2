/**
 * Makes a KAMI tool of a function. Runs inside the guest: on QuickJS or SpiderMonkey, without a DOM, Node or Bun.
 */
import { questionOf, takeAnswers } from "./ask.ts";
import { check, type FromSchema, type JsonSchema } from "./json-schema.ts";
import {
  type InferInput,
  type InferOutput,
  isStandard,
  type StandardSchema,
  toJsonSchema,
  validate,
} from "./standard.ts";

/** A schema: a Standard Schema that can yield JSON Schema, or JSON Schema itself. */
export type Schema = StandardSchema | JsonSchema;

/** What `run` gets. */
export type Parsed<S> = S extends StandardSchema ? InferOutput<S> : S extends JsonSchema ? FromSchema<S> : unknown;

/** What `run` may give back. */
export type Given<S> = S extends StandardSchema ? InferInput<S> : S extends JsonSchema ? FromSchema<S> : unknown;

/** What an author says of a tool. */
export interface ToolDefinition<I extends Schema, O extends Schema> {
  readonly name: string;
  /** Semver. */
  readonly version: string;
  /** For the agent: what it does and when to use it. */
  readonly description: string;
  /** Checked before `run` is called. */
  readonly input: I;
  /** Checked before the result leaves the tool. */
  readonly output?: O;
  /** What it throws is a tool error with its message. Async only on SpiderMonkey: QuickJS cannot wait. */
  readonly run: (input: Parsed<I>) => Given<O> | Promise<Given<O>>;
}

/** A tool, as `kami build` exports it. */
export interface Tool {
  /** JSON text in, JSON text out. Throws a string: the message for the agent. A promise where the engine can wait. */
  readonly run: (input: string) => string | Promise<string>;
  /** What the tool says of itself, as JSON text. */
  readonly describe: () => string;
}

/**
 * Defines a tool; export it as default.
 *
 * @throws {TypeError} when a schema cannot yield JSON Schema. The tool does not build then.
 */
export function defineTool<const I extends Schema, const O extends Schema = {}>(
  definition: ToolDefinition<I, O>,
): Tool {
  const { name, version, description, input, output, run } = definition;
  const inputSchema = toJsonSchema(input, "input");
  const outputSchema = output === undefined ? undefined : toJsonSchema(output, "output");
  const text = JSON.stringify({ name, version, description, inputSchema, ...(outputSchema && { outputSchema }) });
  return {
    describe: () => text,
    run: (raw) => {
      try {
        // What the check establishes, for a type that only the author's schema knows.
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        const result = run(parse(input, takeAnswers(JSON.parse(raw))) as Parsed<I>);
        if (!isPromise(result)) return write(output, result);
        requireWaiting();
        return result.then((value) => write(output, value)).catch(end);
      } catch (error) {
        return end(error);
      }
    },
  };
}

function parse(schema: Schema, value: unknown): unknown {
  if (isStandard(schema)) return validate(schema, value);
  check(schema, value, "");
  return value;
}

function write(schema: Schema | undefined, value: unknown): string {
  const checked = schema === undefined ? value : parse(schema, value);
  return JSON.stringify(checked) ?? "null";
}

/** Ends the call, or its round: what `ask` throws is a question, and a result like any other. */
function end(error: unknown): string {
  return questionOf(error) ?? fail(error);
}

/** Only a string that is thrown becomes a tool error on every engine. A stack never leaves the tool. */
function fail(error: unknown): never {
  const message = error instanceof Error ? error.message || error.name : String(error);
  throw message;
}

/** Only an engine made for the web gets back to what is waiting; another would end the call with a trap that explains nothing. */
function requireWaiting(): void {
  if (typeof globalThis.URL === "function") return;
  throw new Error("run is async, which this engine cannot wait for: build with --engine spidermonkey");
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
