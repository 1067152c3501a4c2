/**
 * The files of installed packages. Everything here that another process could see is one `rename`; when a rename may happen is the
 * registry's business, which calls {@link placePackage} and {@link retireExcept} only while it holds the database's write lock.
 */
import { randomUUID } from "node:crypto";
import {
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { Failure, refuse } from "../errors.ts";
import { errorCode, readBeneath, reasonOf, segmentsOf } from "./files.ts";
import type { PackageSource } from "./package.ts";
import { MANIFEST_NAME, readInstalled } from "./package.ts";

/** Where a database keeps its files. */
export interface StorePaths {
  /** One directory a package, by the package's digest. */
  readonly tools: string;
  /** What is on its way in or out. On the file system of `tools`. */
  readonly tmp: string;
  /** One directory a tool that was allowed files, by the tool's id. */
  readonly sandboxes: string;
}
