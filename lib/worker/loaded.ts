/**
 * A component as a Worker keeps it: linked to what the host offers, ready for calls. The guest's side of the trust boundary.
 */
import type { LoadableArtifact } from "../component/instantiate.ts";
import { Linker } from "../component/link/linker.ts";
import { INTERFACES } from "./imports.ts";
import type { Host } from "./wasi/host.ts";

/** A component that was loaded. */
export interface LoadedComponent {
  readonly artifact: LoadableArtifact;
  readonly linker: Linker<Host>;
}

/** Prepares a component for its calls. @throws {Error} `BUG: …` when the artifact is not as the compiler makes it. */
export function loadComponent(artifact: LoadableArtifact): LoadedComponent {
  return { artifact, linker: new Linker(artifact.plan, INTERFACES) };
}
