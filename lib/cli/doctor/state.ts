/**
 * What is wrong with the state on the disk: the home and who may look into it, the registry, its packages, the cache, the token.
 */
import { accessSync, constants, lstatSync, type Stats, statfsSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../errors.ts";
import { verifyPackage } from "../../registry/package.ts";
import type { InstalledTool } from "../../registry/registry.ts";
import { shellWord } from "../example.ts";
import { openRegistryToRead } from "../open.ts";
import type { Session } from "../session.ts";
import type { Settings } from "../settings.ts";
import { bad, type Finding, good, odd } from "./finding.ts";

/** Bytes of free space below which installs and compiled components may fail. */
const FREE_BYTES = 256 * 1_048_576;

/** Permissions that anybody but the owner has. */
const OTHERS = 0o077;

/** Tools that are named when several are wrong. */
const NAMED = 5;

/** Looks at the state on the disk. Changes nothing, and makes nothing that is not there. */
export async function checkState(session: Session, settings: Settings): Promise<readonly Finding[]> {
  const home = String(settings.get("home")?.value);
  const found = checkHome(session, home);
  if (found.state === "bad" || found.state === "none") return [found];
  return [found, checkSpace(home), checkToken(home), checkCache(home), ...(await checkRegistry(settings))];
}

function checkHome({ host }: Session, home: string): Finding {
  const stats = look(home);
  const shown = shellWord(home);
  if (stats === undefined) {
    const text = `there is no ${shown} yet: the first install makes it`;
    return { id: "home", state: "none", text, mend: "install a tool with: kami install <directory>" };
  }
  if (!stats.isDirectory() && !stats.isSymbolicLink())
    return bad("home", `${shown} is not a directory`, "move it away, or set KAMI_HOME");
  if (host.userId !== undefined && stats.uid !== host.userId)
    return bad("home", `${shown} belongs to another user`, `sudo chown -R "$(id -un)" ${shown}`);
  if (!mayWrite(home)) return bad("home", `${shown} cannot be written to`, `chmod u+rwx ${shown}`);
  if ((stats.mode & OTHERS) !== 0)
    return odd("home", `other users of this machine may look into ${shown}`, `chmod 700 ${shown}`);
  return good("home", shown);
}

function checkSpace(home: string): Finding {
  const { bavail, bsize } = statfsSync(home);
  const mebibytes = Math.floor((bavail * bsize) / 1_048_576);
  if (bavail * bsize >= FREE_BYTES) return good("space", `${mebibytes} MiB are free`);
  return odd(
    "space",
    `only ${mebibytes} MiB are free`,
    `make room, for example with: rm -r ${shellWord(join(home, "artifacts"))}`,
  );
}

function checkToken(home: string): Finding {
  const path = join(home, "http-token");
  const stats = look(path);
  if (stats === undefined) return good("token", "no token for HTTP yet: kami serve --http makes it");
  if (stats.isFile() && (stats.mode & OTHERS) === 0) return good("token", "the token for HTTP is the owner's alone");
  const text = "the token for HTTP may be read by others, or is no file";
  return bad("token", text, `rm ${shellWord(path)} and start kami serve --http again: it makes another one`);
}

function checkCache(home: string): Finding {
  const path = join(home, "artifacts");
  const stats = look(path);
  if (stats === undefined) return good("cache", "no compiled components yet");
  if (stats.isDirectory() && mayWrite(path)) return good("cache", "compiled components can be kept");
  return odd("cache", "compiled components cannot be kept: each process compiles again", `rm -r ${shellWord(path)}`);
}

async function checkRegistry(settings: Settings): Promise<readonly Finding[]> {
  try {
    using registry = await openRegistryToRead(settings);
    if (registry === undefined) return [good("registry", "no registry yet: the first install makes it")];
    const tools = registry.list();
    return [
      good("registry", `${tools.length} tools are installed`),
      checkPackages(tools),
      checkGrants(tools, registry),
    ];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [bad("registry", error.message, error.hint ?? "move the database away, and install the tools again")];
  }
}

function checkPackages(tools: readonly InstalledTool[]): Finding {
  const broken = tools.filter((tool) => !isIntact(tool)).map(({ id }) => id);
  if (broken.length === 0) return good("packages", "all packages are as they were installed");
  return bad(
    "packages",
    `changed since they were installed: ${nameSome(broken)}`,
    "install them again: kami install <directory>",
  );
}

function checkGrants(
  tools: readonly InstalledTool[],
  { grants }: { readonly grants: { weigh(tool: InstalledTool): { readonly missing: readonly string[] } } },
): Finding {
  const lacking = tools.filter((tool) => tool.enabled && grants.weigh(tool).missing.length > 0).map(({ id }) => id);
  if (lacking.length === 0) return good("grants", "all tools have what they ask for");
  const text = `tools that ask for more than they were granted: ${nameSome(lacking)}`;
  return { id: "grants", state: "none", text, mend: "see what, and how to grant it, with: kami grants" };
}

function nameSome(ids: readonly string[]): string {
  const more = ids.length > NAMED ? ` and ${ids.length - NAMED} more` : "";
  return ids.slice(0, NAMED).join(", ") + more;
}

function isIntact(tool: InstalledTool): boolean {
  try {
    verifyPackage(tool);
    return true;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}

function look(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
