/**
 * Where compilers and Bun find what KAMI has for them: where it lies, or, since they cannot look into the binary, in the build's own directory.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { codeOf, SHIPMENT } from "../roles.ts";
import { copyShipped } from "../shipped.ts";
import type { Workshop } from "./compiler.ts";

/** Directories, each self-contained. */
const PLACES: Readonly<Record<"c" | "typescript" | "driver", URL>> = {
  c: new URL("../guest/c", import.meta.url),
  typescript: new URL("../guest/typescript", import.meta.url),
  // The binary has the driver as a bundle of its own: it is run as a file.
  driver: SHIPMENT === "binary" ? new URL("./author", codeOf("driver")) : new URL(".", codeOf("driver")),
};

/** Names a directory. @returns Absolute path. */
export function placeFor({ scratch }: Workshop, name: keyof typeof PLACES): string {
  const place = fileURLToPath(PLACES[name]);
  if (SHIPMENT !== "binary") return place;
  const copy = join(scratch, `kami-${name}`);
  if (!existsSync(copy)) copyShipped(place, copy);
  return copy;
}

/** Names the file that makes components. @returns Absolute path. */
export function driverFor(workshop: Workshop): string {
  return join(placeFor(workshop, "driver"), SHIPMENT === "sources" ? "driver.ts" : "driver.js");
}
