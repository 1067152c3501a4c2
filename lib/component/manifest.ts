/**
 * The form of an artifact outside a process's memory: a manifest in JSON, and parts (the plan as JSON, then the core modules) as bytes.
 * Parsed as if a stranger had written it, wherever it comes from: the compiling child or the disk.
 */
import * as v from "valibot";
import { parsePlan } from "./plan-form.ts";
import { PLAIN_NAME } from "./reader.ts";
import { type ArtifactModule, COMPONENT_LIMITS, type Compiled, type Entries } from "./artifact.ts";

/** All of an artifact but the bytes of its parts. */
export interface ArtifactManifest extends Entries {
  readonly imports: readonly string[];
  /** Length of the plan as JSON, in UTF-8. */
  readonly planBytes: number;
  readonly modules: readonly ManifestModule[];
}

/** A core module's place in a manifest. */
interface ManifestModule extends Omit<ArtifactModule, "bytes"> {
  /** Length of the module. */
  readonly bytes: number;
}

const size = (limit: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(limit));
const PAGES = size(65_536);

const MODULE = v.strictObject({
  name: v.pipe(v.string(), v.regex(/^tool\.core(?:[1-9]\d{0,2})?\.wasm$/)),
  bytes: size(COMPONENT_LIMITS.meteredBytes),
  memories: v.pipe(
    v.array(
      v.strictObject({
        initialPages: PAGES,
        maximumPages: v.pipe(
          v.nullable(PAGES),
          v.transform((pages) => pages ?? undefined),
        ),
      }),
    ),
    v.maxLength(100),
  ),
  initialTableElements: size(0xffff_ffff),
  initialHeapBytes: size(0xffff_ffff),
});

const MODULES = v.pipe(
  v.array(MODULE),
  v.maxLength(COMPONENT_LIMITS.modules),
  v.check((modules) => new Set(modules.map(({ name }) => name)).size === modules.length, "two modules have one name"),
  v.check(
    (modules) => modules.reduce((sum, { bytes }) => sum + bytes, 0) <= COMPONENT_LIMITS.meteredBytes,
    "the modules are too large",
  ),
);

/** What a name may have that ends up in messages, commands and logs. */
const ENTRY_NAME = v.pipe(v.string(), v.regex(/^[A-Za-z0-9:/@._-]{1,300}$/));

const MANIFEST = v.strictObject({
  kind: v.picklist(["tool", "bare", "command", "functions"]),
  entries: v.pipe(
    v.array(v.strictObject({ name: ENTRY_NAME, exported: size(COMPONENT_LIMITS.exports) })),
    v.minLength(1),
    v.maxLength(COMPONENT_LIMITS.exports),
  ),
  imports: v.pipe(
    v.array(v.pipe(v.string(), v.minLength(1), v.regex(PLAIN_NAME))),
    v.maxLength(COMPONENT_LIMITS.imports),
  ),
  planBytes: size(COMPONENT_LIMITS.planBytes),
  modules: MODULES,
});

/** Parses a manifest. @returns Undefined when anything about it is not as it should be. */
export function parseManifest(input: unknown): ArtifactManifest | undefined {
  const parsed = v.safeParse(MANIFEST, input, { abortEarly: true });
  return parsed.success ? parsed.output : undefined;
}

/** Takes an artifact apart. @returns Its manifest, ready for JSON, and its parts in the manifest's order. */
export function takeApart(compiled: Compiled): { manifest: object; parts: readonly Uint8Array[] } {
  const plan = new TextEncoder().encode(JSON.stringify(compiled.plan));
  const modules = compiled.modules.map(({ name, bytes, memories, initialTableElements, initialHeapBytes }) => ({
    name,
    bytes: bytes.length,
    memories: memories.map(({ initialPages, maximumPages }) => ({ initialPages, maximumPages: maximumPages ?? null })),
    initialTableElements,
    initialHeapBytes,
  }));
  const manifest = {
    kind: compiled.kind,
    entries: compiled.entries,
    imports: compiled.imports,
    planBytes: plan.length,
    modules,
  };
  return { manifest, parts: [plan, ...compiled.modules.map(({ bytes }) => bytes)] };
}

/** Lists how long each part must be: the plan, then the core modules. */
export function partSizes(manifest: ArtifactManifest): readonly number[] {
  return [manifest.planBytes, ...manifest.modules.map(({ bytes }) => bytes)];
}

/**
 * Puts an artifact together.
 *
 * @param parts - The plan, then the core modules; of the lengths in {@link partSizes}.
 * @returns Undefined when a part is missing or the plan is none.
 */
export function putTogether(manifest: ArtifactManifest, parts: readonly Uint8Array[]): Compiled | undefined {
  const [planBytes, ...moduleBytes] = parts;
  const plan = planBytes && parsePlan(parseJson(planBytes), moduleBytes.length);
  const areThere = manifest.entries.every(({ exported }) => plan?.exports[exported] !== undefined);
  if (plan === undefined || !areThere || moduleBytes.length !== manifest.modules.length) return undefined;
  const modules = moduleBytes.flatMap((bytes, index) => {
    const module = manifest.modules[index];
    return module === undefined ? [] : [{ ...module, bytes }];
  });
  return { kind: manifest.kind, entries: manifest.entries, plan, modules, imports: manifest.imports };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
