/**
 * The settings of `kami`: what each may be, and how the layers above one another make its value. Pure: reads nothing.
 */
import { isAbsolute, join, resolve } from "node:path";
import { refuse } from "../errors.ts";
import type { IntegerRange } from "../manifest/defaults.ts";
import { nearest } from "../nearest.ts";
import { DEFAULT_CEILINGS } from "../policy/limits.ts";
import { isInRange, parseInteger, RANGES, rangeRule } from "./integers.ts";
import { MEBIBYTE } from "./limits.ts";

/** The name of a setting in `config.toml`; `KAMI_` and it in capitals is its variable. */
export type SettingKey =
  "home" | "db" | "concurrency" | "queue_limit" | "max_fuel" | "max_memory_mb" | "max_execution_ms";

/** Where a value came from, lowest first. */
type Origin = "default" | "user" | "project" | "environment" | "flag";

/** One setting's value, and where it came from. */
interface Setting {
  readonly key: SettingKey;
  readonly value: string | number;
  readonly origin: Origin;
  /** The file, variable or flag; empty for a default. */
  readonly source: string;
}

/** All settings by key, in the order they are printed. */
export type Settings = ReadonlyMap<SettingKey, Setting>;

/** What one place says. */
export interface Layer {
  readonly origin: Exclude<Origin, "default">;
  /** Values as they were written, by setting. Each with the name of where it stands, for messages. */
  readonly entries: readonly LayerEntry[];
  /** Directory that relative paths start from; undefined where only absolute ones are taken. */
  readonly directory: string | undefined;
}

/** One value as it was written. */
export interface LayerEntry {
  /** The setting's name, checked by {@link applyLayer}. */
  readonly key: string;
  /** Text from a variable or a flag, any TOML value from a file. */
  readonly value: unknown;
  /** The file, variable or flag. */
  readonly source: string;
}

/** What a setting may be, and who may set it. */
interface Rule {
  /** Undefined: a path. */
  readonly range?: IntegerRange;
  /** What a `./kami.toml`, which somebody else may have written, can do with it. */
  readonly inProject: "refused" | "may lower";
  readonly inFiles: boolean;
}

const RULES: Readonly<Record<SettingKey, Rule>> = {
  home: { inProject: "refused", inFiles: false },
  db: { inProject: "refused", inFiles: true },
  concurrency: { range: RANGES.concurrency, inProject: "may lower", inFiles: true },
  queue_limit: { range: RANGES.queueLimit, inProject: "may lower", inFiles: true },
  max_fuel: { range: RANGES.fuel, inProject: "may lower", inFiles: true },
  max_memory_mb: { range: RANGES.memoryMb, inProject: "may lower", inFiles: true },
  max_execution_ms: { range: RANGES.timeoutMs, inProject: "may lower", inFiles: true },
};

/** Whether a name is a setting's. */
export function isSettingKey(key: string): key is SettingKey {
  return Object.hasOwn(RULES, key);
}

/** All settings, in the order they are printed. */
export function settingKeys(): readonly SettingKey[] {
  return Object.keys(RULES).filter(isSettingKey);
}

/** Says in words what a setting may be. */
export function settingRule(key: SettingKey): string {
  const { range } = RULES[key];
  return range === undefined ? "must be a path" : rangeRule(range);
}

/**
 * Puts layers over the defaults.
 *
 * @param home - Where KAMI_HOME is unless a layer says otherwise; absolute.
 * @param cores - Processor cores: the default concurrency.
 * @param layers - Lowest first.
 * @throws {Failure} CONFIG_INVALID for an unknown setting, a value of the wrong kind or range, or one that its place may not set.
 */
export function resolveSettings(home: string, cores: number, layers: readonly Layer[]): Settings {
  const settings = new Map<SettingKey, Setting>();
  const defaults: Readonly<Record<SettingKey, string | number>> = {
    home,
    db: "",
    concurrency: Math.min(cores, RANGES.concurrency.most),
    queue_limit: 256,
    max_fuel: DEFAULT_CEILINGS.fuel,
    max_memory_mb: DEFAULT_CEILINGS.memoryBytes / MEBIBYTE,
    max_execution_ms: DEFAULT_CEILINGS.timeoutMs,
  };
  for (const key of settingKeys()) putDefault(settings, key, defaults[key]);
  for (const layer of layers) applyLayer(settings, layer);
  // Last, because its default lies in whatever home became.
  if (settings.get("db")?.origin === "default") {
    putDefault(settings, "db", join(String(settings.get("home")?.value), "registry.db"));
  }
  return settings;
}

function putDefault(settings: Map<SettingKey, Setting>, key: SettingKey, value: string | number): void {
  settings.set(key, { key, value, origin: "default", source: "" });
}

function applyLayer(settings: Map<SettingKey, Setting>, layer: Layer): void {
  for (const entry of layer.entries) {
    const { key, source } = entry;
    if (!isSettingKey(key)) throw unknownSetting(entry);
    refuseMisplaced(key, layer, source);
    const value = readValue(key, entry, layer);
    const before = settings.get(key)?.value;
    const isHigher = typeof before === "number" && typeof value === "number" && value > before;
    if (layer.origin === "project" && RULES[key].inProject === "may lower" && isHigher) continue;
    settings.set(key, { key, value, origin: layer.origin, source });
  }
}

function unknownSetting({ key, source }: LayerEntry): Error {
  const near = nearest(key, settingKeys());
  const rule = `there is no such setting${near === undefined ? "" : `; did you mean "${near}"?`}`;
  return refuse("CONFIG_INVALID", { source, key, rule });
}

function refuseMisplaced(key: SettingKey, layer: Layer, source: string): void {
  const inFile = layer.origin === "user" || layer.origin === "project";
  if (inFile && !RULES[key].inFiles) {
    throw refuse("CONFIG_INVALID", { source, key, rule: `it is set by the variable KAMI_${key.toUpperCase()} only` });
  }
  if (layer.origin === "project" && RULES[key].inProject === "refused") {
    const rule = "a kami.toml may only tighten settings, because it may come with a directory that somebody else wrote";
    throw refuse("CONFIG_INVALID", { source, key, rule });
  }
}

function readValue(key: SettingKey, entry: LayerEntry, layer: Layer): string | number {
  const { range } = RULES[key];
  if (range === undefined) return readPath(key, entry, layer.directory);
  const value = typeof entry.value === "string" && isText(layer) ? parseInteger(entry.value, range) : entry.value;
  if (isInRange(value, range)) return value;
  throw refuse("CONFIG_INVALID", { source: entry.source, key, rule: settingRule(key) });
}

/** Variables and flags are text; in a file, a number is a number. */
function isText(layer: Layer): boolean {
  return layer.origin === "environment" || layer.origin === "flag";
}

function readPath(key: SettingKey, entry: LayerEntry, directory: string | undefined): string {
  const { value, source } = entry;
  if (typeof value !== "string" || value === "" || value.includes("\0")) {
    throw refuse("CONFIG_INVALID", { source, key, rule: settingRule(key) });
  }
  if (isAbsolute(value)) return resolve(value);
  if (directory !== undefined) return resolve(directory, value);
  throw refuse("CONFIG_INVALID", { source, key, rule: "must be an absolute path" });
}
