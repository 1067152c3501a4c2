/**
 * What a command works with: the process around it, its output, the settings, and the end that may come at any time.
 */
import { clean } from "../errors.ts";
import { readSettings } from "./config.ts";
import type { EndWatch } from "./exit-signal.ts";
import type { Host } from "./host.ts";
import { type Paint, painterFor, toJson } from "./output.ts";
import type { Settings } from "./settings.ts";

/** One run of a command. */
export class Session {
  readonly host: Host;
  /** Whether results and errors are JSON. */
  readonly json: boolean;
  readonly end: EndWatch;
  /** Colours text for stdout. */
  readonly paint: Paint;

  constructor(host: Host, json: boolean, end: EndWatch) {
    this.host = host;
    this.json = json;
    this.end = end;
    this.paint = painterFor(host.stdout, host.environment);
  }

  /**
   * Reads the settings; flags win.
   *
   * @param flags - Values by flag without dashes; undefined ones were not given.
   * @throws {Failure} CONFIG_SYNTAX, CONFIG_INVALID or FILE_UNREADABLE.
   */
  settings(flags: Readonly<Record<string, string | undefined>> = {}): Settings {
    const given = Object.entries(flags).flatMap(([flag, value]) =>
      value === undefined ? [] : [[flag, value] as const],
    );
    return readSettings(this.host, new Map(given));
  }

  /** Prints the result: the value with `--json`, else the text. */
  async result(text: string, value: unknown): Promise<void> {
    if (!this.json && text === "") return;
    await this.host.stdout.write(`${this.json ? toJson(value) : text}\n`);
  }

  /** Tells the user something on stderr, on one line. Not with `--json`, where stderr carries an error or nothing. */
  async note(line: string): Promise<void> {
    if (!this.json) await this.host.stderr.write(`${clean(line, 1000)}\n`);
  }
}
