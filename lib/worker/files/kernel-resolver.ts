/**
 * Resolves paths by the system, in one call each: `openat2` with `RESOLVE_BENEATH`. The guest's side of the trust boundary.
 *
 * Source: openat2(2).
 */
import { constants } from "node:fs";
import { closeDescriptor } from "./close.ts";
import { splitPath } from "./path.ts";
import { type Located, Place, type Resolver } from "./resolver.ts";
import type { OpenMode, System } from "./system.ts";

/** Makes the resolver. @param openBeneath - The system's. */
export function makeKernelResolver(system: System, openBeneath: NonNullable<System["openBeneath"]>): Resolver {
  const open = ({ base, path, isFollowed }: Located, mode: OpenMode): number => {
    const flags = isFollowed ? mode.flags : mode.flags | constants.O_NOFOLLOW;
    return openBeneath({ directory: base, name: path }, { ...mode, flags });
  };
  const handle = (located: Located): Place =>
    new Place(open(located, { flags: system.traverseFlags & ~constants.O_DIRECTORY }), "");
  return {
    open,
    stat: (located) => {
      using found = handle(located);
      return system.stat(found);
    },
    setTimes: (located, times) => {
      using found = handle(located);
      system.setTimes(found, times);
    },
    place: (base, path) => {
      const { parent, name, isDirectory } = splitPath(path);
      const directory = openBeneath({ directory: base, name: parent }, { flags: system.traverseFlags });
      return new Place(directory, name, isDirectory);
    },
  };
}

/** Tells whether the kernel has `openat2`, and lets us use it. @param directory - Any that is open. */
export function hasKernelResolver({ openBeneath, traverseFlags }: System, directory: number): boolean {
  try {
    if (openBeneath === undefined) return false;
    closeDescriptor(openBeneath({ directory, name: "." }, { flags: traverseFlags }));
    return true;
  } catch {
    return false;
  }
}
