/**
 * A tool host that runs in the test's own process: a registry that the test fills, and calls that the test ends. What `lib/mcp` adds to a
 * runtime can be watched through it one step at a time.
 */
import { refuse } from "../../../lib/errors.ts";
import { MANIFEST_DEFAULTS } from "../../../lib/manifest/defaults.ts";
import type { Manifest, ManifestArgument, ManifestPrompt, ManifestSecurity } from "../../../lib/manifest/manifest.ts";
import type { ToolHost } from "../../../lib/mcp/server.ts";
import type { Capability } from "../../../lib/policy/capability.ts";
import { weigh } from "../../../lib/policy/effective.ts";
import { NO_OUTPUT, NO_USAGE } from "../../../lib/protocol/limits.ts";
import type { InstalledTool } from "../../../lib/registry/registry.ts";
import type { Limits } from "../../../lib/protocol/limits.ts";
import type { CallOptions, CallResult } from "../../../lib/runtime.ts";

/** What a test says about a tool; the rest is filled in. */
export interface ToolFacts {
  readonly id: string;
  readonly name?: string;
  readonly description?: string;
  readonly arguments?: readonly ManifestArgument[];
  readonly enabled?: boolean;
  readonly asks?: InstalledTool["asks"];
  readonly packageDigest?: string;
  readonly prompts?: readonly ManifestPrompt[];
  readonly templates?: Manifest["mcp"]["templates"];
  /** Digests of files, each a resource, by their URIs. */
  readonly resources?: Readonly<Record<string, string>>;
  readonly described?: InstalledTool["described"];
  readonly security?: Partial<ManifestSecurity>;
  readonly installedAt?: number;
}

/** One call that has arrived. */
export interface Arrival {
  readonly id: string;
  readonly input: string;
  readonly signal: AbortSignal;
  readonly onProgress: CallOptions["onProgress"];
  readonly grants: CallOptions["grants"];
  readonly answers: CallOptions["answers"];
}

/** Answers a call. */
export type Behaviour = (arrival: Arrival) => Promise<CallResult>;

/** Makes an installed tool. */
export function makeTool(facts: ToolFacts): InstalledTool {
  const name = facts.name ?? facts.id.slice(facts.id.lastIndexOf(".") + 1);
  const description = facts.description ?? "Does a thing";
  const resources = Object.entries(facts.resources ?? {});
  return {
    id: facts.id,
    name,
    version: "1.0.0",
    description,
    functions: [],
    described: facts.described,
    manifest: {
      tool: { id: facts.id, name, version: "1.0.0", wasm: "tool.wasm" },
      mcp: {
        description,
        arguments: facts.arguments ?? [],
        ...(facts.prompts && { prompts: facts.prompts }),
        ...(facts.templates && { templates: facts.templates }),
        resources: resources.map(([uri]) => ({ uri, name: "n", mimeType: "text/plain", file: uri })),
      },
      security: { ...MANIFEST_DEFAULTS.security, ...facts.security },
    },
    packageDigest: facts.packageDigest ?? "0".repeat(64),
    componentDigest: "1".repeat(64),
    componentPath: "/nowhere/tool.wasm",
    componentBytes: 8,
    fileDigests: new Map(resources),
    enabled: facts.enabled ?? true,
    asks: facts.asks ?? "missing",
    installedAt: facts.installedAt ?? 0,
  };
}

/** Ends a call well. */
export function succeed(output: string): CallResult {
  return { ok: true, output, usage: NO_USAGE, captured: NO_OUTPUT };
}

/** Ends a call when its signal aborts, as the runtime does. */
export function untilCancelled({ signal }: Arrival): Promise<CallResult> {
  const cancelled: CallResult = { ok: false, failure: refuse("CANCELLED", {}), usage: NO_USAGE, captured: NO_OUTPUT };
  if (signal.aborted) return Promise.resolve(cancelled);
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(cancelled), { once: true }));
}

/** Echoes the input. */
function echo({ input }: Arrival): Promise<CallResult> {
  return Promise.resolve(succeed(input));
}

/** What every call of a {@link TestHost} may use. */
export const LIMITS: Limits = Object.freeze({ fuel: 1_000_000, memoryBytes: 64 * 1_048_576, timeoutMs: 5000 });

/** A host whose tools and behaviours the test sets. */
export class TestHost implements ToolHost {
  readonly arrivals: Arrival[] = [];
  /** What every tool was granted. */
  granted: readonly Capability[] = [];
  /** How often the revision was read. */
  looks = 0;
  readonly registry: ToolHost["registry"] = {
    list: () => this.#tools,
    grants: { weigh: ({ manifest }) => weigh(manifest.security, this.granted) },
    revision: () => {
      this.looks += 1;
      return this.#revision;
    },
  };
  readonly #behaviours = new Map<string, Behaviour>();
  #tools: readonly InstalledTool[] = [];
  #revision = 0;

  /** Installs a tool, or replaces it. */
  install(facts: ToolFacts, behaviour: Behaviour = echo): this {
    const others = this.#tools.filter((tool) => tool.id !== facts.id);
    this.#tools = [...others, makeTool(facts)].toSorted((a, b) => (a.id < b.id ? -1 : 1));
    this.#behaviours.set(facts.id, behaviour);
    this.#revision += 1;
    return this;
  }

  /** Removes a tool. */
  uninstall(id: string): void {
    this.#tools = this.#tools.filter((tool) => tool.id !== id);
    this.#revision += 1;
  }

  readonly limitsOf: ToolHost["limitsOf"] = () => LIMITS;

  readonly call: ToolHost["call"] = (id, input, options) => {
    const signal = options?.signal ?? new AbortController().signal;
    const { onProgress, grants, answers } = options ?? {};
    const arrival = { id, input, signal, onProgress, grants, answers };
    this.arrivals.push(arrival);
    const behaviour = this.#behaviours.get(id);
    if (behaviour === undefined) return Promise.reject(new Error(`BUG: no behaviour for ${id}`));
    return behaviour(arrival);
  };
}
