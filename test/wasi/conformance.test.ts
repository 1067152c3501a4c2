/**
 * What WASI 0.2 says, case by case, by a real guest: fixtures/guests/wasi-conformance, in Rust. docs/wasi.md lists them.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { lstat, mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Policy } from "../../lib/policy/policy.ts";
import { TemporaryDirectory } from "../support/temporary.ts";
import { CASES } from "./cases.ts";
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
  const { authority, cutAuthority, tcpPort, udpPort, closedPort, freePort } = servers;
  return {
    network: [
      rule(`http://${authority}`),
      rule(`http://${cutAuthority}`),
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

/** Cases that need something else than the others, or have to end in another way. */
const SPECIAL =
  /^(?:trap|exit)\.|denied|escape|wait-for-ever|never-answered|none-preopens|environment-empty|refused$|is-cut|quota-|swap-race/;

/** Runs a case with directories of its own. */
async function runCase(name: string, more: Args = {}, policy: Partial<Policy> = {}): Promise<string> {
  using directory = new TemporaryDirectory();
  const mounts = await makeMounts(directory.path);
  const granted = { mounts, environment: [["GRANTED", "the value"]], ...network(), ...policy } as const;
  const options = { policy: granted, timeoutMs: name.includes("ever") || name.includes("never") ? 300 : 10_000 };
  return endOf(await guest.run(name, { ...args(), ...more }, options));
}

describe("WASI 0.2, by a guest in Rust", () => {
  for (const name of CASES.filter((candidate) => !SPECIAL.test(candidate))) {
    test(name, async () => {
      expect(await runCase(name)).toBe("passed");
    });
  }

  test("knows every case that the guest has", async () => {
    expect(await guest.list()).toEqual(CASES);
  });
});

describe("WASI 0.2, where the standard says that a function traps", () => {
  test.each([
    ["trap.poll-empty", "it polled an empty list"],
    ["trap.write-without-permit", "it wrote 1 bytes where check-write permitted 0"],
    ["trap.write-beyond-permit", "it wrote 65537 bytes where check-write permitted 65536"],
    ["trap.blocking-write-4097", "it wrote 4097 bytes in one blocking write, the limit is 4096"],
    ["trap.blocking-write-zeroes-4097", "it wrote 4097 bytes in one blocking write, the limit is 4096"],
    ["trap.drop-output-before-its-pollable", "it dropped a resource that another one of its depends on"],
    ["trap.drop-input-before-its-pollable", "it dropped a resource that another one of its depends on"],
    ["trap.drop-socket-before-its-pollable", "it dropped a resource that another one of its depends on"],
    ["trap.drop-body-before-its-stream", "it dropped a resource that another one of its depends on"],
    ["trap.too-many-handles", "it holds more than 4096 handles"],
    ["trap.forged-handle", "it broke the component ABI: a handle that it does not have"],
    ["trap.handle-of-another-type", "it broke the component ABI: a handle that it does not have"],
    ["trap.handle-after-its-drop", "it broke the component ABI: a handle that it does not have"],
    ["trap.random-too-many", "it asked for 1099511627776 random bytes at once, the limit is 1048576"],
    ["trap.send-without-permit", "it sent 1 datagrams where check-send permitted 0"],
  ])("%s", async (name, reason) => {
    expect(await runCase(name)).toBe(`GUEST_TRAP: The tool crashed: ${reason}`);
  });
});

describe("WASI 0.2, where the call ends", () => {
  test.each([
    ["exit.ok", "TOOL_EXIT: The tool ended with exit code 0"],
    ["exit.error", "TOOL_EXIT: The tool ended with exit code 1"],
    ["exit.std-3", "TOOL_EXIT: The tool ended with exit code 1"],
    ["clocks.wait-for-ever", "DEADLINE_EXCEEDED: Cannot finish the call: it ran longer than 300 ms"],
    ["http.never-answered", "DEADLINE_EXCEEDED: Cannot finish the call: it ran longer than 300 ms"],
    ["tcp.wait-for-ever", "DEADLINE_EXCEEDED: Cannot finish the call: it ran longer than 300 ms"],
  ])("%s", async (name, ending) => {
    expect(await runCase(name)).toBe(ending);
  });
});

describe("WASI 0.2, without a grant", () => {
  test.each<[string, Partial<Policy>]>([
    ["cli.environment-empty", { environment: [] }],
    ["fs.none-preopens", { mounts: [] }],
    ["tcp.denied-connect", { network: [] }],
    ["tcp.denied-listen", { listen: [] }],
    ["udp.denied", { network: [] }],
    ["udp.denied-unconnected", { network: [] }],
    ["name.denied", { network: [] }],
  ])("%s", async (name, policy) => {
    expect(await runCase(name, {}, policy)).toBe("passed");
  });

  test("http.body-is-cut: a body that breaks off is an error, not its end", async () => {
    expect(await runCase("http.body-is-cut", { authority: servers.cutAuthority })).toBe("passed");
  });

  test("http.refused: nobody listens where it may go", async () => {
    expect(await runCase("http.refused", { authority: `127.0.0.1:${servers.closedPort}` })).toBe("passed");
  });
});

describe("a quota of files", () => {
  test.each([
    ["fs.quota-exactly", "up to the last byte"],
    ["fs.quota-one-more", "and not one more"],
  ])("%s", async (name) => {
    using directory = new TemporaryDirectory();
    const mounts = await makeMounts(directory.path);
    const names = await readdir(directory.join("data"), { recursive: true, withFileTypes: true });
    const files = names.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
    const used = (await Promise.all(files.map((file) => lstat(file)))).reduce((sum, { size }) => sum + size, 0);
    const settled = await guest.run(name, { ...args(), room: QUOTA.bytes - used }, { policy: { mounts } });
    expect(endOf(settled)).toBe("passed");
  });

  test("fs.quota-files", async () => {
    expect(await runCase("fs.quota-files")).toBe("passed");
  });
});
