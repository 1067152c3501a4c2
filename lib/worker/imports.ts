/**
 * All that a component may import. The guest's side of the trust boundary.
 *
 * Every 0.2 patch version of WASI is one implementation, because a patch only adds: names have no version here. What is not here is linked to a
 * denial, so that a tool that imports more than it uses still starts.
 */
import { KAMI_HOST } from "./kami.ts";
import { CLI } from "./wasi/cli.ts";
import { MONOTONIC_CLOCK, WALL_CLOCK } from "./wasi/clocks.ts";
import { FILESYSTEM_PREOPENS, FILESYSTEM_TYPES } from "./wasi/filesystem.ts";
import type { WasiInterface } from "./wasi/host.ts";
import { IO_ERROR, STREAMS } from "./wasi/io.ts";
import { SOCKETS } from "./wasi/sockets/sockets.ts";
import { HTTP } from "./wasi/http/http.ts";
import { POLL } from "./wasi/poll.ts";
import { RANDOM } from "./wasi/random.ts";

const SERVED: readonly WasiInterface[] = [
  KAMI_HOST,
  ...CLI,
  MONOTONIC_CLOCK,
  WALL_CLOCK,
  FILESYSTEM_PREOPENS,
  FILESYSTEM_TYPES,
  ...HTTP,
  IO_ERROR,
  POLL,
  STREAMS,
  ...RANDOM,
  ...SOCKETS,
];

/** The interfaces that are served, by name without version. */
export const INTERFACES: ReadonlyMap<string, WasiInterface> = new Map(SERVED.map((served) => [served.name, served]));
