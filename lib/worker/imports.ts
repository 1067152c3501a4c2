/**
 * All that a component may import, made for one call. The guest's side of the trust boundary.
 *
 * jco's glue asks for interfaces by name without version, other linkers with one: every 0.2 patch version of WASI is one
 * implementation, because a patch only adds. What is not here is linked to a denial, so that a tool that imports more than it
 * uses still starts.
 */
import type { CallContext } from "./context.ts";
import { KAMI_INTERFACES } from "./kami.ts";
import { CLI_INTERFACES } from "./wasi/cli.ts";
import { CLOCK_INTERFACES } from "./wasi/clocks.ts";
import { denyInterface, denyRest } from "./wasi/deny.ts";
import { FILESYSTEM_INTERFACES } from "./wasi/filesystem.ts";
import { Host } from "./wasi/host.ts";
import type { InterfaceFactory } from "./wasi/host.ts";
import { IO_INTERFACES } from "./wasi/io.ts";
import { lowerInterface } from "./wasi/lower.ts";
import { RANDOM_INTERFACES } from "./wasi/random.ts";

const INTERFACES: ReadonlyMap<string, InterfaceFactory> = new Map([
  ...KAMI_INTERFACES,
  ...CLI_INTERFACES,
  ...CLOCK_INTERFACES,
  ...FILESYSTEM_INTERFACES,
  ...IO_INTERFACES,
  ...RANDOM_INTERFACES,
]);

/** The versions that are served. Source: Semantic Versioning 2.0.0 §6: a patch is compatible. */
const SERVED_VERSION = /^(wasi:[^@]*)@0\.2\.\d+$|^(kami:[^@]*)@0\.1\.\d+$/;

/**
 * Makes the imports of one call. Each interface is made when it is first asked for.
 *
 * @param context - The call that they act on. All their state belongs to it.
 * @returns What jco's `instantiate` takes as `imports`: every property is an interface, granted or denied.
 */
export function createImports(context: CallContext): object {
  const host = new Host(context);
  const made = new Map<string, unknown>();
  return new Proxy(Object.create(null), {
    get(_, key): unknown {
      if (typeof key === "symbol") return undefined;
      const name = stripVersion(key);
      if (!made.has(name)) made.set(name, createInterface(host, name));
      return made.get(name);
    },
  });
}

function stripVersion(key: string): string {
  if (!key.includes("@")) return key;
  const match = SERVED_VERSION.exec(key);
  return match?.[1] ?? match?.[2] ?? key;
}

function createInterface(host: Host, name: string): unknown {
  const create = INTERFACES.get(name);
  if (create === undefined) return denyInterface(host.context, name);
  return denyRest(host.context, name, lowerInterface(host, name, create(host)));
}
