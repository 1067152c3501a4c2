/**
 * The system's calls on Linux, by their numbers: no C library comes between, and whoever has Linux has them. The guest's side of the trust
 * boundary.
 *
 * Source: the manual pages of section 2; arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
 */
import { FFIType, ptr } from "bun:ffi";
import { constants } from "node:fs";
import { loadAmbientLibrary } from "./ambient-library.ts";
import { FileError, fileErrorOf } from "./error.ts";
import { LinuxListing } from "./linux-listing.ts";
import { NameBuffer, TimesBuffer, viewErrno } from "./memory.ts";
import { type Advice, type Entry, type Stat, type System, typeOfMode } from "./system.ts";

interface Numbers {
  readonly openat: number;
  readonly statx: number;
  readonly readlinkat: number;
  readonly mkdirat: number;
  readonly symlinkat: number;
  readonly unlinkat: number;
  readonly renameat2: number;
  readonly linkat: number;
  readonly utimensat: number;
  readonly fadvise64: number;
  readonly pwritev2: number;
  readonly flock: number;
  readonly getdents64: number;
  readonly fstatfs: number;
}

const NUMBERS = new Map<string, Numbers>([
  [
    "x64",
    {
      openat: 257,
      statx: 332,
      readlinkat: 267,
      mkdirat: 258,
      symlinkat: 266,
      unlinkat: 263,
      renameat2: 316,
      linkat: 265,
      utimensat: 280,
      fadvise64: 221,
      pwritev2: 328,
      flock: 73,
      getdents64: 217,
      fstatfs: 138,
    },
  ],
  [
    "arm64",
    {
      openat: 56,
      statx: 291,
      readlinkat: 78,
      mkdirat: 34,
      symlinkat: 36,
      unlinkat: 35,
      renameat2: 276,
      linkat: 37,
      utimensat: 88,
      fadvise64: 223,
      pwritev2: 287,
      flock: 32,
      getdents64: 61,
      fstatfs: 44,
    },
  ],
]);

/** The same everywhere. */
const OPENAT2 = 437;
const O_CLOEXEC = 0o2_000_000;
const O_PATH = 0o10_000_000;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_REMOVEDIR = 0x200;
const AT_EMPTY_PATH = 0x1000;
const STATX_BASIC_STATS = 0x7ff;
const STATX_BYTES = 256;
/** No other filesystem, no magic link, nothing outside of the directory. */
const RESOLVE = 0x01n | 0x02n | 0x08n;
/** A rename anywhere on the machine makes `openat2` give up on a path with `..`, to be on the safe side. */
const RESOLVE_ATTEMPTS = 1000;
const RWF_APPEND = 0x10;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;
const UTIME = { now: 0x3fffffffn, keep: 0x3ffffffen };
const ADVICE: Readonly<Record<Advice, number>> = {
  normal: 0,
  random: 1,
  sequential: 2,
  "will-need": 3,
  "dont-need": 4,
  "no-reuse": 5,
};
const PROC_SUPER_MAGIC = 0x9fa0;
const DIRECTORY_PERMISSIONS = 0o700;
const LINK_BYTES = 4096;

/** glibc, musl. */
const LIBRARIES = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];

type Call = (number: number, ...values: readonly number[]) => number;

/** Makes the calls. @param arch - `x64` or `arm64`. @throws {FileError} `unsupported` for another. */
export function makeLinux(arch: string): System {
  const numbers = NUMBERS.get(arch);
  if (numbers === undefined) throw new FileError("unsupported");
  const call = loadSyscall();
  const [name, other] = [new NameBuffer(), new NameBuffer()];
  const times = new TimesBuffer(UTIME);
  const how = new BigUint64Array(3);
  const vector = new BigUint64Array(2);
  const target = new Uint8Array(LINK_BYTES);
  const filesystem = new BigInt64Array(32);
  return {
    traverseFlags: O_PATH | constants.O_DIRECTORY,
    open: (entry, { flags, permissions = 0 }) =>
      call(
        numbers.openat,
        entry.directory,
        name.put(entry.name),
        flags | O_CLOEXEC | constants.O_NOFOLLOW,
        permissions,
      ),
    openBeneath: (entry, { flags, permissions = 0 }) => {
      how.set([BigInt(flags | O_CLOEXEC), BigInt(permissions), RESOLVE]);
      const address = name.put(entry.name);
      return resolveBeneath(() => call(OPENAT2, entry.directory, address, ptr(how), how.byteLength));
    },
    stat: makeStat(call, numbers.statx),
    readLink: (entry) => {
      const length = call(numbers.readlinkat, entry.directory, name.put(entry.name), ptr(target), LINK_BYTES);
      return target.slice(0, length);
    },
    makeDirectory: (entry) => void call(numbers.mkdirat, entry.directory, name.put(entry.name), DIRECTORY_PERMISSIONS),
    makeSymlink: (content, entry) =>
      void call(numbers.symlinkat, other.put(content), entry.directory, name.put(entry.name)),
    removeFile: (entry) => void call(numbers.unlinkat, entry.directory, name.put(entry.name), 0),
    removeDirectory: (entry) => void call(numbers.unlinkat, entry.directory, name.put(entry.name), AT_REMOVEDIR),
    rename: (from, to) =>
      void call(numbers.renameat2, from.directory, other.put(from.name), to.directory, name.put(to.name), 0),
    link: (from, to) =>
      void call(numbers.linkat, from.directory, other.put(from.name), to.directory, name.put(to.name), 0),
    setTimes: (entry, change) =>
      void call(numbers.utimensat, entry.directory, name.put(entry.name), times.put(change), flagsFor(entry)),
    advise: (fd, { offset, length, advice }) => void call(numbers.fadvise64, fd, offset, length, ADVICE[advice]),
    append: (fd, bytes) => {
      if (bytes.length === 0) return 0;
      vector.set([BigInt(ptr(bytes)), BigInt(bytes.length)]);
      return call(numbers.pwritev2, fd, ptr(vector), 1, 0, 0, RWF_APPEND);
    },
    lock: (fd) => tryLock(() => call(numbers.flock, fd, LOCK_EX | LOCK_NB)),
    unlock: (fd) => void call(numbers.flock, fd, LOCK_UN),
    list: (fd) => new LinuxListing(fd, (buffer) => call(numbers.getdents64, fd, ptr(buffer), buffer.length)),
    isProcessFilesystem: (fd) => {
      call(numbers.fstatfs, fd, ptr(filesystem));
      return filesystem[0] === BigInt(PROC_SUPER_MAGIC);
    },
  };
}

/** Loads the one function that makes any call, with all six values that one can have. */
function loadSyscall(): Call {
  const value = FFIType.i64_fast;
  const { syscall, __errno_location: locateErrno } = loadAmbientLibrary(LIBRARIES, {
    syscall: { args: [value, value, value, value, value, value, value], returns: FFIType.i32 },
    __errno_location: { args: [], returns: FFIType.ptr },
  });
  const errno = viewErrno(locateErrno());
  return (number, ...values) => {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = values;
    const result = syscall(number, a, b, c, d, e, f);
    if (result < 0) throw fileErrorOf(errno[0] ?? 0);
    return result;
  };
}

/** Resolves a path with patience, and says "not permitted" for one that leaves its directory. Source: openat2(2), EAGAIN and EXDEV. */
function resolveBeneath(open: () => number): number {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return open();
    } catch (error) {
      const code = error instanceof FileError ? error.code : undefined;
      if (code === "cross-device") throw new FileError("not-permitted");
      if (code !== "would-block" || attempt === RESOLVE_ATTEMPTS) throw error;
    }
  }
}

function flagsFor(entry: Entry): number {
  return entry.name === "" ? AT_EMPTY_PATH : AT_SYMLINK_NOFOLLOW;
}

function tryLock(lock: () => void): boolean {
  try {
    lock();
    return true;
  } catch (error) {
    if (error instanceof FileError && error.code === "would-block") return false;
    throw error;
  }
}

/** Source: statx(2), struct statx: the same on every machine. */
function makeStat(call: Call, statx: number): (entry: Entry) => Stat {
  const name = new NameBuffer();
  const view = new DataView(new ArrayBuffer(STATX_BYTES));
  const u32 = (offset: number): bigint => BigInt(view.getUint32(offset, true));
  const time = (offset: number): bigint => view.getBigInt64(offset, true) * 1_000_000_000n + u32(offset + 8);
  return (entry) => {
    const flags = AT_SYMLINK_NOFOLLOW | flagsFor(entry);
    call(statx, entry.directory, name.put(entry.name), flags, STATX_BASIC_STATS, ptr(view));
    return {
      type: typeOfMode(view.getUint16(28, true)),
      device: (u32(136) << 32n) | u32(140),
      inode: view.getBigUint64(32, true),
      links: view.getUint32(16, true),
      size: Number(view.getBigUint64(40, true)),
      accessedNs: time(64),
      changedNs: time(96),
      modifiedNs: time(112),
    };
  };
}
