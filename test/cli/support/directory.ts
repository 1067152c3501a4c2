/**
 * Temporary directories, and what is in them.
 */
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A directory that is removed at the end of its scope. */
export class TemporaryDirectory implements Disposable {
  /** Absolute, without symlinks. */
  readonly path: string = realpathSync(mkdtempSync(join(tmpdir(), "kami-cli-")));

  /** Names a path inside. */
  at(...names: string[]): string {
    return join(this.path, ...names);
  }

  /** Writes a file, with the directories above it, and names it. */
  write(name: string, content: string | Uint8Array): string {
    const path = this.at(name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Lists everything beneath a directory, sorted; without SQLite's journal files, which come and go while it is open. */
export function listing(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => !/-(?:wal|shm|journal)$/.test(name))
    .toSorted();
}
