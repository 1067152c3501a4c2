/**
 * The system's calls on macOS. Nobody has run them yet: what they share with Linux is tested there. The guest's side of the trust boundary.
 *
 * Source: macOS manual pages, sections 2 and 3; sys/stat.h and sys/dirent.h with 64-bit inodes.
 */
import { FFIType, ptr } from "bun:ffi";
import { constants, writeSync } from "node:fs";
import { loadAmbientLibrary } from "./ambient-library.ts";
import { DarwinListing } from "./darwin-listing.ts";
import { fileErrorOf } from "./error.ts";
import { NameBuffer, TimesBuffer, viewErrno } from "./memory.ts";
import { type Entry, type Stat, type System, typeOfMode } from "./system.ts";

const LIBRARIES = ["libSystem.B.dylib"];
const O_CLOEXEC = 0x1000000;
const AT_SYMLINK_NOFOLLOW = 0x20;
const AT_REMOVEDIR = 0x80;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;
const UTIME = { now: -1n, keep: -2n };
const STAT_BYTES = 144;
const DIRECTORY_PERMISSIONS = 0o700;
const LINK_BYTES = 4096;

/** Addresses go in as numbers. */
const { i32, i64_fast: value, ptr: pointer } = FFIType;
const STAT = { args: [i32, value], returns: i32 } as const;
const STAT_AT = { args: [i32, value, value, i32], returns: i32 } as const;
const OPEN_LISTING = { args: [i32], returns: pointer } as const;
const READ_LISTING = { args: [value], returns: pointer } as const;

/** Makes the calls. @param arch - `x64`, where some functions have an older twin, or `arm64`. */
export function makeDarwin(arch: string): System {
  const { __error: locateErrno, ...library } = load();
  const structures = loadStructures(arch);
  const errno = viewErrno(locateErrno());
  const check = (result: number): number => {
    if (result < 0) throw fileErrorOf(errno[0] ?? 0);
    return result;
  };
  const [name, other] = [new NameBuffer(), new NameBuffer()];
  const times = new TimesBuffer(UTIME);
  const target = new Uint8Array(LINK_BYTES);
  const stat = makeStat((entry, buffer) => {
    if (entry.name === "") return check(structures.fstat(entry.directory, buffer));
    return check(structures.fstatat(entry.directory, name.put(entry.name), buffer, AT_SYMLINK_NOFOLLOW));
  });
  return {
    traverseFlags: constants.O_RDONLY | constants.O_DIRECTORY,
    open: (entry, { flags, permissions = 0 }) => {
      const all = flags | O_CLOEXEC | constants.O_NOFOLLOW;
      // The permissions are variadic: on arm64 such arguments lie on the stack, as the ninth and later ones of other functions do.
      return check(library.openat(entry.directory, name.put(entry.name), all, permissions, 0, 0, 0, 0, permissions));
    },
    openBeneath: undefined,
    stat,
    readLink: (entry) => {
      const length = check(library.readlinkat(entry.directory, name.put(entry.name), ptr(target), LINK_BYTES));
      return target.slice(0, length);
    },
    makeDirectory: (entry) => void check(library.mkdirat(entry.directory, name.put(entry.name), DIRECTORY_PERMISSIONS)),
    makeSymlink: (content, entry) =>
      void check(library.symlinkat(other.put(content), entry.directory, name.put(entry.name))),
    removeFile: (entry) => void check(library.unlinkat(entry.directory, name.put(entry.name), 0)),
    removeDirectory: (entry) => void check(library.unlinkat(entry.directory, name.put(entry.name), AT_REMOVEDIR)),
    rename: (from, to) =>
      void check(library.renameat(from.directory, other.put(from.name), to.directory, name.put(to.name))),
    link: (from, to) =>
      void check(library.linkat(from.directory, other.put(from.name), to.directory, name.put(to.name), 0)),
    setTimes: (entry, change) => {
      if (entry.name === "") return void check(library.futimens(entry.directory, times.put(change)));
      const where = [entry.directory, name.put(entry.name)] as const;
      return void check(library.utimensat(...where, times.put(change), AT_SYMLINK_NOFOLLOW));
    },
    advise: () => undefined,
    // Not in one step: others that append to the same file at the same time may be overwritten.
    append: (fd, bytes) => writeSync(fd, bytes, 0, bytes.length, stat({ directory: fd, name: "" }).size),
    lock: (fd) => library.flock(fd, LOCK_EX | LOCK_NB) === 0,
    unlock: (fd) => void check(library.flock(fd, LOCK_UN)),
    list: (fd) => {
      const listing = Number(structures.fdopendir(fd));
      if (listing === 0) throw fileErrorOf(errno[0] ?? 0);
      return new DarwinListing(
        () => structures.readdir(listing),
        () => void library.closedir(listing),
      );
    },
    isProcessFilesystem: () => false,
  };
}

/** On x64 the plain names are those of older structures. */
function loadStructures(arch: string) {
  if (arch !== "x64") {
    return loadAmbientLibrary(LIBRARIES, {
      fstat: STAT,
      fstatat: STAT_AT,
      fdopendir: OPEN_LISTING,
      readdir: READ_LISTING,
    });
  }
  const old = loadAmbientLibrary(LIBRARIES, {
    fstat$INODE64: STAT,
    fstatat$INODE64: STAT_AT,
    fdopendir$INODE64: OPEN_LISTING,
    readdir$INODE64: READ_LISTING,
  });
  return {
    fstat: old.fstat$INODE64,
    fstatat: old.fstatat$INODE64,
    fdopendir: old.fdopendir$INODE64,
    readdir: old.readdir$INODE64,
  };
}

function load() {
  return loadAmbientLibrary(LIBRARIES, {
    __error: { args: [], returns: pointer },
    openat: { args: [i32, value, i32, value, value, value, value, value, value], returns: i32 },
    readlinkat: { args: [i32, value, value, value], returns: i32 },
    mkdirat: { args: [i32, value, i32], returns: i32 },
    symlinkat: { args: [value, i32, value], returns: i32 },
    unlinkat: { args: [i32, value, i32], returns: i32 },
    renameat: { args: [i32, value, i32, value], returns: i32 },
    linkat: { args: [i32, value, i32, value, i32], returns: i32 },
    utimensat: { args: [i32, value, value, i32], returns: i32 },
    futimens: { args: [i32, value], returns: i32 },
    flock: { args: [i32, i32], returns: i32 },
    closedir: { args: [value], returns: i32 },
  });
}

/** Source: sys/stat.h, struct stat with 64-bit inodes. */
function makeStat(fill: (entry: Entry, buffer: number) => void): (entry: Entry) => Stat {
  const view = new DataView(new ArrayBuffer(STAT_BYTES));
  const buffer: number = ptr(view);
  const time = (offset: number): bigint =>
    view.getBigInt64(offset, true) * 1_000_000_000n + view.getBigInt64(offset + 8, true);
  return (entry) => {
    fill(entry, buffer);
    return {
      type: typeOfMode(view.getUint16(4, true)),
      device: BigInt(view.getInt32(0, true)),
      inode: view.getBigUint64(8, true),
      links: view.getUint16(6, true),
      size: Number(view.getBigInt64(96, true)),
      accessedNs: time(32),
      modifiedNs: time(48),
      changedNs: time(64),
    };
  };
}
