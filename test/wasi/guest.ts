/**
 * Test support: the conformance guest, compiled once, and runs of its cases in an executor of this process.
 */
import { guestPath } from "../../fixtures/paths.ts";
import { compileComponent } from "../../lib/component/compile.ts";
import { compileArtifact } from "../../lib/component/loadable.ts";
import { Executor } from "../../lib/executor/executor.ts";
import type { Settled } from "../../lib/executor/settled.ts";
import { parseNetworkEntry, type NetworkRule } from "../../lib/network-rule.ts";
import { DENY_ALL, type Policy } from "../../lib/policy/policy.ts";

const COMPONENT = guestPath("wasi-conformance");
const LIMITS = { fuel: 2_000_000_000, memoryBytes: 67_108_864, timeoutMs: 10_000 };

/** The guest, ready to run cases. */
export class ConformanceGuest implements Disposable {
  readonly #executor = new Executor({ concurrency: 2, queueLimit: 2000 });
  readonly #artifact: Awaited<ReturnType<typeof compileArtifact>>;

  private constructor(artifact: Awaited<ReturnType<typeof compileArtifact>>) {
    this.#artifact = artifact;
  }

  static async start(): Promise<ConformanceGuest> {
    const component = await Bun.file(COMPONENT).bytes();
    return new ConformanceGuest(await compileArtifact(await compileComponent(component)));
  }

  /** Runs a case. @param args - What the guest gets beside the name. */
  run(name: string, args: Args = {}, options: RunOptions = {}): Promise<Settled> {
    const { policy = {}, timeoutMs = LIMITS.timeoutMs, signal } = options;
    return this.#executor.call({
      artifact: this.#artifact,
      input: JSON.stringify({ case: name, ...args }),
      limits: { ...LIMITS, timeoutMs },
      policy: { ...DENY_ALL, ...policy },
      client: "",
      signal,
    });
  }

  /** Names all cases. */
  async list(): Promise<readonly string[]> {
    const settled = await this.run("list");
    if (!settled.ok) throw settled.failure;
    const names: unknown = JSON.parse(settled.output);
    return Array.isArray(names) ? names.map(String) : [];
  }

  [Symbol.dispose](): void {
    this.#executor[Symbol.dispose]();
  }
}

/** What a case gets. */
export type Args = Readonly<Record<string, string | number>>;

/** How a case runs. */
export interface RunOptions {
  readonly policy?: Partial<Policy>;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** How a case ended: `passed`, or why it did not. */
export function endOf(settled: Settled): string {
  if (settled.ok) return settled.output === '{"passed":true}' ? "passed" : settled.output;
  return `${settled.failure.code}: ${settled.failure.message}`;
}

/** Makes a rule of an entry. */
export function rule(entry: string): NetworkRule {
  const parsed = parseNetworkEntry(entry);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.rule;
}
