/**
 * The types of `wasi:filesystem`. Data only.
 *
 * Source: wasi:filesystem 0.2, wit/types.wit.
 */
import {
  borrow,
  enumeration,
  flags,
  option,
  own,
  record,
  result,
  string,
  u32,
  u64,
  type ValueType,
  variant,
} from "../../../schema/value-type.ts";
import { ERROR_CODES } from "../../files/error.ts";

/** A borrowed `descriptor`: the first parameter of its methods. */
export const SELF: Readonly<Record<"self", ValueType>> = { self: borrow("wasi:filesystem/types/descriptor") };
export const DESCRIPTOR: ValueType = own("wasi:filesystem/types/descriptor");
export const BORROWED_DESCRIPTOR: ValueType = borrow("wasi:filesystem/types/descriptor");
export const ENTRY_STREAM: ValueType = own("wasi:filesystem/types/directory-entry-stream");
export const BORROWED_ENTRY_STREAM: ValueType = borrow("wasi:filesystem/types/directory-entry-stream");

export const ERROR_CODE: ValueType = enumeration(...ERROR_CODES);

export const DESCRIPTOR_TYPE: ValueType = enumeration(
  "unknown",
  "block-device",
  "character-device",
  "directory",
  "fifo",
  "symbolic-link",
  "regular-file",
  "socket",
);

export const DESCRIPTOR_FLAGS: ValueType = flags(
  "read",
  "write",
  "file-integrity-sync",
  "data-integrity-sync",
  "requested-write-sync",
  "mutate-directory",
);

export const PATH_FLAGS: ValueType = flags("symlink-follow");
export const OPEN_FLAGS: ValueType = flags("create", "directory", "exclusive", "truncate");
export const ADVICE: ValueType = enumeration("normal", "sequential", "random", "will-need", "dont-need", "no-reuse");

/** `wasi:clocks/wall-clock` `datetime`. */
const DATETIME: ValueType = record({ seconds: u64, nanoseconds: u32 });

export const NEW_TIMESTAMP: ValueType = variant({ "no-change": undefined, now: undefined, timestamp: DATETIME });

export const DESCRIPTOR_STAT: ValueType = record({
  type: DESCRIPTOR_TYPE,
  "link-count": u64,
  size: u64,
  "data-access-timestamp": option(DATETIME),
  "data-modification-timestamp": option(DATETIME),
  "status-change-timestamp": option(DATETIME),
});

export const DIRECTORY_ENTRY: ValueType = record({ type: DESCRIPTOR_TYPE, name: string });
export const METADATA_HASH: ValueType = record({ lower: u64, upper: u64 });

/** Bits of `descriptor-flags`. */
export const DESCRIPTOR_BITS = {
  read: 1,
  write: 2,
  fileIntegritySync: 4,
  dataIntegritySync: 8,
  requestedWriteSync: 16,
  mutateDirectory: 32,
} as const;

/** Bits of `open-flags`. */
export const OPEN_BITS = { create: 1, directory: 2, exclusive: 4, truncate: 8 } as const;

/** The bit of `path-flags`. */
export const SYMLINK_FOLLOW = 1;

/** Makes `result<T, error-code>`. */
export function orError(ok?: ValueType): ValueType {
  return result(ok, ERROR_CODE);
}
