/**
 * Tells a client that has asked for something when lists or resources have changed, also when another process changed them.
 *
 * SQLite tells nobody of what other processes write: its revision number has to be asked for. That takes some microseconds, is asked twice a second
 * while anybody wants to know, and once for all of them. A watch on the write-ahead log's file would cost more: every recorded call writes there.
 *
 * Source: MCP 2025-11-25 and 2026-07-28, "Tools / List Changed Notification".
 */
import type { McpServer, ProtocolEra } from "@modelcontextprotocol/server";
import { clean } from "../errors.ts";
import type { Registry } from "../registry/registry.ts";
import type { Catalog } from "./catalog.ts";
import { stampsOf } from "./package-resources.ts";

/** Milliseconds between two looks at the registry's revision number. */
const WATCH_INTERVAL_MS = 500;

type Revisions = Pick<Registry, "revision">;

/** Told of each new revision; a failure is told as what the registry threw. */
interface RevisionListener {
  readonly changed: (revision: number) => void;
  readonly failed: (error: unknown) => void;
}

/** One timer for all that watch a registry. It keeps no process alive. */
export class RevisionPoll {
  static readonly #polls = new WeakMap<Revisions, RevisionPoll>();
  readonly #registry: WeakRef<Revisions>;
  readonly #listeners = new Set<RevisionListener>();
  #known: number | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  private constructor(registry: Revisions) {
    this.#registry = new WeakRef(registry);
  }

  /** Finds the one of a registry. */
  static of(registry: Revisions): RevisionPoll {
    const poll = RevisionPoll.#polls.get(registry) ?? new RevisionPoll(registry);
    RevisionPoll.#polls.set(registry, poll);
    return poll;
  }

  /** Watches until the returned function is called. */
  watch(listener: RevisionListener): () => void {
    this.#listeners.add(listener);
    if (this.#timer === undefined) {
      this.#known = undefined;
      this.#timer = setInterval(() => this.#look(), WATCH_INTERVAL_MS);
      this.#timer.unref();
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  #look(): void {
    try {
      const revision = this.#registry.deref()?.revision();
      if (revision === undefined || revision === this.#known) return;
      this.#known = revision;
      for (const listener of this.#listeners) listener.changed(revision);
    } catch (error) {
      for (const listener of this.#listeners) listener.failed(error);
    }
  }
}

/** The watch of one server. */
export interface ChangeWatch {
  /** Says that the client has asked for something. The watch begins with the first time. */
  asked(): void;
  /** Says that the client is about to get the current list of tools. */
  listed(): void;
}

/** Where a watch reports to. */
interface Watcher {
  readonly host: { readonly registry: Revisions };
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/** What a watch looks at. */
interface Watched {
  /** Whose revision the client knows. */
  readonly catalog: Pick<Catalog, "enabled" | "revision">;
  /** URIs of the resources that a client of an era before 2026-07-28 wants to hear of. */
  readonly subscribed: ReadonlySet<string>;
  readonly era: ProtocolEra;
}

/**
 * Prepares the watch.
 *
 * @param mcp - The server to announce through.
 * @param watcher - Its log takes trouble with the registry, its signal ends the watch.
 */
export function announceChanges(mcp: McpServer, { catalog, subscribed, era }: Watched, watcher: Watcher): ChangeWatch {
  let known: number | undefined;
  let stop: (() => void) | undefined;
  let stamps: ReadonlyMap<string, string> = new Map();
  const changed = (revision: number): void => {
    if (revision === known || !mcp.isConnected()) return;
    known = revision;
    mcp.sendToolListChanged();
    // A client that knows of neither does not mind.
    mcp.sendPromptListChanged();
    mcp.sendResourceListChanged();
    const before = stamps;
    stamps = stampsOf(catalog);
    for (const uri of changedBetween(before, stamps))
      // In the modern era the SDK keeps what a client has asked for, and hands on only that.
      if (era === "modern" || subscribed.has(uri)) void mcp.server.sendResourceUpdated({ uri });
  };
  const failed = (error: unknown): void => watcher.log(`Cannot watch the registry: ${clean(String(error))}`);
  const start = (): void => {
    if (stop !== undefined || watcher.signal.aborted) return;
    known = catalog.revision();
    stamps = stampsOf(catalog);
    stop = RevisionPoll.of(watcher.host.registry).watch({ changed, failed });
    watcher.signal.addEventListener("abort", stop, { once: true });
  };
  return {
    asked: start,
    listed: () => {
      start();
      known = catalog.revision();
    },
  };
}

/** Lists the URIs whose resource has come, gone or become another one. */
export function changedBetween(
  before: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
): readonly string[] {
  const uris = new Set([...before.keys(), ...now.keys()]);
  return [...uris].filter((uri) => before.get(uri) !== now.get(uri));
}
