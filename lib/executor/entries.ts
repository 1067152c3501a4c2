/**
 * The files that run in Workers and processes of their own. They are named here and nowhere else, by URL: nobody imports them.
 */

/** Runs guests in a Worker. */
export const WORKER_ENTRY: URL = new URL("../worker/entry.ts", import.meta.url);

/** Runs Workers in a process that the host may kill. */
export const PROCESS_ENTRY: URL = new URL("./process-entry.ts", import.meta.url);
