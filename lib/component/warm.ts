/**
 * Compiles one component after the other in a child that stands ready: for an author, whose component comes again at every save. What it accepts and
 * refuses is what a throw-away child does: both run the same code, and what this one breaks on the other one judges.
 */
import type { Artifact } from "./artifact.ts";
import {
  COMPILER,
  type CompileComponent,
  compileComponent,
  type CompileOrder,
  orderFor,
  readAnswer,
} from "./compile.ts";
import { StandingChild } from "./standing.ts";
import { Turns } from "./turns.ts";

/** Resident bytes with which a child is asked no more: the next one begins anew. */
const SPENT_BYTES = 536_870_912;

/** A compiler that stands ready. */
export class WarmCompiler implements Disposable {
  readonly #turns = new Turns(1);
  #child: StandingChild | undefined;
  #isClosed = false;

  /** Starts its child: it is ready a quarter of a second later. */
  constructor() {
    this.#prepare();
  }

  /** Compiles a component, as {@link compileComponent} does. */
  readonly compile: CompileComponent = async (component, options = {}) => {
    const order = orderFor(component, options);
    return this.#turns.run(async () => (await this.#ask(order)) ?? compileComponent(order.bounds.input, options));
  };

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#child?.[Symbol.dispose]();
  }

  /** @returns Undefined when there is no child, or when it broke. @throws {Failure} as {@link compileComponent} does */
  async #ask(order: CompileOrder): Promise<Artifact | undefined> {
    const child = this.#child;
    if (child === undefined || child.isOver) {
      this.#prepare();
      return undefined;
    }
    const result = await child.ask(order.bounds);
    const isBroken = result.exitCode !== 0 && result.ending !== "abort" && result.ending !== "timeout";
    try {
      return isBroken ? undefined : readAnswer(order, result);
    } catch (error) {
      // What was refused may have left something behind.
      child[Symbol.dispose]();
      throw error;
    } finally {
      if (child.isOver || (await child.residentBytes()) > SPENT_BYTES) this.#prepare();
    }
  }

  #prepare(): void {
    this.#child?.[Symbol.dispose]();
    this.#child = undefined;
    if (this.#isClosed) return;
    try {
      this.#child = new StandingChild(COMPILER);
    } catch {
      // The system starts no process: the throw-away child's failure says why.
    }
  }
}
