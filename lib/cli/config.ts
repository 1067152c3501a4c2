/**
 * Reads every place that settings come from: files, variables and flags. `docs` of the rules: `kami config --help`.
 */
import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { parse, TomlError } from "smol-toml";
import { Failure, refuse } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { readAmbient } from "../registry/files.ts";
import type { Host } from "./host.ts";
import { isSettingKey, type Layer, type LayerEntry, resolveSettings, type Settings, settingKeys } from "./settings.ts";

/** A configuration file is a page of text. */
const CONFIG_LIMIT_BYTES = 65_536;

const VARIABLE_PREFIX = "KAMI_";

/** `KAMI_` variables that are no settings. */
const OTHER_VARIABLES: ReadonlySet<string> = new Set(["KAMI_DEBUG"]);

/**
 * Reads the settings.
 *
 * @param host - Environment, home and current directory.
 * @param flags - Values given on the command line, by flag without dashes (`db`, `concurrency`).
 * @throws {Failure} CONFIG_SYNTAX, CONFIG_INVALID or FILE_UNREADABLE, naming the file, variable or flag.
 */
export function readSettings(host: Host, flags: ReadonlyMap<string, string>): Settings {
  const directory = host.currentDirectory();
  return resolveSettings(defaultHome(host), host.cores, [
    { origin: "user", entries: readConfigFile(userConfigPath(host)), directory: undefined },
    { origin: "project", entries: readConfigFile(join(directory, "kami.toml")), directory: undefined },
    { origin: "environment", entries: variableEntries(host.environment), directory: undefined },
    flagLayer(flags, directory),
  ]);
}

/** Finds the user's own configuration file, whether it is there or not; undefined for a user without a home. */
export function userConfigPath(host: Host): string | undefined {
  const directory = xdgDirectory(host, "XDG_CONFIG_HOME", ".config");
  return directory === undefined ? undefined : join(directory, "kami", "config.toml");
}

/** Finds KAMI_HOME where no variable names it: an existing `~/.kami` counts when the standard place does not exist. */
function defaultHome(host: Host): string {
  const directory = xdgDirectory(host, "XDG_DATA_HOME", ".local/share");
  if (directory === undefined) return homeOfNobody(host);
  const standard = join(directory, "kami");
  if (host.userHome === "") return standard;
  const old = join(host.userHome, ".kami");
  return !existsSync(standard) && existsSync(old) ? old : standard;
}

/** Never in the current directory, which may be somebody else's. @returns What KAMI_HOME replaces. */
function homeOfNobody({ environment }: Host): string {
  if ((environment.get("KAMI_HOME") ?? "") !== "") return "/";
  const rule = "there is no home directory to keep tools in: set KAMI_HOME to a directory";
  throw refuse("CONFIG_INVALID", { source: "the environment", key: "home", rule });
}

/** Source: XDG Base Directory Specification 0.8, which has relative paths and empty variables ignored. */
function xdgDirectory(host: Host, variable: string, fallback: string): string | undefined {
  const named = host.environment.get(variable) ?? "";
  if (isAbsolute(named)) return named;
  return host.userHome === "" ? undefined : join(host.userHome, fallback);
}

function readConfigFile(path: string | undefined): readonly LayerEntry[] {
  if (path === undefined) return [];
  const bytes = readIfPresent(path);
  if (bytes === undefined) return [];
  const table = parseToml(path, bytes);
  return Object.entries(table).map(([key, value]) => ({ key, value, source: path }));
}

function readIfPresent(path: string): Uint8Array | undefined {
  try {
    return readAmbient(path, { bytes: CONFIG_LIMIT_BYTES, refuse: tooLarge });
  } catch (error) {
    if (error instanceof Failure && error.code === "FILE_NOT_FOUND") return undefined;
    throw error;
  }
}

function tooLarge(path: string, bytes: number): Failure {
  return refuse("FILE_UNREADABLE", { path, reason: `it has ${bytes} bytes, the limit is ${CONFIG_LIMIT_BYTES}` });
}

function parseToml(path: string, bytes: Uint8Array): Record<string, unknown> {
  try {
    return parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    if (!(error instanceof TomlError)) {
      throw refuse("FILE_UNREADABLE", { path, reason: "it is not UTF-8 text" }, error);
    }
    // The rest of the message quotes the file over several lines.
    const problem = error.message.split("\n", 1)[0] ?? "";
    const { line, column } = error;
    throw refuse("CONFIG_SYNTAX", { file: path, line, column, problem }, error);
  }
}

/** An empty variable counts as unset. A variable that is nearly a setting's is an error: a mistyped ceiling must not be lost. */
function variableEntries(environment: ReadonlyMap<string, string>): readonly LayerEntry[] {
  const entries: LayerEntry[] = [];
  for (const [variable, value] of environment) {
    if (!variable.startsWith(VARIABLE_PREFIX) || OTHER_VARIABLES.has(variable) || value === "") continue;
    const key = variable.slice(VARIABLE_PREFIX.length).toLowerCase();
    if (isSettingKey(key)) entries.push({ key, value, source: variable });
    else refuseNearMiss(variable, key);
  }
  return entries;
}

function refuseNearMiss(variable: string, key: string): void {
  const near = nearest(key, settingKeys());
  if (near === undefined) return;
  const rule = `there is no such setting; did you mean "${VARIABLE_PREFIX}${near.toUpperCase()}"?`;
  throw refuse("CONFIG_INVALID", { source: "the environment", key: variable, rule });
}

function flagLayer(flags: ReadonlyMap<string, string>, directory: string): Layer {
  const entries = Array.from(flags, ([key, value]) => ({ key, value, source: `--${key}` }));
  return { origin: "flag", entries, directory };
}
