/**
 * The places where files are opened by their path at the host, with all the authority of the process: the directories that were granted, and what
 * KAMI keeps beside one. All else goes on from a directory that is open. The guest's side of the trust boundary.
 */
import { constants, openSync } from "node:fs";
import { arch, platform } from "node:os";
import { closeDescriptor } from "./close.ts";
import { attempt, FileError } from "./error.ts";
import { makeDarwin } from "./darwin.ts";
import { hasKernelResolver, makeKernelResolver } from "./kernel-resolver.ts";
import { makeLinux } from "./linux.ts";
import type { Resolver } from "./resolver.ts";
import type { System } from "./system.ts";
import { makeWalkResolver } from "./walk-resolver.ts";

/** How files are reached on this machine. */
export interface Access {
  readonly system: System;
  readonly resolver: Resolver;
}

let ambient: Access | undefined;

/**
 * Opens a directory that was granted, by its path at the host. A symlink in that path is followed: the path is the user's.
 *
 * @param hostPath - Absolute.
 * @throws {FileError} `no-entry` or `not-directory` when it is not there any more; `not-permitted` when its files are those of processes.
 */
export function openAmbientDirectory(hostPath: string): number {
  const fd = attempt(() => openSync(hostPath, constants.O_RDONLY | constants.O_DIRECTORY));
  if (!findAmbientAccess(fd).system.isProcessFilesystem(fd)) return fd;
  closeDescriptor(fd);
  throw new FileError("not-permitted");
}

/**
 * Opens a file of KAMI's own, by its path at the host; makes it when it is not there.
 *
 * @param hostPath - Absolute.
 * @throws {FileError}
 */
export function openAmbientRecord(hostPath: string): number {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  return attempt(() => openSync(hostPath, flags, 0o600));
}

/**
 * Finds how files are reached here: by the kernel's own resolution where it has one and we may use it, else by walking.
 *
 * @param directory - Any that is open.
 * @throws {FileError} `unsupported` on a machine that KAMI knows no calls of.
 */
export function findAmbientAccess(directory: number): Access {
  ambient ??= makeAccess(makeAmbientSystem(), directory);
  return ambient;
}

/** Makes the system's calls. @throws {FileError} `unsupported` on a machine that KAMI knows no calls of. */
export function makeAmbientSystem(): System {
  if (platform() === "linux") return makeLinux(arch());
  if (platform() === "darwin") return makeDarwin(arch());
  throw new FileError("unsupported");
}

function makeAccess(system: System, directory: number): Access {
  const { openBeneath } = system;
  if (openBeneath === undefined || !hasKernelResolver(system, directory))
    return { system, resolver: makeWalkResolver(system) };
  return { system, resolver: makeKernelResolver(system, openBeneath) };
}
