/**
 * All that a component may import. The guest's side of the trust boundary.
 *
 * Every 0.2 patch version of WASI is one implementation, because a patch only adds: names have no version here. What is not here is linked to a
 * denial, so that a tool that imports more than it uses still starts.
 */
import { KAMI_HOST } from "./kami.ts";
import { CLI } from "./wasi/cli.ts";
import { MONOTONIC_CLOCK, WALL_CLOCK } from "./wasi/clocks.ts";
import { FILESYSTEM } from "./wasi/filesystem.ts";
import type { WasiInterface } from "./wasi/host.ts";
import { POLL } from "./wasi/poll.ts";
import { RANDOM } from "./wasi/random.ts";
import { IO_ERROR, STREAMS } from "./wasi/streams.ts";

const SERVED: readonly WasiInterface[] = [
  KAMI_HOST,
  ...CLI,
  MONOTONIC_CLOCK,
  WALL_CLOCK,
  ...FILESYSTEM,
  IO_ERROR,
  POLL,
  STREAMS,
  ...RANDOM,
];

/** The interfaces that are served, by name without version. */
export const INTERFACES: ReadonlyMap<string, WasiInterface> = new Map(SERVED.map((served) => [served.name, served]));

/** What is denied, in an agent's words, by the beginning of the interface's name. */
const CAPABILITIES: readonly (readonly [prefix: string, capability: string])[] = [
  ["wasi:sockets/", "network access"],
  ["wasi:http/", "network access"],
  ["wasi:filesystem/", "file access"],
  ["wasi:cli/terminal", "terminal access"],
];

/** What a WIT name begins with when the function is a resource's. */
const SORT = /^\[(?:constructor|method|static)\]/;

/** Names what nobody serves, in words that an agent can read: `an unknown host function (acme:door/lock open)`. */
export function describeUnserved(interfaceName: string, name: string): string {
  const found = CAPABILITIES.find(([prefix]) => interfaceName.startsWith(prefix));
  const place = [interfaceName, name.replace(SORT, "")].filter((part) => part !== "").join(" ");
  return `${found?.[1] ?? "an unknown host function"} (${place.slice(0, 200)})`;
}
