/**
 * What KAMI needs of the machine: Bun, suspended guests, a kernel that opens files beneath a directory.
 */
import type { Host } from "../host.ts";
import { bad, type Finding, good, odd } from "./finding.ts";

/** The Bun that KAMI is tested with. */
const BUN_VERSION = "1.4.5";

/** The first Linux with `openat2`. */
const OPENAT2_SINCE: Version = [5, 6];

type Version = readonly [major: number, minor: number];

/** Looks at the machine. */
export function checkMachine(host: Pick<Host, "versions" | "platform">): readonly Finding[] {
  return [checkBun(host.versions.bun), checkSuspension(), checkKernel(host)];
}

function checkBun(version: string): Finding {
  if (version === BUN_VERSION) return good("bun", `Bun ${version}`);
  const found = parseVersion(version);
  const wanted = parseVersion(BUN_VERSION);
  const mend = `install it with: bun upgrade --version ${BUN_VERSION}`;
  return isBefore(found, wanted)
    ? bad("bun", `Bun ${version} is older than ${BUN_VERSION}, which KAMI needs`, mend)
    : odd("bun", `Bun ${version}: KAMI is tested with ${BUN_VERSION}`, `if something fails, ${mend}`);
}

/** Without it a guest that waits could not let others run. */
function checkSuspension(): Finding {
  const isThere = "Suspending" in WebAssembly && "promising" in WebAssembly;
  if (isThere) return good("jspi", "guests can be suspended while they wait (JSPI)");
  return bad("jspi", "this Bun cannot suspend a guest (JSPI)", `run KAMI with Bun ${BUN_VERSION}`);
}

function checkKernel({ platform, versions: { kernel } }: Pick<Host, "versions" | "platform">): Finding {
  if (platform === "darwin") return good("kernel", `macOS (Darwin ${kernel}): files are opened segment by segment`);
  if (platform !== "linux") return bad("kernel", `KAMI does not run on ${platform}`, "run it on Linux or macOS");
  if (!isBefore(parseVersion(kernel), OPENAT2_SINCE)) return good("kernel", `Linux ${kernel} has openat2`);
  return odd("kernel", `Linux ${kernel} has no openat2: files are opened segment by segment`, "use Linux 5.6 or later");
}

function parseVersion(text: string): Version {
  const [, major = "0", minor = "0"] = /^(\d+)\.(\d+)/.exec(text) ?? [];
  return [Number(major), Number(minor)];
}

function isBefore([major, minor]: Version, [otherMajor, otherMinor]: Version): boolean {
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}
