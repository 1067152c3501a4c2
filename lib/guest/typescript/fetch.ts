/**
 * The network, on engines that have it.
 */

/**
 * Fetches, as far as `net_allow_list` asks for it and the user grants it.
 *
 * @throws {Error} on QuickJS, which has no network.
 */
export function fetch(...request: Parameters<typeof globalThis.fetch>): Promise<Response> {
  if (typeof globalThis.fetch !== "function")
    throw new Error("this engine has no fetch: build with --engine spidermonkey");
  return globalThis.fetch(...request);
}
