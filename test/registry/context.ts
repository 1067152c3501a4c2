/**
 * A registry in a home of its own, and ways to damage what is in it.
 */
import { Database } from "bun:sqlite";
import { chmodSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readPackage } from "../../lib/registry/package.ts";
import type { PackageSource } from "../../lib/registry/package.ts";
import { Registry } from "../../lib/registry/registry.ts";
import type { InstalledTool } from "../../lib/registry/registry.ts";
import { makeComponent, temporaryDirectory, writePackage } from "./support.ts";
import type { PackageOptions } from "./support.ts";

/** A home, a registry in it, and a maker of packages. */
export interface Context extends Disposable {
  readonly home: string;
  readonly registry: Registry;
  readonly make: (options?: PackageOptions) => Promise<PackageSource>;
}

/** Makes a context, gone at the end of the test. */
export function setUp(): Context {
  const directory = temporaryDirectory();
  const home = join(directory.path, "home");
  const registry = Registry.open(home);
  let count = 0;
  function make(options: PackageOptions = {}): Promise<PackageSource> {
    count += 1;
    return readPackage(writePackage(join(directory.path, `package-${count}`), options));
  }
  return {
    home,
    registry,
    make,
    [Symbol.dispose]: () => {
      registry[Symbol.dispose]();
      directory[Symbol.dispose]();
    },
  };
}

/** The ids of tools, in their order. */
export function idsOf(tools: readonly InstalledTool[]): readonly string[] {
  return tools.map(({ id }) => id);
}

/** Changes the database behind the registry's back. */
export function edit(home: string, sql: string): void {
  const database = new Database(join(home, "registry.db"));
  database.run(sql);
  database.close();
}

/** Puts another component in place of a package's. */
export function damageComponent(directory: string): void {
  const path = join(directory, "tool.wasm");
  chmodSync(path, 0o644);
  writeFileSync(path, makeComponent("evil"));
}

/** Puts another manifest in place of a package's. */
export function damageManifest(directory: string): void {
  const path = join(directory, "tool.toml");
  chmodSync(path, 0o644);
  writeFileSync(path, "[tool]");
}

/** Deletes a package. */
export function removePackage(directory: string): void {
  rmSync(directory, { recursive: true });
}

/** Puts a link that leads nowhere in place of a package. */
export function replaceByLink(directory: string): void {
  removePackage(directory);
  symlinkSync("/nowhere", directory);
}

/** Puts a link to a copy in place of a package's component. */
export function replaceFileByLink(directory: string): void {
  const copy = join(directory, "../../copy.wasm");
  writeFileSync(copy, readFileSync(join(directory, "tool.wasm")));
  rmSync(join(directory, "tool.wasm"));
  symlinkSync(copy, join(directory, "tool.wasm"));
}
