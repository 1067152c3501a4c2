/**
 * Tool and input in, result out: the one entry point for the command line, MCP and the benchmarks.
 *
 * Installs packages, keeps their compiled components, and runs calls under their effective limits. What a guest does never throws: a
 * call returns a result, failed or not, with its usage.
 */
import { settleWithin } from "./component/abandon.ts";
import { clean, Failure } from "./errors.ts";
import type { CallsOptions } from "./executor/open.ts";
import { failedBy } from "./executor/settled.ts";
import { cutLimits, DEFAULT_CEILINGS } from "./policy/limits.ts";
import type { Decide } from "./registry/grants.ts";
import type { Limits } from "./protocol/limits.ts";
import { readPackage, VerifiedPackages, verifyPackage } from "./registry/package.ts";
import { type InstalledTool, Registry } from "./registry/registry.ts";
import { refuseUncallable } from "./registry/resources.ts";
import { LazyEngine } from "./runtime/engine.ts";
import {
  type CallOptions,
  limitsFor,
  type Prepared,
  prepareFile,
  prepareTool,
  type Preparing,
} from "./runtime/prepare.ts";
import type { Ended } from "./runtime/result.ts";

/** Where a runtime keeps its state, and how much it takes on. */
export interface RuntimeOptions {
  /** Absolute path of KAMI_HOME. Created when missing. */
  readonly home: string;
  /** Absolute path of the registry database; default `registry.db` in the home. */
  readonly database?: string | undefined;
  /** Calls that run at once, 1 to 256; default: twice as many as the machine has cores. */
  readonly concurrency?: number | undefined;
  /** Where guests run: in an executor `process`, nothing that a component was made into is compiled or evaluated here. */
  readonly isolation?: CallsOptions["isolation"];
  /** Calls that may wait; default 256. */
  readonly queueLimit?: number | undefined;
  /** From the user's configuration: no manifest gets more. Each replaces its default, {@link DEFAULT_CEILINGS}. */
  readonly ceilings?: Partial<Limits> | undefined;
  /** The host's variables: a call gets those that its tool asks for and was granted. Default: none. */
  readonly environment?: ReadonlyMap<string, string> | undefined;
  /** Takes KAMI's own diagnostics, one clean line each; default: dropped. */
  readonly log?: ((line: string) => void) | undefined;
}

export type { CallOptions };

/** A call's result: ok with its output, or failed; with its usage and what the guest wrote either way. */
export type CallResult = Ended;

/** What an install did. */
export interface InstallReport {
  readonly tool: InstalledTool;
  /** The version that was there before, if there was one. */
  readonly replaced: string | undefined;
  /** The limits that are lower than the manifest asks, as they are in force; absent when it gets all it asks for. */
  readonly cut?: Partial<Limits>;
}

const DEFAULT_QUEUE_LIMIT = 256;
/** A client whose calls all run to their deadline keeps one busy, and the others share the rest. */
const CALLS_PER_CORE = 2;
/** Milliseconds that the calls in flight get to end when the runtime is disposed of: no Worker may hold up the end. */
const CLOSING_MS = 1000;

/** A KAMI home that is open, with Workers to run its tools. */
export class Runtime implements AsyncDisposable {
  readonly registry: Registry;
  readonly #options: RuntimeOptions;
  readonly #engine: LazyEngine;
  readonly #ceilings: Limits;
  readonly #environment: ReadonlyMap<string, string>;
  readonly #verified = new VerifiedPackages();
  /** Calls and installs that have not ended. */
  readonly #underWay = new Set<Promise<unknown>>();

  /** Opens the registry; starts no Worker and no process yet. @throws {Failure} REGISTRY_NEWER, REGISTRY_UNUSABLE, REGISTRY_BUSY */
  constructor(options: RuntimeOptions) {
    this.#options = options;
    this.#environment = options.environment ?? new Map();
    this.#ceilings = { ...DEFAULT_CEILINGS, ...options.ceilings };
    const { home, isolation, concurrency = navigator.hardwareConcurrency * CALLS_PER_CORE } = options;
    this.registry = Registry.open(home, options.database);
    const { queueLimit = DEFAULT_QUEUE_LIMIT } = options;
    this.#engine = new LazyEngine({
      home,
      isolation,
      concurrency,
      queueLimit,
      onProblem: (problem) => this.#log(problem),
    });
  }

  /**
   * Installs a package: reads it, compiles its component, then records both at once.
   *
   * @param path - A directory with a `tool.toml`, or the `tool.toml`.
   * @param decide - What is granted with it; default: nothing. An update keeps what was granted.
   * @throws {Failure} FILE_NOT_FOUND, FILE_UNREADABLE, MANIFEST_*, PACKAGE_PATH, COMPONENT_*, COMPILE_*, INSTRUCTION_UNKNOWN,
   *   REGISTRY_BUSY, REGISTRY_UNWRITABLE; CANCELLED when the runtime is disposed of meanwhile
   */
  install(path: string, decide: Decide = async () => []): Promise<InstallReport> {
    return this.#track(this.#install(path, decide));
  }

  /**
   * Removes a tool, and its compiled component when no other tool has it. What cannot be removed of the latter is logged: the tool is gone.
   *
   * @throws {Failure} TOOL_UNKNOWN, REGISTRY_BUSY, REGISTRY_UNWRITABLE, REGISTRY_UNUSABLE
   */
  async uninstall(id: string): Promise<InstalledTool> {
    const tool = this.registry.uninstall(id);
    await this.#forget(tool.componentDigest);
    return tool;
  }

  /** Computes the limits of a tool's calls: what its manifest asks for, at most the configuration's ceilings. */
  limitsOf(tool: InstalledTool): Limits {
    return limitsFor(tool.manifest.security, this.#ceilings);
  }

  /**
   * Names the interfaces that a tool's component imports: all that it can ask for, whatever its manifest says.
   *
   * @returns Sorted, without versions: `wasi:http/types`.
   * @throws {Failure} PACKAGE_CHANGED, COMPONENT_*, COMPILE_*, INSTRUCTION_UNKNOWN; CANCELLED when the runtime is disposed of meanwhile
   */
  async importsOf(tool: InstalledTool): Promise<readonly string[]> {
    const { components } = await this.#engine.load();
    const { imports } = await components.load(tool.componentDigest, async () => verifyPackage(tool));
    return imports;
  }

  /**
   * Calls an installed tool.
   *
   * @param id - The tool's id.
   * @param input - JSON text, at most 4 MiB of UTF-8.
   * @returns Never throws for an outcome of the domain: an unknown tool or a bad input is a failed result too.
   */
  call(id: string, input: string, options: CallOptions = {}): Promise<CallResult> {
    return this.#track(this.#settle(id, () => this.#callTool(id, input, options)));
  }

  /**
   * Runs a component that is not installed, under the default limits; it may touch what the options grant.
   *
   * @param path - The component's file.
   * @param input - JSON text, at most 4 MiB of UTF-8.
   */
  runFile(path: string, input: string, options: CallOptions = {}): Promise<CallResult> {
    const by = { options, ceilings: this.#ceilings, environment: this.#environment };
    return this.#track(this.#settle("", async () => this.#run(await prepareFile(path, input, by))));
  }

  /** Cancels what is under way, waits until it has ended and is recorded, and closes the registry. */
  async [Symbol.asyncDispose](): Promise<void> {
    const engineEnded = this.#engine[Symbol.asyncDispose]();
    const ended = Promise.allSettled([...this.#underWay, engineEnded]);
    await settleWithin(CLOSING_MS, ended);
    this.registry[Symbol.dispose]();
  }

  async #install(path: string, decide: Decide): Promise<InstallReport> {
    const source = await readPackage(path);
    const { security } = source.manifest;
    try {
      const limits = limitsFor(security, this.#ceilings);
      const component = async (): Promise<Uint8Array> => source.component;
      const { components, describe } = await this.#engine.load();
      const functions = await components.examine(source.componentDigest, component, limits);
      refuseUncallable(source.manifest, functions);
      const artifact = await components.load(source.componentDigest, component);
      const described = await describe(artifact, limits.memoryBytes);
      const cut = cutLimits(security, this.#ceilings);
      const granted = await decide(source, this.registry.find(source.manifest.tool.id));
      const installation = this.registry.install(source, granted, { functions, described });
      return cut === undefined ? installation : { ...installation, cut };
    } catch (error) {
      await this.#forget(source.componentDigest);
      throw error;
    }
  }

  async #settle(toolId: string, attempt: () => Promise<CallResult>): Promise<CallResult> {
    const startedAt = Date.now();
    const result = await attempt().catch(failedBy);
    try {
      const outcome = result.ok ? "OK" : result.failure.code;
      const { usage, denials } = result;
      this.registry.recordCall({ toolId, startedAt, outcome, usage, denials });
    } catch (error) {
      // The result matters, its record does not.
      this.#log(error);
    }
    return result;
  }

  async #callTool(id: string, input: string, options: CallOptions): Promise<CallResult> {
    const tool = this.registry.require(id);
    try {
      return await this.#run(prepareTool(tool, input, { ...this.#preparing, options }));
    } catch (error) {
      // Another process may have replaced the tool since it was looked up. The guest has not run yet.
      const isChanged = error instanceof Failure && error.code === "PACKAGE_CHANGED";
      if (!isChanged || isSame(tool, this.registry.require(id))) throw error;
      return this.#callTool(id, input, options);
    }
  }

  async #run(call: Prepared): Promise<CallResult> {
    const { run } = await this.#engine.load();
    return await run(call);
  }

  get #preparing(): Preparing {
    const { registry } = this;
    return { registry, ceilings: this.#ceilings, environment: this.#environment, verified: this.#verified };
  }

  /** Removes a compiled component that no tool has. It is a cache: another process that has just installed it compiles it again. */
  async #forget(digest: string): Promise<void> {
    try {
      const isUsed = this.registry.list().some((tool) => tool.componentDigest === digest);
      if (isUsed) return;
      const { components } = await this.#engine.load();
      await components.remove(digest);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#log(error);
    }
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    const end = (): boolean => this.#underWay.delete(work);
    work.then(end, end);
    return work;
  }

  #log(problem: unknown): void {
    this.#options.log?.(clean(problem instanceof Error ? problem.message : String(problem)));
  }
}

/** Whether a tool has not been installed again since it was looked up. */
function isSame(before: InstalledTool, now: InstalledTool): boolean {
  return before.packageDigest === now.packageDigest && before.installedAt === now.installedAt;
}
