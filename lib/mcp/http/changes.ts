/**
 * Tells the subscribers of `subscriptions/listen` when the list of tools has changed, also when another process changed it. The registry is
 * asked only while there are subscribers.
 *
 * Source: MCP 2026-07-28, "Tools / List Changed Notification" and "Utilities / Subscriptions".
 */
import type { ServerEvent, ServerEventBus } from "@modelcontextprotocol/server";
import { clean } from "../../errors.ts";
import type { Catalog } from "../catalog.ts";
import { WATCH_INTERVAL_MS } from "../watch.ts";

/** The bus of one HTTP server, for the SDK. */
export class ChangeBus implements ServerEventBus {
  readonly #listeners = new Set<(event: ServerEvent) => void>();
  readonly #catalog: Pick<Catalog, "revision">;
  readonly #log: (line: string) => void;
  #known: number | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * @param catalog - Whose revision is watched.
   * @param log - Takes trouble with the registry.
   */
  constructor(catalog: Pick<Catalog, "revision">, log: (line: string) => void) {
    this.#catalog = catalog;
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
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  #start(): void {
    if (this.#timer !== undefined) return;
    this.#known = this.#look();
    this.#timer = setInterval(() => {
      const revision = this.#look();
      if (revision === undefined || revision === this.#known) return;
      this.#known = revision;
      this.publish({ kind: "tools_list_changed" });
    }, WATCH_INTERVAL_MS);
    this.#timer.unref();
  }

  #look(): number | undefined {
    try {
      return this.#catalog.revision();
    } catch (error) {
      this.#log(`Cannot watch the registry: ${clean(String(error))}`);
      return undefined;
    }
  }
}
