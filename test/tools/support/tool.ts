/**
 * One starter tool, installed in a home of its own and called through the runtime, under the limits of its own manifest.
 */
import { toolDirectory } from "../../../fixtures/paths.ts";
import { TestRuntime } from "../../support/runtime.ts";

/** How a call ended: its output parsed, or the tool's message, or the failure's code. */
export type Answer = { readonly output: unknown } | { readonly error: string };

/** A tool that can be called. */
export class TestTool implements AsyncDisposable {
  readonly #home = new TestRuntime();
  readonly #installed: Promise<string>;

  /** @param name - A folder of `fixtures/tools/`. */
  constructor(name: string) {
    this.#installed = this.#home.runtime.install(toolDirectory(name)).then(({ tool }) => tool.id);
  }

  /** Calls the tool. */
  async call(input: unknown): Promise<Answer> {
    const result = await this.#home.runtime.call(await this.#installed, JSON.stringify(input));
    if (result.ok) return { output: JSON.parse(result.output) };
    const { failure } = result;
    return { error: failure.code === "TOOL_ERROR" ? failure.message : failure.code };
  }

  /** Calls the tool, and picks one member of its output. Fails when the call does. */
  async member(name: string, input: unknown): Promise<unknown> {
    const answer = await this.call(input);
    if ("error" in answer) throw new Error(answer.error);
    const members = new Map<string, unknown>(Object.entries(answer.output ?? {}));
    return members.get(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#home[Symbol.asyncDispose]();
  }
}
