/**
 * The names that agents see. A tool's dotted id is too long and has characters that clients refuse, so that it is served under
 * an alias: `[A-Za-z0-9_-]`, at most 40 characters, because clients put a prefix of their own in front and stop at 64.
 *
 * The rule: the alias is the last label of the id; the tool that was installed first keeps it, and every later tool with the same
 * label gets `-` and the first digits of the SHA-256 of its own id. Thus no installation renames a tool that is already there, and
 * a tool that imitates another one's label never gets that one's name.
 */
import { createHash } from "node:crypto";
import type { InstalledTool } from "../registry/registry.ts";

/** Most characters of an alias. */
export const ALIAS_LIMIT = 40;

/** Digits of the hash in an alias that had to differ, to begin with. More are taken as long as the alias is in use. */
const HASH_DIGITS = 6;

/**
 * The aliases of one connection. Lives as long as the connection, so that a name which a client has seen means the same tool until
 * the end, whatever is installed, replaced or removed meanwhile.
 */
export class Aliases {
  readonly #idByName = new Map<string, string>();
  readonly #nameById = new Map<string, string>();

  /**
   * Gives an alias to each tool that has none yet, in the order of installation, then of ids.
   *
   * @param tools - All installed tools, the disabled ones too: a disabled tool keeps its name.
   */
  admit(tools: readonly Pick<InstalledTool, "id" | "installedAt">[]): void {
    const fresh = tools.filter((tool) => !this.#nameById.has(tool.id));
    for (const tool of fresh.toSorted(byInstallation)) {
      const name = candidates(tool.id).find((candidate) => !this.#idByName.has(candidate));
      if (name === undefined) throw new Error(`BUG: every alias of ${tool.id} is taken`);
      this.#idByName.set(name, tool.id);
      this.#nameById.set(tool.id, name);
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

function byInstallation(a: Pick<InstalledTool, "id" | "installedAt">, b: typeof a): number {
  return a.installedAt - b.installedAt || (a.id < b.id ? -1 : 1);
}

/** Lists the aliases that an id may have, the best one first. Behind a `#`, which no id has, it names one of the tool's functions. */
function candidates(id: string): readonly string[] {
  const [tool = "", ...names] = id.split("#");
  const words = [tool.slice(tool.lastIndexOf(".") + 1), ...names].join("-");
  const label = words.replace(/[^A-Za-z0-9_-]/g, "-") || "tool";
  const hash = createHash("sha256").update(id).digest("hex");
  const hashed = Array.from({ length: ALIAS_LIMIT - HASH_DIGITS - 1 }, (_, index) => {
    const suffix = `-${hash.slice(0, HASH_DIGITS + index)}`;
    return label.slice(0, ALIAS_LIMIT - suffix.length) + suffix;
  });
  return [label.slice(0, ALIAS_LIMIT), ...hashed];
}
