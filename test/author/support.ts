/**
 * Test support: projects that `kami init` writes, and builds of them.
 */
import { mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Built, buildProject } from "../../lib/author/build.ts";
import { readProject } from "../../lib/author/project.ts";
import { filesOf, type StartLanguage } from "../../lib/author/templates.ts";
import { TemporaryDirectory } from "../support/temporary.ts";

const NODE_MODULES = fileURLToPath(new URL("../../node_modules", import.meta.url));

/** A project in a directory of its own. */
export class TestProject extends TemporaryDirectory {
  /** As `kami init` writes it. */
  static async start(language: StartLanguage): Promise<TestProject> {
    const project = new TestProject();
    for (const [path, text] of filesOf({ name: "hello", language })) await project.write(path, text);
    return project;
  }

  async write(path: string, text: string): Promise<void> {
    mkdirSync(dirname(this.join(path)), { recursive: true });
    await Bun.write(this.join(path), text);
  }

  /** Gives the project a package that this repository has. */
  borrow(name: string): void {
    mkdirSync(dirname(this.join("node_modules", name)), { recursive: true });
    symlinkSync(join(NODE_MODULES, name), this.join("node_modules", name));
  }

  /** Builds it with this process's environment and more. */
  async build(environment: Readonly<Record<string, string>> = {}): Promise<Built> {
    const entries = Object.entries({ PATH: process.env["PATH"] ?? "", HOME: this.path, ...environment });
    return buildProject(readProject(this.path), { bun: process.execPath, environment: new Map(entries) });
  }
}
