/**
 * What host and Worker say to each other. Types only; the host checks what a Worker says before it believes it.
 */
import type { FailureCode } from "../errors.ts";
import type { Captured, Limits, Usage } from "./limits.ts";

/** Host to Worker. `Artifact` is what the linking half of the Worker takes. */
export type HostMessage<Artifact> =
  | { readonly type: "load"; readonly digest: string; readonly artifact: Artifact }
  | { readonly type: "unload"; readonly digest: string }
  | CallMessage;

/** One call. The artifact has been loaded before. */
export interface CallMessage {
  readonly type: "call";
  readonly id: number;
  readonly digest: string;
  /** JSON text. */
  readonly input: string;
  readonly limits: Limits;
  /** The call's {@link ControlBlock}. */
  readonly control: SharedArrayBuffer;
}

/** Worker to host. */
export type WorkerMessage =
  | { readonly type: "ready" }
  | {
      readonly type: "settled";
      readonly id: number;
      readonly outcome: Outcome;
      readonly usage: Usage;
      readonly captured: Captured;
    };

/** How a call ended, in the Worker's words. */
export type Outcome =
  | { readonly ok: true; readonly output: string }
  | { readonly ok: false; readonly code: FailureCode; readonly detail: object };
