/**
 * Meters core modules and has the engine validate them, each once: what comes of it depends on a module's bytes alone. A script tool is an engine of
 * JavaScript that is the same from save to save, and a little data that is not.
 */
import { digestOf } from "../digest.ts";
import { type MeteredModule, meterModule } from "../wasm/meter.ts";
import type { EngineTime } from "./engine.ts";

/** Bytes of metered modules that are remembered; the one read longest ago goes first. */
const KEPT_BYTES = 33_554_432;

/** A module that is valid, and was metered. */
interface Known {
  readonly metered: MeteredModule;
  /** Milliseconds that the engine took to read it as it was. */
  readonly plainMs: number;
  /** And metered; undefined until it was asked. */
  meteredMs: number | undefined;
}

/** Reads core modules, and remembers them. Untrusted input: a digest is all that tells whether two are the same. */
export class ModuleReader {
  /** By digest, the one read longest ago first. */
  readonly #known = new Map<string, Known>();
  #keptBytes = 0;

  /**
   * Looks whether a module can be metered, and whether the engine finds it valid. The engine trusts counts: it asks for 2 GiB when a branch table of
   * a few bytes claims 2^28 labels. The meter does not, and looks first.
   *
   * @param name - What messages call it.
   * @throws {Failure} what {@link meterModule} throws; COMPONENT_LIMIT when the modules together take the engine too long, whenever it read them.
   */
  isValid(bytes: Uint8Array, name: string, engine: EngineTime): boolean {
    const digest = digestOf(bytes);
    const known = this.#find(digest);
    if (known !== undefined) {
      engine.spend(known.plainMs);
      return true;
    }
    const metered = meterModule(bytes, name);
    const { isValid, ms } = engine.validate(bytes);
    if (isValid) this.#keep(digest, { metered, plainMs: ms, meteredMs: undefined });
    return isValid;
  }

  /**
   * Meters a module that is valid.
   *
   * @throws {Failure} COMPONENT_LIMIT as {@link isValid} does, for modules as they are when they are metered
   */
  meter(bytes: Uint8Array, name: string, engine: EngineTime): MeteredModule {
    const known = this.#find(digestOf(bytes));
    const metered = known?.metered ?? meterModule(bytes, name);
    if (known?.meteredMs !== undefined) engine.spend(known.meteredMs);
    else {
      const { isValid, ms } = engine.validate(metered.bytes);
      if (!isValid) throw new Error(`BUG: ${name} is invalid once metered`);
      if (known !== undefined) known.meteredMs = ms;
    }
    return metered;
  }

  #find(digest: string): Known | undefined {
    const known = this.#known.get(digest);
    if (known === undefined) return undefined;
    this.#known.delete(digest);
    this.#known.set(digest, known);
    return known;
  }

  #keep(digest: string, known: Known): void {
    this.#known.set(digest, known);
    this.#keptBytes += known.metered.bytes.length;
    for (const [oldest, { metered }] of this.#known) {
      if (this.#keptBytes <= KEPT_BYTES) return;
      this.#known.delete(oldest);
      this.#keptBytes -= metered.bytes.length;
    }
  }
}
