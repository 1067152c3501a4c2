/**
 * The cache of compiled components under KAMI_HOME. It may be deleted at any time: what is missing, damaged or from another version
 * of KAMI is compiled again, and a disk that cannot be written costs time, not calls.
 */
import { join } from "node:path";
import { digestOf } from "../digest.ts";
import { clean, Failure, refuse } from "../errors.ts";
import type { Artifact } from "./artifact.ts";
import { type CompileComponent, compileComponent } from "./compile.ts";
import { readArtifact, removeArtifacts, type StorePaths, writeArtifact } from "./store.ts";
import { sweepUnfinished, trimArtifacts } from "./sweep.ts";
import { Turns } from "./turns.ts";

/** Compilers that one process runs at once: each may take a core, and up to 1 GiB of memory. */
export const COMPILERS_AT_ONCE = 2;

/** Compiles each component once, across calls, processes and restarts. */
export class ArtifactCache implements AsyncDisposable {
  readonly #paths: StorePaths;
  readonly #onProblem: (problem: Failure) => void;
  readonly #compileAnew: CompileComponent;
  /** Compilations under way, by digest. */
  readonly #pending = new Map<string, Promise<Artifact>>();
  readonly #turns = new Turns(COMPILERS_AT_ONCE);
  readonly #closing = new AbortController();

  /**
   * @param home - Absolute path of KAMI_HOME. Its `artifacts` and `tmp` directories are made when they are needed.
   * @param onProblem - Told when an artifact could not be written, or the cache not kept within its bounds: an ARTIFACT_UNUSABLE.
   * @param compile - What compiles.
   */
  constructor(
    home: string,
    onProblem: (problem: Failure) => void = () => undefined,
    compile: CompileComponent = compileComponent,
  ) {
    this.#compileAnew = compile;
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
   * Writes an artifact to the disk, and keeps the cache within its bounds.
   *
   * @throws {Failure} ARTIFACT_UNUSABLE when it cannot be written.
   */
  async store(artifact: Artifact): Promise<void> {
    requireDigest(artifact.digest);
    // Before the writing: what a killed process left may be what fills the disk.
    await this.#attempt(() => sweepUnfinished(this.#paths));
    await writeArtifact(this.#paths, artifact).catch((error: unknown) => {
      throw unusable(error);
    });
    await this.#attempt(() => trimArtifacts(this.#paths, artifact.digest));
  }

  /**
   * Finds a component's artifact: on the disk, else in a compilation under way, else by compiling it and storing the outcome. No more than
   * {@link COMPILERS_AT_ONCE} compile at once; the others wait their turn.
   *
   * @param digest - SHA-256 of the component, lower-case hex.
   * @param component - Gives the component's bytes, checked against the digest; called only when they must be compiled.
   * @throws {Failure} What {@link compileComponent} throws, and CANCELLED once the cache is disposed of.
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
      throw unusable(error);
    });
  }

  /** Ends the compilers that are running, and waits for what is under way: it fails with CANCELLED, and so does all that is asked for later. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#pending.values());
  }

  async #ensureOnce(digest: string, component: () => Promise<Uint8Array>): Promise<Artifact> {
    const stored = await this.load(digest);
    if (stored !== undefined) return stored;
    return await this.#turns.run(() => this.#compile(digest, component));
  }

  async #compile(digest: string, component: () => Promise<Uint8Array>): Promise<Artifact> {
    const { signal } = this.#closing;
    if (signal.aborted) throw refuse("CANCELLED", {});
    const bytes = await component();
    const found = digestOf(bytes);
    if (found !== digest) throw new Error(`BUG: the component's digest is ${found}, not ${digest}`);
    const artifact = await this.#compileAnew(bytes, { signal });
    await this.store(artifact).catch((error: unknown) => this.#report(error));
    return artifact;
  }

  /** Does what may fail without harm to what is being done. */
  async #attempt(work: () => Promise<void>): Promise<void> {
    await work().catch((error: unknown) => this.#report(unusable(error)));
  }

  #report(error: unknown): void {
    if (!(error instanceof Failure)) throw error;
    this.#onProblem(error);
  }
}

function requireDigest(digest: string): void {
  if (!/^[0-9a-f]{64}$/.test(digest)) throw new TypeError("a digest is 64 lower-case hexadecimal digits");
}

function unusable(error: unknown): Failure {
  return refuse("ARTIFACT_UNUSABLE", { reason: clean(error instanceof Error ? error.message : String(error)) }, error);
}
