/**
 * Rehearsed requests: a call's HTTP requests get replies that were given beforehand, and nothing from the network; or the network's replies are kept, to be
 * given another time. For the tests of tools. Data only; the rules of the policy hold in both cases as they do without.
 */

/** What a request gets. */
export interface Reply {
  /** 200 to 599. */
  readonly status: number;
  /** Names and values, checked: none of them breaks out of its line. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
}

/** A reply, and to what. */
export interface GivenReply extends Reply {
  /** As it is sent: `GET`. */
  readonly method: string;
  /** As a canonical target has it. */
  readonly url: string;
}

/** How requests are rehearsed. Replies to the same request are given in their order; the last one stands for all that follow. */
export type Rehearsal =
  { readonly kind: "replay"; readonly replies: readonly GivenReply[] } | { readonly kind: "record" };

/** A request that a call made. */
export interface MadeRequest {
  readonly method: string;
  readonly url: string;
  /** `denied`: no rule covers it. `unknown`: no reply was given for it; it was denied as well. `failed`: it has no reply, or not all of it was kept. */
  readonly outcome: "answered" | "denied" | "unknown" | "failed";
  /** What the guest was given of a reply that was recorded. */
  readonly reply?: Reply | undefined;
}

/** The most of rehearsed requests, a call. */
export const REHEARSAL_LIMITS: Readonly<Record<"requests" | "bodyBytes" | "totalBytes", number>> = Object.freeze({
  /** Requests that are listed, and replies that may be given. */
  requests: 64,
  /** Bytes of one body, 1 MiB. */
  bodyBytes: 1_048_576,
  /** Bytes of all bodies together, 4 MiB. */
  totalBytes: 4_194_304,
});
