/**
 * Tells the subscribers of `subscriptions/listen` when lists or resources have changed, also when another process changed them. The registry is asked
 * only while there are subscribers.
 *
 * Source: MCP 2026-07-28, "Tools / List Changed Notification" and "Utilities / Subscriptions".
 */
import type { ServerEvent, ServerEventBus } from "@modelcontextprotocol/server";
import { clean } from "../../errors.ts";
import { isJsonObject } from "../../json-type.ts";
import type { Registry } from "../../registry/registry.ts";
import type { Catalog, CatalogView } from "../catalog.ts";
import { stampsOf } from "../package-resources.ts";
import { changedBetween, RevisionPoll } from "../watch.ts";
import type { Message } from "./body.ts";

/** The bus of one HTTP server, for the SDK. */
export class ChangeBus implements ServerEventBus {
  readonly #listeners = new Set<(event: ServerEvent) => void>();
  readonly #registry: Pick<Registry, "revision">;
  readonly #catalog: Pick<Catalog, "enabled">;
  readonly #log: (line: string) => void;
  #known: number | undefined;
  #stamps: ReadonlyMap<string, string> = new Map();
  #stop: (() => void) | undefined;

  /**
   * @param registry - Whose revision is watched.
   * @param catalog - Its tools.
   * @param log - Takes trouble with the registry.
   */
  constructor(registry: Pick<Registry, "revision">, catalog: Pick<Catalog, "enabled">, log: (line: string) => void) {
    this.#registry = registry;
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
        const before = this.#stamps;
        this.#stamps = stampsOf(this.#catalog);
        for (const uri of changedBetween(before, this.#stamps)) this.publish({ kind: "resource_updated", uri });
      },
      failed: (error) => this.#complain(error),
    });
  }

  #look(): number | undefined {
    try {
      const revision = this.#registry.revision();
      this.#stamps = stampsOf(this.#catalog);
      return revision;
    } catch (error) {
      this.#complain(error);
      return undefined;
    }
  }

  #complain(error: unknown): void {
    this.#log(`Cannot watch the registry: ${clean(String(error))}`);
  }
}

/** Leaves out of what a client wants to listen to the resources that there are not for it: that they change is not for it either. */
export function narrowListening(message: Message, catalog: CatalogView): Message {
  const { method, params } = message;
  const wanted = method === "subscriptions/listen" && isJsonObject(params) ? params["notifications"] : undefined;
  if (!isJsonObject(params) || !isJsonObject(wanted) || !Array.isArray(wanted["resourceSubscriptions"])) return message;
  const asked = new Set<unknown>(wanted["resourceSubscriptions"]);
  const resourceSubscriptions = [...stampsOf(catalog).keys()].filter((uri) => asked.has(uri));
  return { ...message, params: { ...params, notifications: { ...wanted, resourceSubscriptions } } };
}
