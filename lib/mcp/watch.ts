/**
 * Tells a client that has listed the tools when the list has changed, also when another process changed it.
 *
 * SQLite tells nobody of what other processes write: its revision number has to be asked for. That takes some microseconds, is asked twice a second
 * while anybody wants to know, and once for all of them. A watch on the write-ahead log's file would cost more: every recorded call writes there.
 *
 * Source: MCP 2025-11-25 and 2026-07-28, "Tools / List Changed Notification".
 */
import type { McpServer } from "@modelcontextprotocol/server";
import { clean } from "../errors.ts";
import type { Registry } from "../registry/registry.ts";
import type { Catalog } from "./catalog.ts";

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
      this.#timer = setInterval(() => this.look(), WATCH_INTERVAL_MS);
      this.#timer.unref();
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  /** Looks now, in place of when it is time. */
  look(): void {
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

/** Has the clients told at once of what this process has changed. */
export function announceNow({ registry }: { readonly registry: Revisions }): void {
  RevisionPoll.of(registry).look();
}

/** The watch of one server. */
export interface ChangeWatch {
  /** Says that the client is about to get the current list. The watch begins with the first one. */
  listed(): void;
}

/** Where a watch reports to. */
interface Watcher {
  readonly host: { readonly registry: Revisions };
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Prepares the watch.
 *
 * @param mcp - The server to announce through.
 * @param catalog - Whose revision the client knows.
 * @param watcher - Its log takes trouble with the registry, its signal ends the watch.
 */
export function announceChanges(mcp: McpServer, catalog: Pick<Catalog, "revision">, watcher: Watcher): ChangeWatch {
  let known: number | undefined;
  let stop: (() => void) | undefined;
  const changed = (revision: number): void => {
    if (revision === known || !mcp.isConnected()) return;
    known = revision;
    mcp.sendToolListChanged();
    // A client that knows of neither does not mind.
    mcp.sendPromptListChanged();
    mcp.sendResourceListChanged();
  };
  const failed = (error: unknown): void => watcher.log(`Cannot watch the registry: ${clean(String(error))}`);
  return {
    listed: () => {
      known = catalog.revision();
      if (stop !== undefined || watcher.signal.aborted) return;
      stop = RevisionPoll.of(watcher.host.registry).watch({ changed, failed });
      watcher.signal.addEventListener("abort", stop, { once: true });
    },
  };
}
