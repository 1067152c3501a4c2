/**
 * Rebuilds the guests of the compute suite and their lock file: `bun bench/guests/build.ts [name…]`. All of them unless named.
 *
 * C needs what the C fixtures need. Rust needs `cargo`, the target `wasm32-unknown-unknown` and the crates of `rust/Cargo.lock`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { compileC } from "../../fixtures/clang.ts";
import { type Guest, guestFile, GUESTS } from "./list.ts";
import { lockGuest, readLock, sourceFile, writeLock } from "./lock.ts";

const TARGET = "wasm32-unknown-unknown";

const names = process.argv.slice(2);
const unknown = names.filter((name) => !GUESTS.some(({ stem }) => stem === name));
if (unknown.length > 0) {
  console.error(`Cannot build ${unknown.join(", ")}: the guests are ${GUESTS.map(({ stem }) => stem).join(", ")}`);
  process.exit(2);
}
for (const guest of GUESTS.filter(({ stem }) => names.length === 0 || names.includes(stem))) {
  const wasm =
    guest.language === "c" ? await compileC([sourceFile(guest)], { model: "reactor" }) : await compileRust(guest);
  await Bun.write(guestFile(guest), wasm);
  await writeLock(new Map([...(await readLock()), [guest.stem, await lockGuest(guest)]]));
  console.log(`${guest.name}: ${wasm.length} bytes`);
}

async function compileRust(guest: Guest): Promise<Uint8Array> {
  const directory = dirname(guestFile(guest));
  const target = await mkdtemp(join(tmpdir(), "kami-bench-rust-"));
  try {
    const cargo = Bun.spawn(
      ["cargo", "build", "--locked", "--release", "--quiet", "--target", TARGET, "--example", guest.stem],
      {
        cwd: directory,
        env: {
          ...process.env,
          CARGO_TARGET_DIR: target,
          // No path of this machine in the result.
          RUSTFLAGS: `--remap-path-prefix=${homedir()}=. --remap-path-prefix=${directory}=.`,
        },
        stdout: "inherit",
        stderr: "inherit",
      },
    );
    if ((await cargo.exited) !== 0) throw new Error(`Cannot compile ${guest.name}`);
    const file = join(target, TARGET, "release", "examples", `${guest.stem.replaceAll("-", "_")}.wasm`);
    return await Bun.file(file).bytes();
  } finally {
    await rm(target, { recursive: true, force: true });
  }
}
