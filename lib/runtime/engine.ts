/**
 * What compiles components and runs their calls, loaded when it is needed for the first time: a server's first list of tools must not wait for it.
 */
import type { Artifact } from "../component/artifact.ts";
import type { CompileComponent } from "../component/compile.ts";
import type { ComponentLibrary } from "../component/library.ts";
import { type Failure, refuse } from "../errors.ts";
import type { Calls } from "../executor/calls.ts";
import type { CallsOptions } from "../executor/open.ts";
import type { Described } from "../schema/foreign.ts";
import type { Prepared } from "./prepare.ts";
import type { Ended } from "./result.ts";

/** What an engine is made for. */
export interface EngineOptions extends CallsOptions {
  /** Absolute path of KAMI_HOME. */
  readonly home: string;
  /** Told when the cache on disk could not be written. */
  readonly onProblem: (problem: Failure) => void;
  /** What compiles; default: a process for each component. */
  readonly compile?: CompileComponent | undefined;
}

/** An engine that is loaded. */
export interface Engine {
  readonly components: ComponentLibrary;
  /** Runs a call to its end. */
  readonly run: (call: Prepared) => Promise<Ended>;
  /** Asks a component to describe itself. */
  readonly describe: (artifact: Artifact, memoryBytes: number) => Promise<Described | undefined>;
}

/** The engine of one runtime; starts no Worker and no process before the first call. */
export class LazyEngine implements AsyncDisposable {
  readonly #options: EngineOptions;
  #loading: Promise<Engine> | undefined;
  #calls: Calls | undefined;
  #components: ComponentLibrary | undefined;
  #isClosed = false;

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  /** Loads it, once. @throws {Failure} CANCELLED when it was disposed of before. */
  load(): Promise<Engine> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  /** Cancels what runs, and waits until nothing is being compiled any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#calls?.[Symbol.dispose]();
    await this.#components?.[Symbol.asyncDispose]();
  }

  async #load(): Promise<Engine> {
    const [library, executor, describing] = await Promise.all([
      import("../component/library.ts"),
      import("../executor/open.ts"),
      import("../executor/describe.ts"),
    ]);
    if (this.#isClosed) throw refuse("CANCELLED", {});
    const { home, onProblem, compile, ...extent } = this.#options;
    const components = new library.ComponentLibrary(home, onProblem, compile);
    const calls = executor.openCalls(extent);
    this.#calls = calls;
    this.#components = components;
    return {
      components,
      run: async ({ digest, component, check, ...call }) => {
        const artifact = await components.load(digest, component, call.signal);
        return check(await calls.call({ artifact, ...call, entry: library.checkCall(artifact, call) }));
      },
      describe: (artifact, memoryBytes) => describing.describeItself(artifact, calls, memoryBytes),
    };
  }
}
