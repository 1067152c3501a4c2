/**
 * Test support: a runtime over a home of its own, which keeps compiled guests between the calls of one test file.
 */
import { guestPath } from "../../fixtures/paths.ts";
import type { Limits } from "../../lib/protocol/limits.ts";
import { type CallOptions, type CallResult, Runtime, type RuntimeOptions } from "../../lib/runtime.ts";
import { TemporaryDirectory } from "./temporary.ts";

/** A runtime and its home. */
export class TestRuntime implements AsyncDisposable {
  readonly home: TemporaryDirectory = new TemporaryDirectory();
  readonly runtime: Runtime;
  /** What the runtime logged. */
  readonly log: string[] = [];

  constructor(options: Partial<RuntimeOptions> = {}) {
    this.runtime = new Runtime({
      home: this.home.path,
      concurrency: 2,
      log: (line) => this.log.push(line),
      ...options,
    });
  }

  /** Runs a guest of `fixtures/guests/`; the input is given as a value. */
  run(guest: string, input: unknown = {}, options: CallOptions = {}): Promise<CallResult> {
    return this.runtime.runFile(guestPath(guest), JSON.stringify(input), options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.runtime[Symbol.asyncDispose]();
    this.home[Symbol.dispose]();
  }
}

/** Enough for every fixture that is meant to end by itself. */
export const AMPLE: Limits = Object.freeze({ fuel: 1_000_000_000, memoryBytes: 64 * 1_048_576, timeoutMs: 30_000 });

/** What a test asserts of a result: its output parsed, or its failure's code and message. */
export function summarize(result: CallResult): unknown {
  return result.ok
    ? { output: parseOutput(result.output) }
    : { code: result.failure.code, message: result.failure.message };
}

function parseOutput(output: string): unknown {
  try {
    return JSON.parse(output);
  } catch {
    return output;
  }
}
