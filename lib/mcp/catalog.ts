/**
 * The installed tools as a connection sees them: read again whenever any process has changed the registry, so that an installation
 * is served at once.
 */
import type { FunctionDescription } from "../component/functions.ts";
import type { InstalledTool, Registry } from "../registry/registry.ts";
import { Aliases } from "./alias.ts";
import { type NamedPrompt, PromptNames } from "./prompt-names.ts";

/** A tool and the name that it is served under. */
export interface NamedTool {
  readonly name: string;
  readonly tool: InstalledTool;
  /** The one of the tool's functions that it stands for, when it is a component of functions. */
  readonly function: FunctionDescription | undefined;
}

/** A catalog as one client may see it. */
export type CatalogView = Pick<Catalog, "enabled" | "find" | "prompts" | "findPrompt" | "revision">;

/**
 * Leaves out of a catalog what a client may not use: for them it is not installed. Names stay what they are for everybody.
 *
 * @param catalog - The whole one.
 * @param mayUse - Says whether a tool is for the client, by its id.
 */
export function narrowCatalog(catalog: Catalog, mayUse: (id: string) => boolean): CatalogView {
  const named = (found: NamedTool | undefined): NamedTool | undefined =>
    found !== undefined && mayUse(found.tool.id) ? found : undefined;
  return {
    enabled: () => catalog.enabled().filter(({ tool }) => mayUse(tool.id)),
    find: (name) => named(catalog.find(name)),
    prompts: () => catalog.prompts().filter(({ tool }) => mayUse(tool.id)),
    findPrompt: (name) => {
      const found = catalog.findPrompt(name);
      return found !== undefined && mayUse(found.tool.id) ? found : undefined;
    },
    revision: () => catalog.revision(),
  };
}

/** The catalog of one connection over stdio, or of all that one server has over HTTP. */
export class Catalog {
  readonly #registry: Pick<Registry, "list" | "revision">;
  readonly #aliases = new Aliases();
  readonly #promptNames = new PromptNames();
  #revision: number | undefined;
  #tools: ReadonlyMap<string, NamedTool> = new Map();
  #prompts: readonly NamedPrompt[] = [];

  /** @param registry - Read at every question, by its revision number; the tools only when that has changed. */
  constructor(registry: Pick<Registry, "list" | "revision">) {
    this.#registry = registry;
  }

  /**
   * Lists the tools that can be called, by id ascending. A disabled tool is not among them.
   *
   * @throws {Failure} what the registry throws when it cannot be read.
   */
  enabled(): readonly NamedTool[] {
    return [...this.#current().values()].filter(({ tool }) => tool.enabled);
  }

  /**
   * Finds a tool by the name that it is served under. A disabled one is found: the runtime says that it is disabled.
   *
   * @throws {Failure} what the registry throws when it cannot be read.
   */
  find(name: string): NamedTool | undefined {
    return this.#current().get(name);
  }

  /**
   * Lists the prompts of the tools that can be called.
   *
   * @throws {Failure} what the registry throws when it cannot be read.
   */
  prompts(): readonly NamedPrompt[] {
    this.#current();
    return this.#prompts.filter(({ tool }) => tool.enabled);
  }

  /**
   * Finds a prompt by either of its names.
   *
   * @throws {Failure} what the registry throws when it cannot be read.
   */
  findPrompt(name: string): NamedPrompt | undefined {
    return this.prompts().find((each) => each.name === name || each.qualifiedName === name);
  }

  /** Reads the registry's revision number, which changes whenever a tool does. */
  revision(): number {
    return this.#registry.revision();
  }

  #current(): ReadonlyMap<string, NamedTool> {
    // The number is read before the tools: a change in between is then seen at the next question, never missed.
    const revision = this.#registry.revision();
    if (revision !== this.#revision) {
      this.#tools = this.#read();
      this.#prompts = this.#promptNames.assign([...this.#tools.values()]);
      this.#revision = revision;
    }
    return this.#tools;
  }

  #read(): ReadonlyMap<string, NamedTool> {
    const tools = this.#registry.list();
    this.#aliases.admit(tools);
    this.#aliases.admit(
      tools.flatMap((tool) => tool.functions.map(({ name }) => ({ ...tool, id: `${tool.id}#${name}` }))),
    );
    const named = tools.flatMap((tool): readonly NamedTool[] => {
      if (tool.functions.length === 0) return [{ name: this.#nameOf(tool.id), tool, function: undefined }];
      return tool.functions.map((each) => ({ name: this.#nameOf(`${tool.id}#${each.name}`), tool, function: each }));
    });
    return new Map(named.map((entry) => [entry.name, entry]));
  }

  #nameOf(key: string): string {
    return this.#aliases.nameOf(key) ?? key;
  }
}
