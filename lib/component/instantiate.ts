/**
 * What a Worker needs to know of artifacts and metered modules. How components are linked is in link/.
 */
import { METER_MODULE } from "../wasm/layout.ts";

export { METER_EXPORTS } from "../wasm/layout.ts";
export { SIGNAL_MEMORY } from "../wasm/signal.ts";
export { ARRAY_LIMIT_BYTES } from "../wasm/limits.ts";
export type { LoadableArtifact, LoadableModule } from "./loadable.ts";

/** The module name under which a rewritten core module imports `signal`, `grow`, `allocate`, …, `memory0`, …. */
export const METER_IMPORT: string = METER_MODULE;
