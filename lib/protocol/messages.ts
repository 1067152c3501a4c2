/**
 * What host and Worker, and host and executor process, say to each other. Types and bounds only; the host checks what they say before it
 * believes it.
 */
import type { FailureCode } from "../errors.ts";
import type { Policy } from "../policy/policy.ts";
import type { MadeRequest } from "../policy/rehearsal.ts";
import type { InterruptReason } from "./control.ts";
import type { Captured, Denial, Limits, Progress, Usage } from "./limits.ts";

/** Host to Worker. `Artifact` is what the linking half of the Worker takes. */
export type HostMessage<Artifact> =
  | { readonly type: "load"; readonly digest: string; readonly artifact: Artifact }
  | { readonly type: "unload"; readonly digest: string }
  | CallMessage
  /** Behind the interrupt word of a call's control block: breaks the call's wait. */
  | { readonly type: "interrupt"; readonly id: number }
  /** The block of the Worker's thread, see `thread.ts`; before all calls. */
  | { readonly type: "thread"; readonly buffer: SharedArrayBuffer };

/** One call. The artifact has been loaded before. */
export interface CallMessage {
  readonly type: "call";
  readonly id: number;
  readonly digest: string;
  /** The function that is called, by its name among the artifact's entries; default: `run`. */
  readonly entry?: string | undefined;
  /** JSON text. */
  readonly input: string;
  readonly limits: Limits;
  /** What it may touch. */
  readonly policy: Policy;
  /** Whether somebody wants to hear what the guest logs while it runs; default: nobody does. */
  readonly tells?: boolean | undefined;
  /** The call's {@link ControlBlock}. */
  readonly control: WebAssembly.Memory;
}

/** Worker to host. */
export type WorkerMessage =
  | { readonly type: "ready" }
  /** All calls of the Worker wait: the thread has nothing to do. Sent when the host wants to know, by the thread's block. */
  | { readonly type: "parked" }
  | SaidMessage
  | {
      readonly type: "settled";
      readonly id: number;
      readonly outcome: Outcome;
      readonly usage: Usage;
      readonly captured: Captured;
      /** What the guest was denied, each once; absent: nothing. At most `DENIALS_LIMIT`. */
      readonly denials?: readonly Denial[] | undefined;
      /** The HTTP requests of a call that rehearses them. */
      readonly requests?: readonly MadeRequest[] | undefined;
    };

/** What the guest of a call that `tells` has logged; at most `SAID_LIMIT_LINES` of a call. */
export interface SaidMessage {
  readonly type: "said";
  readonly id: number;
  /** At most `SAID_LIMIT` code units. */
  readonly text: string;
}

/** How a call ended, in the Worker's words. */
export type Outcome =
  | { readonly ok: true; readonly output: string }
  | { readonly ok: false; readonly code: FailureCode; readonly detail: object };

/** UTF-16 code units of why a Worker was lost. */
export const LOSS_LIMIT = 300;

/** Host to executor process. Behind some of them come bytes. */
export type ExecutorOrder =
  | StartOrder
  /** The artifact's manifest; its parts follow, in order, in as many `part`s as they take. */
  | { readonly type: "load"; readonly digest: string; readonly manifest: object }
  /** Behind it: the next bytes of the artifact. */
  | { readonly type: "part"; readonly digest: string }
  | { readonly type: "unload"; readonly digest: string }
  | CallOrder
  | { readonly type: "interrupt"; readonly id: number; readonly reason: InterruptReason }
  /** Asks how far a call is: answered by a `state`, or by its end. */
  | { readonly type: "look"; readonly id: number }
  /** Asks to be told, once, when more calls may be given: answered by a `room`. */
  | { readonly type: "ask" };

/** The first order. */
export interface StartOrder {
  readonly type: "start";
  /** Calls that it runs at once, beside those that wait. */
  readonly workers: number;
  /** Most milliseconds until a Worker is ready, and until it starts on a call. */
  readonly startLimitMs: number;
  /** URL of the code that Workers run; default: KAMI's own. */
  readonly entry?: string;
}

/** One call; behind it its input, JSON text in UTF-8. The artifact has been loaded before. */
export interface CallOrder {
  readonly type: "call";
  readonly id: number;
  readonly digest: string;
  /** Whose calls may share a Worker with it. */
  readonly tenant: string;
  /** The function that is called, by its name among the artifact's entries; default: `run`. */
  readonly entry?: string | undefined;
  readonly limits: Limits;
  /**
   * Whether it has to wait in the process until there is room for it; it is `returned` when that takes long. Else there is room, by the host's
   * count or the process's word.
   */
  readonly isAhead: boolean;
  /** Whether somebody wants to hear how far it is: it is told by `progress` then. */
  readonly tells: boolean;
  /** What it may touch; on the pipe, what is undefined in it is left out. */
  readonly policy: Policy;
}

/** Executor process to host: a `ready`, and the end of calls that failed in a Worker's words, beside these. */
export type ExecutorReport =
  | Exclude<WorkerMessage, { readonly type: "parked" | "said" }>
  | EndReport
  | StateReport
  | ProgressReport
  | RoomReport
  | ReturnedReport
  | LostReport;

/** A call ended well; behind it its output in UTF-8. */
interface EndReport {
  readonly type: "ended";
  readonly id: number;
  readonly usage: Usage;
  readonly captured: Captured;
  readonly denials?: readonly Denial[] | undefined;
}

/** How far a call is. */
export interface StateReport {
  readonly type: "state";
  readonly id: number;
  /** Milliseconds since a Worker started on it; null when none has. */
  readonly ageMs: number | null;
  /** Whether it has not started because its Worker runs another call. */
  readonly isBehind: boolean;
  /** What it has used so far. */
  readonly usage: Usage;
}

/** How far a call is that `tells`: now and then, and when its guest logs something. */
export interface ProgressReport extends Progress {
  readonly type: "progress";
  readonly id: number;
}

/** How many more calls a process can run now. */
export interface RoomReport {
  readonly type: "room";
  /** The last call that it was given, or 0: later ones take their places from these. */
  readonly lastId: number;
  /** At least 1. */
  readonly places: number;
}

/** A call that was sent ahead has not begun, and is not going to here. */
export interface ReturnedReport {
  readonly type: "returned";
  readonly id: number;
}

/** A Worker is lost, and the process with it. */
export interface LostReport {
  readonly type: "lost";
  /** The call that it ran; null when it ran none. */
  readonly id: number | null;
  /** At most {@link LOSS_LIMIT} code units. */
  readonly reason: string;
  /** What is known of the call's. */
  readonly usage: Usage;
}
