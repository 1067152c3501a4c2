/**
 * The cache of compiled components under KAMI_HOME. It may be deleted at any time: what is missing, damaged or from another version
 * of KAMI is compiled again, and a disk that cannot be written costs time, not calls.
 */
import { join } from "node:path";
import { clean, Failure, refuse } from "../errors.ts";
import { type Artifact, digestOf } from "./artifact.ts";
import { compileComponent } from "./compile.ts";
import { readArtifact, removeArtifacts, type StorePaths, writeArtifact } from "./store.ts";

/** Compiles each component once, across calls, processes and restarts. */
export class ArtifactCache {
  readonly #paths: StorePaths;
  readonly #onProblem: (problem: Failure) => void;
  /** Compilations under way, by digest. */
  readonly #pending = new Map<string, Promise<Artifact>>();

  /**
   * @param home - Absolute path of KAMI_HOME. Its `artifacts` and `tmp` directories are made when they are needed.
   * @param onProblem - Told when an artifact could not be written: an ARTIFACT_UNUSABLE.
   */
  constructor(home: string, onProblem: (problem: Failure) => void = () => undefined) {
    this.#paths = { artifacts: join(home, "artifacts"), unfinished: join(home, "tmp") };
    this.#onProblem = onProblem;
  }

  /**
   * Reads an artifact from the disk.
   *
   * @param digest - SHA-256 of the component, lower-case hex.
   * @returns Undefined when there is none that is whole.
   */
  async load(digest: string): Promise<Artifact | undefined> {
    requireDigest(digest);
    return await readArtifact(this.#paths, digest);
  }

  /**
   * Writes an artifact to the disk.
   *
   * @throws {Failure} ARTIFACT_UNUSABLE when it cannot be written.
   */
  async store(artifact: Artifact): Promise<void> {
    requireDigest(artifact.digest);
    await writeArtifact(this.#paths, artifact).catch((error: unknown) => {
      throw refuse("ARTIFACT_UNUSABLE", { reason: describeError(error) }, error);
    });
  }

  /**
   * Finds a component's artifact: on the disk, else in a compilation under way, else by compiling it and storing the outcome.
   *
   * @param digest - SHA-256 of the component, lower-case hex.
   * @param component - Gives the component's bytes, checked against the digest; called only when they must be compiled.
   * @throws {Failure} What {@link compileComponent} throws.
   */
  ensure(digest: string, component: () => Promise<Uint8Array>): Promise<Artifact> {
    requireDigest(digest);
    const pending = this.#pending.get(digest);
    if (pending !== undefined) return pending;
    const started = this.#ensureOnce(digest, component).finally(() => this.#pending.delete(digest));
    this.#pending.set(digest, started);
    return started;
  }

  /** Removes a component's artifacts. @throws {Failure} ARTIFACT_UNUSABLE when they cannot be removed. */
  async remove(digest: string): Promise<void> {
    requireDigest(digest);
    await removeArtifacts(this.#paths, digest).catch((error: unknown) => {
      throw refuse("ARTIFACT_UNUSABLE", { reason: describeError(error) }, error);
    });
  }

  async #ensureOnce(digest: string, component: () => Promise<Uint8Array>): Promise<Artifact> {
    const stored = await this.load(digest);
    if (stored !== undefined) return stored;
    const bytes = await component();
    const found = digestOf(bytes);
    if (found !== digest) throw new Error(`BUG: the component's digest is ${found}, not ${digest}`);
    const artifact = await compileComponent(bytes);
    await this.store(artifact).catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error;
      this.#onProblem(error);
    });
    return artifact;
  }
}

function requireDigest(digest: string): void {
  if (!/^[0-9a-f]{64}$/.test(digest)) throw new TypeError("a digest is 64 lower-case hexadecimal digits");
}

function describeError(error: unknown): string {
  return clean(error instanceof Error ? error.message : String(error));
}
