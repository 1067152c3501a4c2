/**
 * Which components a Worker has loaded, as the host decides: it sends what is needed, and takes back what was used longest ago.
 */
import type { LoadableArtifact } from "../component/loadable.ts";
import type { HostMessage } from "../protocol/messages.ts";

/** Components that a Worker keeps loaded. */
const LIMIT = 32;

/** What one Worker has loaded. */
export class Loaded {
  readonly #post: (message: HostMessage<LoadableArtifact>) => void;
  /** Digests, the one used longest ago first. */
  readonly #digests = new Set<string>();

  constructor(post: (message: HostMessage<LoadableArtifact>) => void) {
    this.#post = post;
  }

  /** Whether a component is loaded. */
  has(digest: string): boolean {
    return this.#digests.has(digest);
  }

  /** Sees to it that a component is loaded, and not too many others. Calls that run or wait keep theirs. */
  load(artifact: LoadableArtifact): void {
    const { digest } = artifact;
    if (!this.#digests.delete(digest)) this.#post({ type: "load", digest, artifact });
    this.#digests.add(digest);
    for (const oldest of this.#digests) {
      if (this.#digests.size <= LIMIT) break;
      this.drop(oldest);
    }
  }

  /** Takes a component back. */
  drop(digest: string): void {
    this.#digests.delete(digest);
    this.#post({ type: "unload", digest });
  }
}
