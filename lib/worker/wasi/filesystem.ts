/**
 * `wasi:filesystem`: no preopened directories, so no file can be reached. The guest's side of the trust boundary.
 *
 * Source: wasi:filesystem 0.2, wit/preopens.wit, wit/types.wit.
 */
import type { InterfaceFactory } from "./host.ts";

/** The interfaces of `wasi:filesystem`, by name without version. What is missing from one is denied as file access. */
export const FILESYSTEM_INTERFACES: readonly (readonly [name: string, create: InterfaceFactory])[] = [
  [
    "wasi:filesystem/preopens",
    (host) => ({
      /**
       * Lists the directories that the guest may use: none. Denies nothing, because toolchains ask at start.
       *
       * Source: wit/preopens.wit `get-directories`: "the set of preopened directories, and their paths".
       */
      getDirectories(): [] {
        host.context.enter();
        return [];
      },
    }),
  ],
  [
    "wasi:filesystem/types",
    (host) => ({
      /**
       * Tells which filesystem error is behind a stream's error: none is, because no stream reads or writes a file.
       *
       * Source: wit/types.wit `filesystem-error-code`: "not all stream-related errors are filesystem-related errors".
       */
      filesystemErrorCode(): undefined {
        host.context.enter();
      },
    }),
  ],
];
