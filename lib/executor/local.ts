/**
 * Runs calls in Workers of this process. The engine compiles their core modules here, once for all Workers.
 */
import { unlessAborted } from "../component/abandon.ts";
import type { Artifact } from "../component/artifact.ts";
import { compileArtifact, type LoadableArtifact } from "../component/loadable.ts";
import type { CallRequest, Calls } from "./calls.ts";
import { Executor, type ExecutorOptions } from "./executor.ts";
import { failedBy, type Settled } from "./settled.ts";

/** Calls in this process. */
export class LocalCalls implements Calls {
  readonly #executor: Executor;
  /** Compiled as long as whoever made the artifact keeps it. */
  readonly #compiled = new WeakMap<Artifact, Promise<LoadableArtifact>>();

  constructor(options: ExecutorOptions) {
    this.#executor = new Executor(options);
  }

  /** Runs a call when its turn comes. Never throws for what a guest does. */
  async call(request: CallRequest): Promise<Settled> {
    try {
      const artifact = await unlessAborted(() => this.#compile(request.artifact), [request.signal]);
      return await this.#executor.call({ ...request, artifact });
    } catch (error) {
      return failedBy(error);
    }
  }

  [Symbol.dispose](): void {
    this.#executor[Symbol.dispose]();
  }

  #compile(artifact: Artifact): Promise<LoadableArtifact> {
    const compiled = this.#compiled.get(artifact) ?? compileArtifact(artifact);
    this.#compiled.set(artifact, compiled);
    return compiled;
  }
}
