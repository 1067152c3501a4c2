/**
 * `wasi:filesystem`: the directories that were granted, and nothing else. The guest's side of the trust boundary.
 *
 * A guest without a grant has no descriptor, and so no function of these that it could call to any effect: nothing is denied then, for there is
 * nothing to ask.
 *
 * Source: wasi:filesystem 0.2, wit/preopens.wit, wit/types.wit.
 */
import { define } from "../../component/link/host.ts";
import { borrow, list, option, string, tuple } from "../../schema/value-type.ts";
import { DATA_FUNCTIONS } from "./filesystem/data.ts";
import { preopen } from "./filesystem/descriptor.ts";
import { DIRECTORY_FUNCTIONS } from "./filesystem/directory.ts";
import { METADATA_FUNCTIONS } from "./filesystem/metadata.ts";
import { DESCRIPTOR, ERROR_CODE } from "./filesystem/shape.ts";
import { type Host, serve, type WasiInterface } from "./host.ts";
import type { IoError } from "./streams.ts";

/** `wasi:filesystem/preopens`. */
export const FILESYSTEM_PREOPENS: WasiInterface = serve("wasi:filesystem/preopens", {
  /** Lists the directories that the guest may use. Source: `get-directories`: "the set of preopened directories, and their paths". */
  "get-directories": define([{}, list(tuple(DESCRIPTOR, string))], (host: Host) => preopen(host)),
});

/** `wasi:filesystem/types`. */
export const FILESYSTEM_TYPES: WasiInterface = serve(
  "wasi:filesystem/types",
  {
    ...DATA_FUNCTIONS,
    ...METADATA_FUNCTIONS,
    ...DIRECTORY_FUNCTIONS,

    /**
     * Tells which error of a file is behind a stream's.
     *
     * Source: `filesystem-error-code`: "not all stream-related errors are filesystem-related errors".
     */
    "filesystem-error-code": define(
      [{ err: borrow("wasi:io/error/error") }, option(ERROR_CODE)],
      (_: Host, { fault }: IoError) => fault.codes.filesystem,
    ),
  },
  ["descriptor", "directory-entry-stream"],
);
