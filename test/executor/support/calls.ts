/**
 * Test support: calls for an executor whose Workers do as the input says, and what came of them.
 */
import type { Artifact } from "../../../lib/component/artifact.ts";
import type { LoadableArtifact } from "../../../lib/component/loadable.ts";
import type { CallRequest } from "../../../lib/executor/calls.ts";
import { Executor, type ExecutorCall, type ExecutorOptions } from "../../../lib/executor/executor.ts";
import type { Settled } from "../../../lib/executor/settled.ts";
import { DENY_ALL } from "../../../lib/policy/policy.ts";
import type { Behaviour } from "./worker-entry.ts";
import { RUN_PLAN } from "../../component/support/plans.ts";

/** The entry whose Workers do as the input says. */
export const ENTRY: URL = new URL("./worker-entry.ts", import.meta.url);

/** The entry of a Worker that never says that it is ready. */
export const SILENT_ENTRY: URL = new URL("./silent-entry.ts", import.meta.url);

/** Milliseconds that are enough for everything that is meant to happen. */
const AMPLE_MS = 30_000;

/** Makes an executor over {@link ENTRY}: one Worker and no queue, unless the test says otherwise. */
export function createExecutor(options: Partial<ExecutorOptions> = {}): Executor {
  return new Executor({ concurrency: 1, queueLimit: 0, worker: { entry: ENTRY }, ...options });
}

/** Makes an artifact without content: the entry loads nothing. */
export function emptyArtifact(digest: string): LoadableArtifact & Artifact {
  return { digest, kind: "bare", entries: [{ name: "run", exported: 0 }], plan: RUN_PLAN, modules: [], imports: [] };
}

/** Makes a call that tells a Worker what to do. */
export function tell(behaviour: Behaviour, options: Partial<ExecutorCall> & { timeoutMs?: number } = {}): ExecutorCall {
  const { timeoutMs = AMPLE_MS, ...rest } = options;
  return {
    artifact: emptyArtifact("a"),
    input: behaviour,
    limits: { fuel: 1_000_000, memoryBytes: 1_048_576, timeoutMs },
    policy: DENY_ALL,
    client: "test",
    ...rest,
  };
}

/** The same for what takes artifacts that are not compiled yet. */
export function ask(behaviour: Behaviour, options: Partial<CallRequest> & { timeoutMs?: number } = {}): CallRequest {
  return { ...tell(behaviour, {}), artifact: emptyArtifact("a"), ...limitsOf(options), ...options };
}

function limitsOf({ timeoutMs = AMPLE_MS }: { timeoutMs?: number }): Pick<CallRequest, "limits"> {
  return { limits: { fuel: 1_000_000, memoryBytes: 1_048_576, timeoutMs } };
}

/** What a test asserts of a call: its output, or its failure's code and message. */
export function outcomeOf(settled: Settled): string {
  return settled.ok ? settled.output : `${settled.failure.code} ${settled.failure.message}`;
}
