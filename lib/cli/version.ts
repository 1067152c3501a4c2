/**
 * What this KAMI is made of, for bug reports and for scripts.
 */
import { dependencies } from "../../package.json" with { type: "json" };
import { SHIPMENT } from "../roles.ts";

/** The patch of WASI 0.2 that all others are served by, and the contract of tools. */
const INTERFACES = { wasi: "0.2.12", tool: "kami:tool@0.1.0" } as const;

/**
 * Names the versions.
 *
 * @param kami - KAMI's own.
 */
export async function versions(kami: string): Promise<Readonly<Record<string, string | number>>> {
  const { ARTIFACT_ABI } = await import("../component/artifact.ts");
  const { MIGRATIONS } = await import("../registry/migrations.ts");
  return {
    kami,
    shipment: SHIPMENT,
    bun: Bun.version,
    jco: dependencies["@bytecodealliance/jco-transpile"],
    registrySchema: MIGRATIONS.length,
    artifactAbi: ARTIFACT_ABI,
    ...INTERFACES,
    platform: `${process.platform}-${process.arch}`,
  };
}
