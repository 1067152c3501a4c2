/**
 * Tells a client that has listed the tools when the list has changed, also when another process changed it.
 *
 * Source: MCP 2025-11-25 and 2026-07-28, "Tools / List Changed Notification".
 */
import type { McpServer } from "@modelcontextprotocol/server";
import { clean } from "../errors.ts";
import type { Catalog } from "./catalog.ts";

/** Milliseconds between two looks at the registry's revision number. */
export const WATCH_INTERVAL_MS = 500;

/** The watch of one server. */
export interface ChangeWatch {
  /** Says that the client is about to get the current list. The watch begins with the first one. */
  listed(): void;
}

/** Where a watch reports to. */
interface Watcher {
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Prepares the watch. It asks the registry twice a second for a number, and keeps no process alive.
 *
 * @param mcp - The server to announce through.
 * @param catalog - Whose revision is watched.
 * @param watcher - Its log takes trouble with the registry, its signal ends the watch.
 */
export function announceChanges(mcp: McpServer, catalog: Pick<Catalog, "revision">, watcher: Watcher): ChangeWatch {
  let known: number | undefined;
  let timer: ReturnType<typeof setInterval> | undefined;
  const look = (): void => {
    try {
      const revision = catalog.revision();
      if (revision === known || !mcp.isConnected()) return;
      known = revision;
      mcp.sendToolListChanged();
    } catch (error) {
      watcher.log(`Cannot watch the registry: ${clean(String(error))}`);
    }
  };
  const stop = (): void => clearInterval(timer);
  return {
    listed: () => {
      known = catalog.revision();
      if (timer !== undefined || watcher.signal.aborted) return;
      timer = setInterval(look, WATCH_INTERVAL_MS);
      timer.unref();
      watcher.signal.addEventListener("abort", stop, { once: true });
    },
  };
}
