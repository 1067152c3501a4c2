/**
 * What runs calls, wherever their guests run: in Workers of this process or in processes of their own.
 */
import type { Artifact } from "../component/artifact.ts";
import type { Policy } from "../policy/policy.ts";
import type { Limits } from "../protocol/limits.ts";
import type { OnProgress } from "./progress.ts";
import type { Settled } from "./settled.ts";

/** One call. */
export interface CallRequest {
  readonly artifact: Artifact;
  /** The function that is called, by its name among the artifact's entries; default: `run`. */
  readonly entry?: string | undefined;
  /** JSON text. */
  readonly input: string;
  readonly limits: Limits;
  /** What it may touch. */
  readonly policy: Policy;
  /** Whose turn in the queue this takes. */
  readonly client: string;
  /** Whose calls may share a Worker with it while they wait: one tool's. Default: the artifact's digest. */
  readonly tenant?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told how far the call is while it runs; default: nobody wants to know. */
  readonly onProgress?: OnProgress | undefined;
}

/** Runs calls; disposing ends those that run, and all that runs them. */
export interface Calls extends Disposable {
  /** Runs a call when its turn comes. Never throws for what a guest does. */
  call(request: CallRequest): Promise<Settled>;
}
