/**
 * Which components an executor process holds, as the host decides: it sends what is needed, and takes back what was used longest ago.
 */
import { type Artifact, artifactBytes } from "../component/artifact.ts";
import { takeApart } from "../component/manifest.ts";
import type { ExecutorOrder } from "../protocol/messages.ts";

/** The most that one process holds. One that is in use may lie beyond it. */
const MOST = { artifacts: 32, bytes: 268_435_456 } as const;
/** Bytes of an artifact that are sent at once: what is urgent passes between. */
const PART_BYTES = 262_144;

/** What one process holds. */
export class Holdings {
  readonly #send: (order: ExecutorOrder, body?: Uint8Array) => void;
  /** Bytes by digest, the one used longest ago first. */
  readonly #held = new Map<string, number>();

  constructor(send: (order: ExecutorOrder, body?: Uint8Array) => void) {
    this.#send = send;
  }

  /** Whether the process holds a component. */
  has(digest: string): boolean {
    return this.#held.has(digest);
  }

  /** Sees to it that the process holds an artifact, and not too many others. */
  hold(artifact: Artifact): void {
    const { digest } = artifact;
    const isHeld = this.#held.delete(digest);
    this.#held.set(digest, artifactBytes(artifact));
    if (!isHeld) this.#sendArtifact(artifact);
    let bytes = 0;
    for (const each of this.#held.values()) bytes += each;
    for (const [oldest, each] of this.#held) {
      if (oldest === digest || (this.#held.size <= MOST.artifacts && bytes <= MOST.bytes)) return;
      this.drop(oldest);
      bytes -= each;
    }
  }

  /** Takes an artifact back. */
  drop(digest: string): void {
    if (this.#held.delete(digest)) this.#send({ type: "unload", digest });
  }

  #sendArtifact(artifact: Artifact): void {
    const { digest } = artifact;
    const { manifest, parts } = takeApart(artifact);
    this.#send({ type: "load", digest, manifest });
    for (const part of parts) {
      for (let at = 0; at < part.length; at += PART_BYTES) {
        this.#send({ type: "part", digest }, part.subarray(at, at + PART_BYTES));
      }
    }
  }
}
