/**
 * Opens what the commands work on. The runtime and the registry are loaded only here, and only when a command needs them:
 * help must not wait for SQLite.
 */
import { statSync } from "node:fs";
import { clean } from "../errors.ts";
import type { Limits } from "../protocol/limits.ts";
import type { Registry } from "../registry/registry.ts";
import type { Runtime, RuntimeOptions } from "../runtime.ts";
import { toLimits } from "./limits.ts";
import type { Session } from "./session.ts";
import type { SettingKey, Settings } from "./settings.ts";

/**
 * Opens the runtime as the settings say.
 *
 * @param session - Its environment and files give the settings.
 * @param settings - From {@link Session.settings}.
 * @param options - What the settings do not say. Without a `log`, KAMI's diagnostics are dropped, unless `KAMI_DEBUG=1` asks for them on
 *   stderr.
 * @throws {Failure} what the registry throws.
 */
export async function openRuntime(
  session: Session,
  settings: Settings,
  options: Partial<Pick<RuntimeOptions, "isolation" | "log" | "compile" | "home" | "database">> = {},
): Promise<Runtime> {
  const runtime = await import("../runtime.ts");
  return new runtime.Runtime({
    ...runtimeOptions(settings),
    environment: session.host.environment,
    log: debugLog(session),
    ...options,
  });
}

/**
 * Opens the registry alone, which is faster than the runtime.
 *
 * @throws {Failure} REGISTRY_NEWER, REGISTRY_UNUSABLE, REGISTRY_BUSY
 */
export async function openRegistry(settings: Settings): Promise<Registry> {
  const registry = await import("../registry/registry.ts");
  return registry.Registry.open(textOf(settings, "home"), textOf(settings, "db"));
}

/**
 * Opens the registry for a command that changes nothing: it makes no file.
 *
 * @returns Undefined when there is none yet.
 * @throws {Failure} REGISTRY_NEWER, REGISTRY_UNUSABLE, REGISTRY_BUSY
 */
export async function openRegistryToRead(settings: Settings): Promise<Registry | undefined> {
  return hasRegistry(settings) ? openRegistry(settings) : undefined;
}

/** Whether a registry is where the settings say, or something in its way that opening it tells about. */
export function hasRegistry(settings: Settings): boolean {
  try {
    return statSync(textOf(settings, "db"), { throwIfNoEntry: false }) !== undefined || isInTheWay(settings);
  } catch {
    return true;
  }
}

/** A file in the place of the home: depending on the system, looking beneath it is no error. */
function isInTheWay(settings: Settings): boolean {
  const home = statSync(textOf(settings, "home"), { throwIfNoEntry: false });
  return home !== undefined && !home.isDirectory();
}

/** Turns settings into what the runtime takes. */
function runtimeOptions(settings: Settings): RuntimeOptions {
  return {
    home: textOf(settings, "home"),
    database: textOf(settings, "db"),
    concurrency: numberOf(settings, "concurrency"),
    queueLimit: numberOf(settings, "queue_limit"),
    ceilings: ceilingsOf(settings),
  };
}

/** Reads the most that any tool gets on its own word. */
export function ceilingsOf(settings: Settings): Partial<Limits> {
  return toLimits({
    fuel: numberOf(settings, "max_fuel"),
    memoryMb: numberOf(settings, "max_memory_mb"),
    timeoutMs: numberOf(settings, "max_execution_ms"),
  });
}

function debugLog(session: Session): (line: string) => void {
  if (session.json || session.host.environment.get("KAMI_DEBUG") !== "1") return () => undefined;
  return (line) => void session.host.stderr.write(`kami: ${clean(line, 1000)}\n`);
}

function textOf(settings: Settings, key: SettingKey): string {
  const value = settings.get(key)?.value;
  if (typeof value === "string") return value;
  throw new Error(`BUG: the setting ${key} has no value`);
}

function numberOf(settings: Settings, key: SettingKey): number {
  const value = settings.get(key)?.value;
  if (typeof value === "number") return value;
  throw new Error(`BUG: the setting ${key} has no value`);
}
