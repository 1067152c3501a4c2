/**
 * Makes the package that is one file: what `kami install` takes, and nothing else of the project.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readBeneath, type SizeLimit } from "../registry/files.ts";
import { MANIFEST_NAME, readPackage } from "../registry/package.ts";
import { refuse } from "../errors.ts";
import type { ZipFile } from "../zip/format.ts";
import { writeZip } from "../zip/write.ts";
import { replaceFile } from "./build.ts";
import { placeInProject, type Project } from "./project.ts";

/** What else goes into a package, where it is there. */
const COMPANIONS = ["README.md", "LICENSE"];
const COMPANION_SIZE: SizeLimit = {
  bytes: 1_048_576,
  refuse: (path, bytes) => refuse("PACKAGE_PATH", { path, reason: `it has ${bytes} bytes, the limit is 1048576` }),
};

/**
 * Packages a project that is built.
 *
 * @returns Absolute path of the `.zip`, next to the manifest.
 * @throws {Failure} what {@link readPackage} throws: a package that nobody could install is not written.
 */
export async function packProject(project: Project): Promise<string> {
  const { directory } = project;
  const { manifest, manifestBytes, component, files: readable = new Map() } = await readPackage(directory);
  const files: ZipFile[] = [
    { name: MANIFEST_NAME, bytes: manifestBytes },
    { name: manifest.tool.wasm, bytes: component },
  ];
  for (const [name, bytes] of readable) files.push({ name, bytes });
  for (const name of COMPANIONS.filter((each) => !readable.has(each))) {
    if (existsSync(join(directory, name))) files.push({ name, bytes: readBeneath(directory, name, COMPANION_SIZE) });
  }
  const name = `${manifest.tool.id}-${manifest.tool.version}.zip`.replace(/[^\w.+-]/g, "_");
  const path = placeInProject(directory, name);
  await replaceFile(path, writeZip(files));
  return path;
}
