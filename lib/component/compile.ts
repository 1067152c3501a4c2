/**
 * Compiles an untrusted component into an artifact, in a throw-away process. On the trusted side of it.
 */
import { fileURLToPath } from "node:url";
import { digestOf } from "../digest.ts";
import { clean, type Failure, refuse } from "../errors.ts";
import { type Artifact, COMPONENT_LIMITS } from "./artifact.ts";
import { type ChildOptions, type ChildResult, runAmbientChild } from "./child.ts";
import { codeOf } from "../roles.ts";
import { namedFeature } from "./rejection.ts";
import { parseReply } from "./reply.ts";

/** How a component is compiled. */
export interface CompileOptions {
  /** Milliseconds of wall time, from 1; default 30 s. A component of 12 MB takes 5 s. */
  readonly timeoutMs?: number;
  /** Aborting it ends the compiler. */
  readonly signal?: AbortSignal;
}

/** Compiles a component: {@link compileComponent}, or what stands in its place. */
export type CompileComponent = (component: Uint8Array, options?: CompileOptions) => Promise<Artifact>;

const DEFAULT_TIMEOUT_MS = 30_000;
const MEMORY_LIMIT_BYTES = 1_073_741_824;
/** The parts, and as much again as the header may have. */
const REPLY_LIMIT_BYTES: number = COMPONENT_LIMITS.meteredBytes + COMPONENT_LIMITS.planBytes + 5_000_000;

/** The script that compiles. Absolute path. */
export const COMPILER: string = fileURLToPath(codeOf("compiler"));

/**
 * Compiles a component.
 *
 * @param component - Untrusted bytes.
 * @throws {Failure} `COMPONENT_INVALID`, `COMPONENT_UNSUPPORTED`, `COMPONENT_LIMIT`, `COMPONENT_NO_ENTRY`, `INSTRUCTION_UNKNOWN`
 *   for what the component is; `COMPILE_TIMEOUT` when it takes too long; `COMPILE_CRASHED` when the compiler breaks on it; `CANCELLED` when
 *   the signal was aborted first.
 */
export async function compileComponent(component: Uint8Array, options: CompileOptions = {}): Promise<Artifact> {
  const order = orderFor(component, options);
  const result = await runAmbientChild({ script: COMPILER, ...order.bounds }).catch((error: unknown) => {
    throw notStarted(error);
  });
  return readAnswer(order, result);
}

/** What a compiler is asked for. */
export interface CompileOrder {
  /** SHA-256 of the component, lower-case hex. */
  readonly digest: string;
  readonly bounds: Omit<ChildOptions, "script">;
}

/** Makes an order, with the default limits. */
export function orderFor(component: Uint8Array, options: CompileOptions): CompileOrder {
  // Taken first: the caller may not change the bytes between the digest and the child's reading of them.
  const input = new Uint8Array(component);
  return {
    digest: digestOf(input),
    bounds: {
      input,
      timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      memoryBytes: MEMORY_LIMIT_BYTES,
      outputBytes: REPLY_LIMIT_BYTES,
      signal: options.signal,
    },
  };
}

/** Reads what became of an order. @throws {Failure} as {@link compileComponent} does */
export function readAnswer({ digest, bounds }: CompileOrder, result: ChildResult): Artifact {
  if (result.ending === "abort") throw refuse("CANCELLED", {});
  if (result.ending === "timeout") throw refuse("COMPILE_TIMEOUT", { limitMs: bounds.timeoutMs });
  if (result.ending !== "exit" || result.exitCode !== 0) throw crashed(result);
  const reply = parseReply(result.output);
  if (reply === undefined) throw refuse("COMPILE_CRASHED", { reason: "its answer is malformed" });
  if (!reply.ok) throw reply.failure;
  return { digest, ...reply.compiled };
}

function notStarted(error: unknown): Failure {
  return refuse("COMPILE_CRASHED", { reason: `it cannot be started: ${String(error)}` }, error);
}

/** Makes the failure for a child that did not answer. @returns One line, whatever the child wrote. */
export function crashed(result: Omit<ChildResult, "output">): Failure {
  if (result.ending === "memory") return refuse("COMPILE_CRASHED", { reason: "it used more than 1 GiB of memory" });
  if (result.ending === "output") return refuse("COMPILE_CRASHED", { reason: "its answer is too large" });
  const panic = /panicked at [^\n]*\n([^\n]+)/.exec(result.stderr)?.[1];
  // jco panics on some features that its own validator knows.
  const what = panic && namedFeature(panic);
  if (what !== undefined) return refuse("COMPONENT_UNSUPPORTED", { what });
  return refuse("COMPILE_CRASHED", { reason: panic ? `panic: ${clean(panic, 200)}` : explainCrash(result) });
}

function explainCrash({ stderr, signal, exitCode }: Omit<ChildResult, "output">): string {
  if (signal !== undefined) return `ended by ${signal}`;
  const error = /^(?:[A-Za-z]*Error|error): ([^\n]+)/m.exec(stderr)?.[1];
  return error === undefined ? `exit code ${exitCode}` : clean(error, 200);
}
