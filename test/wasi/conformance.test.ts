/**
 * What WASI 0.2 says, case by case, by a real guest: fixtures/wasi/conformance, in Rust. docs/wasi.md lists them.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Policy } from "../../lib/policy/policy.ts";
import { TemporaryDirectory } from "../support/temporary.ts";
import { type Args, ConformanceGuest, endOf, rule } from "./guest.ts";
import { type Servers, startServers } from "./host-servers.ts";

const QUOTA = { bytes: 1_000_000, files: 100 };
const TICK_NS = 1_000_000;

let guest: ConformanceGuest;
let servers: Servers;
beforeAll(async () => {
  [guest, servers] = await Promise.all([ConformanceGuest.start(), startServers()]);
});
afterAll(async () => {
  guest[Symbol.dispose]();
  await servers[Symbol.asyncDispose]();
});

/** Makes the directories that the cases about files expect. */
async function makeMounts(directory: string): Promise<Policy["mounts"]> {
  const [data, fixed] = [join(directory, "data"), join(directory, "ro")];
  await mkdir(join(data, "dir"), { recursive: true });
  await mkdir(fixed);
  await writeFile(join(data, "hello.txt"), "hello, file");
  await writeFile(join(data, "dir/inner.txt"), "inner");
  await writeFile(join(fixed, "fixed.txt"), "fixed");
  await writeFile(join(directory, "outside.txt"), "outside");
  await symlink("hello.txt", join(data, "link"));
  await symlink(join(directory, "outside.txt"), join(data, "out"));
  return [
    { guestPath: "/data", hostPath: data, access: "read-write", quota: QUOTA },
    { guestPath: "/ro", hostPath: fixed, access: "read-only", quota: undefined },
  ];
}

/** What the cases about the network may reach. */
function network(): Pick<Policy, "network" | "listen"> {
  const { authority, tcpPort, udpPort, closedPort, freePort } = servers;
  return {
    network: [
      rule(`http://${authority}`),
      rule(`http://127.0.0.1:${closedPort}`),
      ...[tcpPort, closedPort, freePort].map((port) => rule(`tcp://127.0.0.1:${port}`)),
      rule(`udp://127.0.0.1:${udpPort}`),
      rule("tcp://localhost:1"),
    ],
    listen: [rule(`tcp://127.0.0.1:${freePort}`), rule("udp://127.0.0.1:1")],
  };
}

function args(): Args {
  const { authority, tcpPort, udpPort, closedPort, freePort } = servers;
  return {
    authority,
    port: tcpPort,
    udp: udpPort,
    closed: closedPort,
    free: freePort,
    tick: TICK_NS,
    value: "the value",
    name: "localhost",
  };
}

/** Names of cases in groups that only look at what was granted here. */
const GROUPS = ["cli.", "clocks.", "random.", "io.", "fs.", "http.", "tcp.", "udp.", "name.", "trap."];

describe("dump", () => {
  test("all", async () => {
    const names = (await guest.list()).filter((name) => GROUPS.some((group) => name.startsWith(group)));
    for (const name of names) {
      using directory = new TemporaryDirectory();
      const policy = {
        mounts: await makeMounts(directory.path),
        environment: [["GRANTED", "the value"]],
        ...network(),
      } as const;
      const t = performance.now();
      const end = endOf(await guest.run(name, args(), { policy, timeoutMs: 3000 }));
      if (end !== "passed") console.log(name, "→", end.slice(0, 200), (performance.now() - t).toFixed(0));
    }
  }, 600_000);
});
