/**
 * KAMI's version, from the one place that has it.
 */
import packageJson from "../../package.json" with { type: "json" };

/** KAMI's version, semantic. */
export const VERSION: string = packageJson.version;
