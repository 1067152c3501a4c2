/**
 * The names that prompts are served under. A prompt goes by its own name as long as no other package has the same, in whatever spelling; it always goes
 * by its tool's alias, two underscores and its name as well.
 *
 * Of two with one name neither gets it, however long one of them has been there: a package must not come by another's name through an update, and a
 * user who asks for it is told that it is not there. What a client has seen stays: while a connection lasts, a name never means another package's prompt.
 */
import type { ManifestPrompt } from "../manifest/manifest.ts";
import type { InstalledTool } from "../registry/registry.ts";

/** A prompt and the names that it is served under. */
export interface NamedPrompt {
  /** The one that is listed. */
  readonly name: string;
  /** The one that it always has. */
  readonly qualifiedName: string;
  readonly prompt: ManifestPrompt;
  readonly tool: InstalledTool;
}

/** A tool and its alias. */
interface Aliased {
  readonly name: string;
  readonly tool: InstalledTool;
}

/** The prompts' names of one connection. */
export class PromptNames {
  /** By folded names: the id of the tool whose prompt it is, or undefined when it is nobody's. */
  readonly #owners = new Map<string, string | undefined>();

  /**
   * Names the prompts of the tools.
   *
   * @param tools - All installed tools, the disabled ones too; one that has several aliases may come as often.
   */
  assign(tools: readonly Aliased[]): readonly NamedPrompt[] {
    const packages = [...new Map(tools.toReversed().map((each) => [each.tool.id, each])).values()].toReversed();
    this.#admit(packages.map(({ tool }) => tool));
    return packages.flatMap(({ name: alias, tool }) =>
      promptsOf(tool).map((prompt): NamedPrompt => {
        const qualifiedName = `${alias}__${prompt.name}`;
        const isOwn = this.#owners.get(fold(prompt.name)) === tool.id;
        return { name: isOwn ? prompt.name : qualifiedName, qualifiedName, prompt, tool };
      }),
    );
  }

  #admit(tools: readonly InstalledTool[]): void {
    const fresh = new Map<string, string | undefined>();
    for (const { id, name } of tools.flatMap((tool) =>
      promptsOf(tool).map((prompt) => ({ id: tool.id, name: prompt.name })),
    )) {
      const folded = fold(name);
      if (!this.#owners.has(folded)) fresh.set(folded, fresh.has(folded) ? undefined : id);
    }
    for (const [folded, id] of fresh) this.#owners.set(folded, id);
  }
}

function promptsOf({ manifest }: InstalledTool): readonly ManifestPrompt[] {
  return manifest.mcp.prompts ?? [];
}

function fold(name: string): string {
  return name.replaceAll("_", "-");
}
