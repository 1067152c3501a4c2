/**
 * What one call may touch: the effective policy, request ∩ grant, as it is sent to the Worker. Data only, and never changed after it was made.
 */
import type { NetworkRule } from "../network-rule.ts";
import type { Rehearsal } from "./rehearsal.ts";

/** A directory that a call may use. */
export interface Mount {
  /** Where the guest sees it: absolute, canonical, `/` separators: `/data`. */
  readonly guestPath: string;
  /**
   * Absolute path at the host, without symbolic links when the call began: whoever opens it follows none, or a link that another call put there
   * since would lead out. Never told to guests or agents.
   */
  readonly hostPath: string;
  readonly access: "read-only" | "read-write";
  /** The most that the directory may hold; undefined for one that is the user's own. */
  readonly quota: Quota | undefined;
}

/** The most that a directory may hold. */
export interface Quota {
  /** Bytes of all files together. */
  readonly bytes: number;
  /** Files and directories. */
  readonly files: number;
}

/** What one call may touch. */
export interface Policy {
  /** What requests may go to; empty: nowhere. */
  readonly network: readonly NetworkRule[];
  /** `tcp://` and `udp://` addresses that it may listen on. */
  readonly listen: readonly NetworkRule[];
  readonly mounts: readonly Mount[];
  /** The variables that the guest sees, in order. */
  readonly environment: readonly (readonly [name: string, value: string])[];
  /** Nanoseconds in a tick of the guest's clocks: 1,000,000 unless a finer one was granted. */
  readonly clockTickNs: number;
  /** Given when HTTP requests are rehearsed; absent: they go to the network. In Workers of this process alone. */
  readonly rehearsal?: Rehearsal | undefined;
}

/** Nothing granted. */
export const DENY_ALL: Policy = Object.freeze({
  network: Object.freeze([]),
  listen: Object.freeze([]),
  mounts: Object.freeze([]),
  environment: Object.freeze([]),
  clockTickNs: 1_000_000,
});
