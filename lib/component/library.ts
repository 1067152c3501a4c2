/**
 * Compiled components: from memory, from the cache on disk, or compiled anew. Bytes only: nothing here makes the engine compile them.
 */
import { type Failure, refuse } from "../errors.ts";
import { type Limits, TABLE_ELEMENT_BYTES } from "../policy/limits.ts";
import { unlessAborted } from "./abandon.ts";
import { type Artifact, artifactBytes } from "./artifact.ts";
import { ArtifactCache } from "./cache.ts";
import type { CompileComponent } from "./compile.ts";
import { chooseFunction, describeFunctions, type FunctionDescription } from "./functions.ts";

/** The most that stays in memory: the artifact used longest ago goes first. */
const KEPT = { artifacts: 64, bytes: 268_435_456 } as const;
const PAGE_BYTES = 65_536;

interface Kept {
  readonly artifact: Promise<Artifact>;
  /** Zero until it is loaded. */
  bytes: number;
}

/** The components of one KAMI home. */
export class ComponentLibrary implements AsyncDisposable {
  readonly #cache: ArtifactCache;
  /** By digest, the one used longest ago first. */
  readonly #kept = new Map<string, Kept>();
  readonly #closing = new AbortController();

  /**
   * @param home - Absolute path of KAMI_HOME.
   * @param onProblem - Told when the cache on disk could not be written.
   * @param compile - What compiles; default: a process for each component.
   */
  constructor(home: string, onProblem: (problem: Failure) => void, compile?: CompileComponent) {
    this.#cache = new ArtifactCache(home, onProblem, compile);
  }

  /**
   * Finds a component's artifact. Callers that ask for the same one at once share the work.
   *
   * @param digest - SHA-256 of the component, lower-case hex.
   * @param component - Gives its bytes; asked only when the component has to be compiled.
   * @param signal - Aborting it ends the waiting at once. The work goes on for others, and for the next call.
   * @throws {Failure} COMPONENT_*, COMPILE_*, INSTRUCTION_UNKNOWN, what `component` throws; CANCELLED when the signal was aborted or the
   *   library disposed of
   */
  async load(digest: string, component: () => Promise<Uint8Array>, signal?: AbortSignal): Promise<Artifact> {
    return await unlessAborted(() => this.#share(digest, component), [this.#closing.signal, signal]);
  }

  /**
   * Loads a component that is to be installed, and looks whether it can start.
   *
   * @param limits - Of its calls.
   * @returns Its functions, when it is a component of functions.
   * @throws {Failure} as {@link load} does, and COMPONENT_INITIAL_MEMORY
   */
  async examine(
    digest: string,
    component: () => Promise<Uint8Array>,
    limits: Pick<Limits, "memoryBytes">,
  ): Promise<readonly FunctionDescription[]> {
    const artifact = await this.load(digest, component);
    checkInitialMemory(artifact, limits.memoryBytes);
    return describeFunctions(artifact);
  }

  /** Forgets a component, in memory and on disk. @throws {Failure} ARTIFACT_UNUSABLE when its files cannot be removed */
  async remove(digest: string): Promise<void> {
    this.#kept.delete(digest);
    await this.#cache.remove(digest);
  }

  /** Ends what is being loaded, and waits until nothing is being compiled any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#cache[Symbol.asyncDispose]();
  }

  #share(digest: string, component: () => Promise<Uint8Array>): Promise<Artifact> {
    const kept = this.#kept.get(digest) ?? this.#load(digest, component);
    this.#kept.delete(digest);
    this.#kept.set(digest, kept);
    return kept.artifact;
  }

  #load(digest: string, component: () => Promise<Uint8Array>): Kept {
    const kept: Kept = { artifact: this.#cache.ensure(digest, component), bytes: 0 };
    const count = (artifact: Artifact): void => {
      kept.bytes = artifactBytes(artifact);
      this.#trim();
    };
    kept.artifact.then(count, () => this.#kept.get(digest) === kept && this.#kept.delete(digest));
    return kept;
  }

  #trim(): void {
    let bytes = 0;
    for (const kept of this.#kept.values()) bytes += kept.bytes;
    for (const [digest, kept] of this.#kept) {
      if (this.#kept.size <= 1 || (this.#kept.size <= KEPT.artifacts && bytes <= KEPT.bytes)) return;
      this.#kept.delete(digest);
      bytes -= kept.bytes;
    }
  }
}

/** What is to be called, as far as the artifact has a say in it. */
interface CheckedCall {
  /** The function that the caller named, if any. */
  readonly entry: string | undefined;
  /** JSON text. */
  readonly input: string;
  readonly limits: Pick<Limits, "memoryBytes">;
}

/**
 * Checks a call by what its component is.
 *
 * @returns The function that is called.
 * @throws {Failure} COMPONENT_INITIAL_MEMORY, FUNCTION_UNKNOWN, INPUT_INVALID
 */
export function checkCall(artifact: Artifact, { entry, input, limits }: CheckedCall): string {
  checkInitialMemory(artifact, limits.memoryBytes);
  return chooseFunction(artifact, entry, input);
}

/**
 * Checks that a component can start within a memory limit: what its memories, tables and constants hold at first, each module instantiated
 * once.
 *
 * @param limitBytes - The limit of the call, or the one that the manifest asks for.
 * @throws {Failure} COMPONENT_INITIAL_MEMORY
 */
export function checkInitialMemory({ modules }: Pick<Artifact, "modules">, limitBytes: number): void {
  let bytes = 0;
  for (const { memories, initialTableElements, initialHeapBytes } of modules) {
    bytes += initialTableElements * TABLE_ELEMENT_BYTES + initialHeapBytes;
    for (const { initialPages } of memories) bytes += initialPages * PAGE_BYTES;
  }
  if (bytes > limitBytes) throw refuse("COMPONENT_INITIAL_MEMORY", { bytes, limitBytes });
}
