/**
 * The components that the host sends to an executor process: each arrives in parts, and is compiled before its first call.
 */
import { unlessAborted } from "../component/abandon.ts";
import { compileArtifact, type LoadableArtifact } from "../component/loadable.ts";
import { parseManifest, partSizes, putTogether } from "../component/manifest.ts";
import { Failure, refuse } from "../errors.ts";
import { LOSS_LIMIT } from "../protocol/messages.ts";

/** An artifact that arrives in parts. */
interface Arriving {
  readonly manifest: object;
  readonly bytes: Uint8Array[];
}

/** Components by digest. */
export class Arrivals {
  readonly #arriving = new Map<string, Arriving>();
  readonly #artifacts = new Map<string, Promise<LoadableArtifact>>();

  /** Begins with a component; its parts follow. */
  begin(digest: string, manifest: object): void {
    this.#arriving.set(digest, { manifest, bytes: [] });
  }

  /** Adds the next part. */
  add(digest: string, bytes: Uint8Array): void {
    this.#arriving.get(digest)?.bytes.push(bytes);
  }

  /** Drops a component. */
  forget(digest: string): void {
    this.#arriving.delete(digest);
    this.#artifacts.delete(digest);
  }

  /**
   * Returns a component that has arrived; makes the engine compile it when that has not been done.
   *
   * @returns Or a failure: CANCELLED as soon as the signal says so, ARTIFACT_UNUSABLE.
   */
  async take(digest: string, signal: AbortSignal): Promise<LoadableArtifact | Failure> {
    try {
      return await unlessAborted(() => this.#compile(digest), [signal]);
    } catch (error) {
      if (error instanceof Failure && error.code === "CANCELLED") return error;
      const reason = error instanceof Error ? error.message : String(error);
      return refuse("ARTIFACT_UNUSABLE", { reason: reason.slice(0, LOSS_LIMIT) }, error);
    }
  }

  #compile(digest: string): Promise<LoadableArtifact> {
    const known = this.#artifacts.get(digest);
    if (known !== undefined) return known;
    const compiling = compileArrived(digest, this.#arriving.get(digest));
    this.#arriving.delete(digest);
    this.#artifacts.set(digest, compiling);
    return compiling;
  }
}

async function compileArrived(digest: string, arrived: Arriving | undefined): Promise<LoadableArtifact> {
  const manifest = parseManifest(arrived?.manifest);
  if (arrived === undefined || manifest === undefined) throw new Error("BUG: a call comes before its component");
  const bytes = Buffer.concat(arrived.bytes);
  let at = 0;
  const parts = partSizes(manifest).map((size) => bytes.subarray(at, (at += size)));
  const compiled = putTogether(manifest, parts);
  if (compiled === undefined) throw new Error("BUG: the component came in pieces that do not fit");
  return await compileArtifact({ digest, ...compiled });
}
