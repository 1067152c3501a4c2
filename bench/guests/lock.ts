/**
 * The lock file `built.json`: which sources each committed guest was built from, and by which toolchain.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { identifyClang } from "../../fixtures/clang.ts";
import { type Guest, guestFile, GUESTS } from "./list.ts";

/** What the lock file says of one guest. */
export interface Locked {
  /** SHA-256, lower-case hex, of its sources with their names. */
  readonly sources: string;
  /** SHA-256, lower-case hex, of the committed `.wasm`. */
  readonly wasm: string;
  /** What built it. */
  readonly toolchain: string;
}

const LOCK_FILE = fileURLToPath(new URL("built.json", import.meta.url));

/** Reads the lock file. A missing one counts as empty. */
export async function readLock(): Promise<ReadonlyMap<string, Locked>> {
  const file = Bun.file(LOCK_FILE);
  if (!(await file.exists())) return new Map();
  const entries: Record<string, Locked> = await file.json();
  return new Map(Object.entries(entries));
}

/** Writes the lock file: the guests that there are, in their order. */
export async function writeLock(lock: ReadonlyMap<string, Locked>): Promise<void> {
  const entries = GUESTS.map(({ stem }) => [stem, lock.get(stem)]);
  await Bun.write(LOCK_FILE, `${JSON.stringify(Object.fromEntries(entries), undefined, 2)}\n`);
}

/** Says what the lock file should say of a guest, from its files as they are now. */
export async function lockGuest(guest: Guest): Promise<Locked> {
  return {
    sources: await digestSources(guest),
    wasm: digest(await readFile(guestFile(guest))),
    toolchain: (await identifyToolchain(guest)) ?? "not installed",
  };
}

/** Names exactly what builds a guest. @returns Undefined when it is not installed. */
async function identifyToolchain({ language }: Guest): Promise<string | undefined> {
  if (language === "c") return identifyClang();
  if (Bun.which("rustc") === null) return undefined;
  return /^rustc [\d.]+/.exec(Bun.spawnSync(["rustc", "--version"]).stdout.toString())?.[0];
}

/** Names a guest's source. @returns Absolute path. */
export function sourceFile(guest: Guest): string {
  const directory = dirname(guestFile(guest));
  return guest.language === "c"
    ? join(directory, `${guest.stem}.c`)
    : join(directory, "src", `${guest.stem.replaceAll("-", "_")}.rs`);
}

async function digestSources(guest: Guest): Promise<string> {
  const hash = createHash("sha256");
  for (const name of await listSources(guest)) {
    hash.update(`${name} ${digest(await readFile(join(dirname(guestFile(guest)), name)))}\n`);
  }
  return hash.digest("hex");
}

/** Lists what a guest is built from, relative to its language's folder. The crates' versions and digests are in `Cargo.lock`. */
async function listSources(guest: Guest): Promise<readonly string[]> {
  if (guest.language === "c") return [`${guest.stem}.c`, "guest.h"];
  const sources = await readdir(join(dirname(guestFile(guest)), "src"));
  return ["Cargo.lock", "Cargo.toml", ...sources.toSorted().map((name) => `src/${name}`)];
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
