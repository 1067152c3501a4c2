/**
 * Tells the subscribers of `subscriptions/listen` when the list of tools has changed, also when another process changed it. The registry is
 * asked only while there are subscribers.
 *
 * Source: MCP 2026-07-28, "Tools / List Changed Notification" and "Utilities / Subscriptions".
 */
import type { ServerEvent, ServerEventBus } from "@modelcontextprotocol/server";
import { clean } from "../../errors.ts";
import type { Registry } from "../../registry/registry.ts";
import { RevisionPoll } from "../watch.ts";

/** The bus of one HTTP server, for the SDK. */
export class ChangeBus implements ServerEventBus {
  readonly #listeners = new Set<(event: ServerEvent) => void>();
  readonly #registry: Pick<Registry, "revision">;
  readonly #log: (line: string) => void;
  #known: number | undefined;
  #stop: (() => void) | undefined;

  /**
   * @param registry - Whose revision is watched.
   * @param log - Takes trouble with the registry.
   */
  constructor(registry: Pick<Registry, "revision">, log: (line: string) => void) {
    this.#registry = registry;
    this.#log = log;
  }

  publish(event: ServerEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  subscribe(listener: (event: ServerEvent) => void): () => void {
    // One that is subscribed twice must be taken out twice: the set needs them apart.
    const entry = (event: ServerEvent): void => listener(event);
    this.#listeners.add(entry);
    this.#start();
    return () => {
      this.#listeners.delete(entry);
      if (this.#listeners.size > 0) return;
      this.#stop?.();
      this.#stop = undefined;
    };
  }

  #start(): void {
    if (this.#stop !== undefined) return;
    this.#known = this.#look();
    this.#stop = RevisionPoll.of(this.#registry).watch({
      changed: (revision) => {
        if (revision === this.#known) return;
        this.#known = revision;
        this.publish({ kind: "tools_list_changed" });
        this.publish({ kind: "prompts_list_changed" });
        this.publish({ kind: "resources_list_changed" });
      },
      failed: (error) => this.#complain(error),
    });
  }

  #look(): number | undefined {
    try {
      return this.#registry.revision();
    } catch (error) {
      this.#complain(error);
      return undefined;
    }
  }

  #complain(error: unknown): void {
    this.#log(`Cannot watch the registry: ${clean(String(error))}`);
  }
}
