/**
 * Tool and input in, result out: the one entry point for the command line, MCP and the benchmarks.
 *
 * Installs packages, keeps their compiled components, and runs calls under their effective limits. What a guest does never throws: a
 * call returns a result, failed or not, with its usage.
 */
import { checkInitialMemory, ComponentLibrary } from "./component/library.ts";
import { Failure, refuse } from "./errors.ts";
import { Executor } from "./executor/executor.ts";
import type { Settled } from "./executor/settled.ts";
import { MANIFEST_DEFAULTS } from "./manifest/defaults.ts";
import { type LimitRequest, limitCall } from "./policy/limits.ts";
import { type Limits, NO_OUTPUT, NO_USAGE } from "./protocol/limits.ts";
import { readComponent, readPackage, sha256 } from "./registry/package.ts";
import { type InstalledTool, Registry, verifyPackage } from "./registry/registry.ts";
import { checkArguments } from "./schema/arguments.ts";
import { parseJson } from "./schema/json.ts";

/** Where a runtime keeps its state, and how much it takes on. */
export interface RuntimeOptions {
  /** Absolute path of KAMI_HOME. Created when missing. */
  readonly home: string;
  /** Absolute path of the registry database; default `registry.db` in the home. */
  readonly database?: string | undefined;
  /** Calls that run at once, 1 to 256; default: as many as the machine has cores. */
  readonly concurrency?: number | undefined;
  /** Calls that may wait; default 256. */
  readonly queueLimit?: number | undefined;
  /** From the user's configuration: no manifest gets more. */
  readonly ceilings?: Partial<Limits> | undefined;
  /** Takes KAMI's own diagnostics, one clean line each; default: dropped. */
  readonly log?: ((line: string) => void) | undefined;
}

/** How one call is run. */
export interface CallOptions {
  /** The user's own limits for this call: each replaces the tool's. */
  readonly limits?: Partial<Limits> | undefined;
  /** Aborting it interrupts the guest: the call then fails with `CANCELLED`. */
  readonly signal?: AbortSignal | undefined;
  /** Whose turn in the queue the call takes; default: the tool's own. */
  readonly client?: string | undefined;
}

/** A call's result: ok with its output, or failed; with its usage and what the guest wrote either way. */
export type CallResult = Settled;

/** What an install did. */
export interface InstallReport {
  readonly tool: InstalledTool;
  /** The version that was there before, if there was one. */
  readonly replaced: string | undefined;
}

/** Most bytes of UTF-8 of a call's input. */
export const INPUT_LIMIT_BYTES: number = 4 * 1_048_576;

const DEFAULT_QUEUE_LIMIT = 256;

interface Prepared {
  readonly digest: string;
  readonly input: string;
  readonly limits: Limits;
  readonly client: string;
  readonly component: () => Promise<Uint8Array>;
}

/** A KAMI home that is open, with Workers to run its tools. */
export class Runtime implements AsyncDisposable {
  readonly registry: Registry;
  readonly #options: RuntimeOptions;
  readonly #components: ComponentLibrary;
  readonly #executor: Executor;

  /**
   * Opens the registry; starts no Worker yet.
   *
   * @throws {Failure} REGISTRY_NEWER, REGISTRY_UNUSABLE, REGISTRY_BUSY
   */
  constructor(options: RuntimeOptions) {
    this.#options = options;
    this.registry = Registry.open(options.home, options.database);
    this.#components = new ComponentLibrary(options.home, (problem) => options.log?.(problem.message));
    this.#executor = new Executor({
      concurrency: options.concurrency ?? navigator.hardwareConcurrency,
      queueLimit: options.queueLimit ?? DEFAULT_QUEUE_LIMIT,
    });
  }

  /**
   * Installs a package: reads it, compiles its component, then records both at once.
   *
   * @param path - A directory with a `tool.toml`, or the `tool.toml`.
   * @throws {Failure} FILE_*, MANIFEST_*, PACKAGE_*, COMPONENT_*, COMPILE_*, INSTRUCTION_UNKNOWN, REGISTRY_BUSY
   */
  async install(path: string): Promise<InstallReport> {
    const source = await readPackage(path);
    try {
      const artifact = await this.#components.load(source.componentDigest, () => Promise.resolve(source.component));
      checkInitialMemory(artifact, limitCall(source.manifest.security).memoryBytes);
      return this.registry.install(source);
    } catch (error) {
      await this.#forget(source.componentDigest);
      throw error;
    }
  }

  /** Removes a tool, and its compiled component when no other tool has it. @throws {Failure} TOOL_UNKNOWN, REGISTRY_BUSY */
  async uninstall(id: string): Promise<InstalledTool> {
    const tool = this.registry.uninstall(id);
    await this.#forget(tool.componentDigest);
    return tool;
  }

  /** Computes the limits of a tool's calls: what its manifest asks for, at most the configuration's ceilings. */
  limitsOf(tool: InstalledTool): Limits {
    return this.#limits(tool.manifest.security, {});
  }

  /**
   * Calls an installed tool.
   *
   * @param id - The tool's id.
   * @param input - JSON text, at most {@link INPUT_LIMIT_BYTES}.
   * @returns Never throws for an outcome of the domain: an unknown tool or a bad input is a failed result too.
   */
  call(id: string, input: string, options: CallOptions = {}): Promise<CallResult> {
    return this.#settle(id, options, () => this.#prepareTool(id, input, options));
  }

  /**
   * Runs a component that is not installed, under the default limits.
   *
   * @param path - The component's file.
   * @param input - JSON text, at most {@link INPUT_LIMIT_BYTES}.
   */
  runFile(path: string, input: string, options: CallOptions = {}): Promise<CallResult> {
    return this.#settle("", options, () => this.#prepareFile(path, input, options));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#executor[Symbol.dispose]();
    this.registry[Symbol.dispose]();
    return Promise.resolve();
  }

  async #settle(toolId: string, options: CallOptions, prepare: () => Promise<Prepared>): Promise<CallResult> {
    const startedAt = Date.now();
    const result = await this.#attempt(options, prepare);
    this.registry.recordCall({
      toolId,
      startedAt,
      outcome: result.ok ? "OK" : result.failure.code,
      usage: result.usage,
    });
    return result;
  }

  async #attempt(options: CallOptions, prepare: () => Promise<Prepared>): Promise<CallResult> {
    try {
      const { digest, input, limits, client, component } = await prepare();
      const artifact = await this.#components.load(digest, component);
      checkInitialMemory(artifact, limits.memoryBytes);
      return await this.#executor.call({ artifact, input, limits, client, signal: options.signal });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return { ok: false, failure: error, usage: NO_USAGE, captured: NO_OUTPUT };
    }
  }

  async #prepareTool(id: string, input: string, options: CallOptions): Promise<Prepared> {
    const tool = this.registry.require(id);
    if (!tool.enabled) throw refuse("TOOL_DISABLED", { id });
    const declared = tool.manifest.mcp.arguments;
    const value = parseInput(input);
    return {
      digest: tool.componentDigest,
      input: declared.length === 0 ? input : JSON.stringify(checkArguments(declared, value)),
      limits: this.#limits(tool.manifest.security, options),
      client: options.client ?? id,
      component: () => Promise.resolve(verifyPackage(tool)),
    };
  }

  async #prepareFile(path: string, input: string, options: CallOptions): Promise<Prepared> {
    parseInput(input);
    const component = await readComponent(path);
    const digest = sha256(component);
    return {
      digest,
      input,
      limits: this.#limits(MANIFEST_DEFAULTS.security, options),
      client: options.client ?? digest,
      component: () => Promise.resolve(component),
    };
  }

  /** Removes a compiled component that no tool has. It is a cache: another process that has just installed it compiles it again. */
  async #forget(digest: string): Promise<void> {
    const isUsed = this.registry.list().some((tool) => tool.componentDigest === digest);
    if (!isUsed) await this.#components.remove(digest);
  }

  #limits(request: LimitRequest, options: CallOptions): Limits {
    return limitCall(request, { ceilings: this.#options.ceilings, explicit: options.limits });
  }
}

function parseInput(input: string): unknown {
  const bytes = Buffer.byteLength(input);
  if (bytes > INPUT_LIMIT_BYTES) throw refuse("INPUT_TOO_LARGE", { bytes, limitBytes: INPUT_LIMIT_BYTES });
  return parseJson(input, "the call");
}
