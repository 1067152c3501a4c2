/**
 * Components ready to run: from memory, from the cache on disk, or compiled anew.
 */
import { type Failure, refuse } from "../errors.ts";
import { ArtifactCache } from "./cache.ts";
import { compileArtifact, type LoadableArtifact } from "./loadable.ts";

/** Components that stay compiled in memory. */
const COMPILED_LIMIT = 64;
const PAGE_BYTES = 65_536;

/** The components of one KAMI home. */
export class ComponentLibrary implements AsyncDisposable {
  readonly #artifacts: ArtifactCache;
  /** By digest, the one used longest ago first. */
  readonly #compiled = new Map<string, Promise<LoadableArtifact>>();
  readonly #closing = new AbortController();

  /**
   * @param home - Absolute path of KAMI_HOME.
   * @param onProblem - Told when the cache on disk could not be written.
   */
  constructor(home: string, onProblem: (problem: Failure) => void) {
    this.#artifacts = new ArtifactCache(home, onProblem);
  }

  /**
   * Makes a component ready to run. Callers that ask for the same one at once share the work.
   *
   * @param digest - SHA-256 of the component, lower-case hex.
   * @param component - Gives its bytes; asked only when the component has to be compiled.
   * @param signal - Aborting it ends the waiting at once. The work goes on for others, and for the next call.
   * @throws {Failure} COMPONENT_*, COMPILE_*, INSTRUCTION_UNKNOWN, what `component` throws; CANCELLED when the signal was aborted or the
   *   library disposed of
   */
  async load(digest: string, component: () => Promise<Uint8Array>, signal?: AbortSignal): Promise<LoadableArtifact> {
    const { promise, reject } = Promise.withResolvers<never>();
    const cancel = (): void => reject(refuse("CANCELLED", {}));
    const signals = signal === undefined ? [this.#closing.signal] : [this.#closing.signal, signal];
    if (signals.some(({ aborted }) => aborted)) throw refuse("CANCELLED", {});
    for (const each of signals) each.addEventListener("abort", cancel, { once: true });
    try {
      return await Promise.race([this.#share(digest, component), promise]);
    } finally {
      for (const each of signals) each.removeEventListener("abort", cancel);
    }
  }

  /** Forgets a component, in memory and on disk. @throws {Failure} ARTIFACT_UNUSABLE when its files cannot be removed */
  async remove(digest: string): Promise<void> {
    this.#compiled.delete(digest);
    await this.#artifacts.remove(digest);
  }

  /** Ends what is being loaded, and waits until nothing is being compiled any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#artifacts[Symbol.asyncDispose]();
  }

  #share(digest: string, component: () => Promise<Uint8Array>): Promise<LoadableArtifact> {
    const known = this.#compiled.get(digest);
    const loading = known ?? this.#artifacts.ensure(digest, component).then(compileArtifact);
    this.#compiled.delete(digest);
    this.#compiled.set(digest, loading);
    if (known === undefined) loading.catch(() => this.#compiled.delete(digest));
    const [oldest] = this.#compiled.keys();
    if (this.#compiled.size > COMPILED_LIMIT && oldest !== undefined) this.#compiled.delete(oldest);
    return loading;
  }
}

/**
 * Checks that a component can start within a memory limit: its memories' initial sizes, each module instantiated once.
 *
 * @param limitBytes - The limit of the call, or the one that the manifest asks for.
 * @throws {Failure} COMPONENT_INITIAL_MEMORY
 */
export function checkInitialMemory(artifact: LoadableArtifact, limitBytes: number): void {
  let pages = 0;
  for (const module of artifact.modules) {
    for (const memory of module.memories) pages += memory.initialPages;
  }
  const bytes = pages * PAGE_BYTES;
  if (bytes > limitBytes) throw refuse("COMPONENT_INITIAL_MEMORY", { bytes, limitBytes });
}
