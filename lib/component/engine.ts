/**
 * Has the engine read the core modules of a component, and bounds how long that takes: some modules of a few hundred kilobytes take it
 * seconds, by costs that no count of instructions tells.
 */
import { refuse } from "../errors.ts";
import { COMPONENT_LIMITS } from "./artifact.ts";

/** The engine's time for one component. */
export class EngineTime {
  readonly #limitMs: number;
  #usedMs = 0;

  /** @param limitMs - Milliseconds of wall time for all modules together. */
  constructor(limitMs: number = COMPONENT_LIMITS.engineMs) {
    this.#limitMs = limitMs;
  }

  /** Asks whether a module is valid, and how long that took, in milliseconds. @throws {Failure} as {@link spend} does */
  validate(module: Uint8Array): { readonly isValid: boolean; readonly ms: number } {
    const own = new Uint8Array(module);
    const startMs = performance.now();
    const isValid = WebAssembly.validate(own);
    const ms = performance.now() - startMs;
    this.spend(ms);
    return { isValid, ms };
  }

  /**
   * Counts time that the engine took for a module of the component.
   *
   * @throws {Failure} COMPONENT_LIMIT when this and the modules before have taken it too long.
   */
  spend(ms: number): void {
    this.#usedMs += ms;
    if (this.#usedMs <= this.#limitMs) return;
    const what = "the time in ms that the engine takes to read the core modules";
    throw refuse("COMPONENT_LIMIT", { what, value: Math.ceil(this.#usedMs), limit: this.#limitMs });
  }
}
