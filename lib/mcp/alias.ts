/**
 * The names that agents see. A tool's dotted id is too long and has characters that clients refuse, so that it is served under
 * an alias: `[A-Za-z0-9_-]`, at most 48 characters, because clients put a prefix of their own in front, as `mcp__kami__`, and stop at 64.
 *
 * The rule: the alias is the last label of the id, or the tool's name when that is the same but for capitals and underscores
 * (`fetch_url` for `….fetch-url`); the tool that was installed first keeps it, and every later tool with the same
 * label, however it is spelled, gets `-` and the first digits of the SHA-256 of its own id. Thus no installation renames a tool that is already there, and
 * a tool that imitates another one's label never gets that one's name.
 */
import { createHash } from "node:crypto";
import type { InstalledTool } from "../registry/registry.ts";

/** Most characters of an alias. */
export const ALIAS_LIMIT = 48;

/** What an alias is made from. */
export type AliasFacts = Pick<InstalledTool, "id" | "installedAt"> & { readonly name?: string };

/** Digits of the hash in an alias that had to differ, to begin with. More are taken as long as the alias is in use. */
const HASH_DIGITS = 6;

/**
 * The aliases of one connection. Lives as long as the connection, so that a name which a client has seen means the same tool until
 * the end, whatever is installed, replaced or removed meanwhile.
 */
export class Aliases {
  readonly #idByName = new Map<string, string>();
  readonly #nameById = new Map<string, string>();
  /** Labels that some tool has, in whatever spelling. */
  readonly #labels = new Set<string>();

  /**
   * Gives an alias to each tool that has none yet, in the order of installation, then of ids.
   *
   * @param tools - All installed tools, the disabled ones too: a disabled tool keeps its name.
   */
  admit(tools: readonly AliasFacts[]): void {
    const fresh = tools.filter((tool) => !this.#nameById.has(tool.id));
    for (const tool of fresh.toSorted(byInstallation)) {
      const label = labelOf(tool.id);
      const isFirst = !this.#labels.has(fold(label));
      const own = isFirst ? spell(label, tool.name) : [];
      const name = [...own, ...hashed(tool.id, label)].find((candidate) => !this.#idByName.has(candidate));
      if (name === undefined) throw new Error(`BUG: every alias of ${tool.id} is taken`);
      this.#idByName.set(name, tool.id);
      this.#nameById.set(tool.id, name);
      this.#labels.add(fold(label));
    }
  }

  /** Finds the alias of an id. */
  nameOf(id: string): string | undefined {
    return this.#nameById.get(id);
  }

  /** Finds the id behind an alias. The tool may have been removed since. */
  idOf(name: string): string | undefined {
    return this.#idByName.get(name);
  }
}

function byInstallation(a: AliasFacts, b: AliasFacts): number {
  return a.installedAt - b.installedAt || (a.id < b.id ? -1 : 1);
}

/** The last label of an id; behind a `#`, which no id has, stands one of the tool's functions, and is added. */
function labelOf(id: string): string {
  const [tool = "", ...names] = id.split("#");
  const words = [tool.slice(tool.lastIndexOf(".") + 1), ...names].join("-");
  const label = words.replace(/[^A-Za-z0-9_-]/g, "-") || "tool";
  return label.slice(0, ALIAS_LIMIT);
}

/** What two spellings of one label have in common. */
function fold(label: string): string {
  return label.toLowerCase().replaceAll("_", "-");
}

/** Lists the names of the first tool with a label, the best one first: as its author spells it. */
function spell(label: string, name: string | undefined): readonly string[] {
  return name !== undefined && /^[A-Za-z0-9_-]+$/.test(name) && fold(name) === fold(label) ? [name, label] : [label];
}

/** Lists the names that a later tool with the same label may have. */
function hashed(id: string, label: string): readonly string[] {
  const hash = createHash("sha256").update(id).digest("hex");
  return Array.from({ length: ALIAS_LIMIT - HASH_DIGITS - 1 }, (_, index) => {
    const suffix = `-${hash.slice(0, HASH_DIGITS + index)}`;
    return label.slice(0, ALIAS_LIMIT - suffix.length) + suffix;
  });
}
