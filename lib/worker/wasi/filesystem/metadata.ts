/**
 * Methods of `descriptor` about what files are. The guest's side of the trust boundary.
 *
 * Times are rounded down to the policy's tick, as clocks are; device and inode never leave the host, but as a hash that is good for one call.
 *
 * Source: wasi:filesystem 0.2, wit/types.wit; each function names its clause.
 */
import { define } from "../../../component/link/host.ts";
import { bool, string } from "../../../schema/value-type.ts";
import { FileError } from "../../files/error.ts";
import { setPathTimes, setTimes, statPath } from "../../files/look.ts";
import { type FileType, isSameFile, type NewTime, type NewTimes, type Stat } from "../../files/system.ts";
import type { Functions, Host } from "../host.ts";
import { attempt, type Descriptor, hashIdentity } from "./descriptor.ts";
import {
  BORROWED_DESCRIPTOR,
  DESCRIPTOR_BITS,
  DESCRIPTOR_FLAGS,
  DESCRIPTOR_STAT,
  DESCRIPTOR_TYPE,
  METADATA_HASH,
  NEW_TIMESTAMP,
  orError,
  PATH_FLAGS,
  SELF,
  SYMLINK_FOLLOW,
} from "./shape.ts";

type Datetime = readonly [seconds: bigint, nanoseconds: number];

/** `new-timestamp`. */
type NewTimestamp = { readonly tag: "no-change" | "now" } | { readonly tag: "timestamp"; readonly value: Datetime };

const NS_PER_SECOND = 1_000_000_000n;
/** Source: POSIX.1-2024, `time_t` of 64 bits. */
const SECONDS_END = 2n ** 63n;
const PATH = { ...SELF, "path-flags": PATH_FLAGS, path: string };
const TIMES = { "data-access-timestamp": NEW_TIMESTAMP, "data-modification-timestamp": NEW_TIMESTAMP };

export const METADATA_FUNCTIONS: Functions = {
  /** Tells how the descriptor was opened. Source: `get-flags`: "returns the same value as was returned by `open-at`" of its flags. */
  "[method]descriptor.get-flags": define([SELF, orError(DESCRIPTOR_FLAGS)], (_: Host, self: Descriptor) =>
    flagsOf(self),
  ),

  /** Tells what is open. Source: `get-type`: "This returns the `descriptor-type` of a descriptor". */
  "[method]descriptor.get-type": define([SELF, orError(DESCRIPTOR_TYPE)], (_: Host, { file }: Descriptor): FileType =>
    file.isDirectory ? "directory" : "regular-file",
  ),

  /** Tells what is open, with its size and times. Source: `stat`: "similar to `fstat` in POSIX, except that it does not return device and inode information". */
  "[method]descriptor.stat": define([SELF, orError(DESCRIPTOR_STAT)], (host: Host, self: Descriptor) =>
    attempt(self, () => describe(host, self.file.stat())),
  ),

  /** Tells what a path names. Source: `stat-at`: "similar to `fstatat` in POSIX". */
  "[method]descriptor.stat-at": define(
    [PATH, orError(DESCRIPTOR_STAT)],
    (host: Host, self: Descriptor, ...[flags, path]: readonly [number, string]) =>
      attempt(self, () => describe(host, statAt(self, flags, path)), path),
  ),

  /** Sets the times of what is open. Source: `set-times`: "similar to `futimens` in POSIX". */
  "[method]descriptor.set-times": define(
    [{ ...SELF, ...TIMES }, orError()],
    (_: Host, self: Descriptor, ...times: readonly [NewTimestamp, NewTimestamp]) =>
      attempt(self, () => setTimes(self.file, readTimes(times))),
  ),

  /** Sets the times of what a path names. Source: `set-times-at`: "similar to `utimensat` in POSIX". */
  "[method]descriptor.set-times-at": define(
    [{ ...PATH, ...TIMES }, orError()],
    (_: Host, self: Descriptor, ...[flags, path, ...times]: readonly [number, string, NewTimestamp, NewTimestamp]) =>
      attempt(self, () => setPathTimes(looked(self, flags, path), readTimes(times)), path),
  ),

  /** Compares two descriptors. Source: `is-same-object`: "the device (`st_dev`) … and the inode (`st_ino`)"; false when one is not there any more. */
  "[method]descriptor.is-same-object": define(
    [{ ...SELF, other: BORROWED_DESCRIPTOR }, bool],
    (_: Host, self: Descriptor, other: Descriptor) => isSame(self, other),
  ),

  /** Hashes what is open. Source: `metadata-hash`: "If the file is not modified or replaced, the computed hash value should usually not change". */
  "[method]descriptor.metadata-hash": define([SELF, orError(METADATA_HASH)], (host: Host, self: Descriptor) =>
    attempt(self, () => hashIdentity(host, self.file.stat())),
  ),

  /** Hashes what a path names. Source: `metadata-hash-at`: "performs the same hash computation as `metadata-hash`". */
  "[method]descriptor.metadata-hash-at": define(
    [PATH, orError(METADATA_HASH)],
    (host: Host, self: Descriptor, ...[flags, path]: readonly [number, string]) =>
      attempt(self, () => hashIdentity(host, statAt(self, flags, path)), path),
  ),
};

function looked({ file }: Descriptor, flags: number, path: string): Parameters<typeof statPath>[0] {
  return { base: file, path, isFollowed: (flags & SYMLINK_FOLLOW) !== 0 };
}

function statAt(self: Descriptor, flags: number, path: string): Stat {
  return statPath(looked(self, flags, path));
}

/** Directories have the rights of the directory that was granted: who opens one in it seldom asks for them by name. */
function flagsOf({ file, syncFlags }: Descriptor): number {
  const { isDirectory, rights, tree } = file;
  const mayMutate = isDirectory && tree.mount.access === "read-write";
  return (
    (rights.canRead || isDirectory ? DESCRIPTOR_BITS.read : 0) |
    (rights.canWrite ? DESCRIPTOR_BITS.write : 0) |
    (mayMutate ? DESCRIPTOR_BITS.mutateDirectory : 0) |
    syncFlags
  );
}

function describe(host: Host, stat: Stat): readonly unknown[] {
  const time = (ns: bigint): Datetime => {
    const tick = BigInt(host.policy.clockTickNs);
    // The standard has no times before 1970.
    const rounded = ns < 0n ? 0n : ns - (ns % tick);
    return [rounded / NS_PER_SECOND, Number(rounded % NS_PER_SECOND)];
  };
  const { type, links, size, accessedNs, modifiedNs, changedNs } = stat;
  return [type, BigInt(links), BigInt(size), time(accessedNs), time(modifiedNs), time(changedNs)];
}

function readTimes([accessed, modified]: readonly [NewTimestamp, NewTimestamp]): NewTimes {
  return { accessed: readTime(accessed), modified: readTime(modified) };
}

function readTime(time: NewTimestamp): NewTime {
  if (time.tag !== "timestamp") return time.tag === "now" ? "now" : "keep";
  const [seconds, nanoseconds] = time.value;
  if (BigInt(nanoseconds) >= NS_PER_SECOND) throw new FileError("invalid");
  if (seconds >= SECONDS_END) throw new FileError("overflow");
  return seconds * NS_PER_SECOND + BigInt(nanoseconds);
}

function isSame(self: Descriptor, other: Descriptor): boolean {
  try {
    return isSameFile(self.file.stat(), other.file.stat());
  } catch (error) {
    if (error instanceof FileError) return false;
    throw error;
  }
}
