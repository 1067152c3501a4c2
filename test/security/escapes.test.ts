/**
 * A guest that tries to get out: to files beneath no grant, to addresses that no rule covers. Each attempt is checked from outside: the file was not
 * touched, the server saw nobody.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Policy } from "../../lib/policy/policy.ts";
import { TemporaryDirectory } from "../support/temporary.ts";
import { ConformanceGuest, endOf, rule } from "../wasi/guest.ts";
import { type Servers, startServers } from "../wasi/host-servers.ts";

let guest: ConformanceGuest;
let servers: Servers;
beforeAll(async () => {
  [guest, servers] = await Promise.all([ConformanceGuest.start(), startServers()]);
});
afterAll(async () => {
  guest[Symbol.dispose]();
  await servers[Symbol.asyncDispose]();
});

/** A granted directory, and one beside it that is not. */
class Grounds implements Disposable {
  readonly directory = new TemporaryDirectory();

  static async make(): Promise<Grounds> {
    const grounds = new Grounds();
    const { directory } = grounds;
    await mkdir(directory.join("data/dir"), { recursive: true });
    await mkdir(directory.join("outside"));
    await writeFile(directory.join("outside/secret.txt"), "outside");
    await writeFile(directory.join("data/hello.txt"), "hello, file");
    await writeFile(directory.join("data/dir/inner.txt"), "inner");
    await symlink(directory.join("outside/secret.txt"), directory.join("data/out"));
    await symlink("../outside", directory.join("data/up"));
    await symlink("..", directory.join("data/parent"));
    await symlink("out", directory.join("data/chain"));
    await symlink("/proc/self/root/etc", directory.join("data/root"));
    await symlink("loop", directory.join("data/loop"));
    return grounds;
  }

  get policy(): Partial<Policy> {
    const hostPath = this.directory.join("data");
    return { mounts: [{ guestPath: "/data", hostPath, access: "read-write", quota: undefined }] };
  }

  /** All that is outside of the grant, with what is in it. */
  async look(): Promise<unknown> {
    const outside = this.directory.join("outside");
    const names = [...(await readdir(this.directory.path)), ...(await readdir(outside))];
    return [names.toSorted(), await readFile(join(outside, "secret.txt"), "utf8")];
  }

  [Symbol.dispose](): void {
    this.directory[Symbol.dispose]();
  }
}

/** Paths that lead out, whatever is done with them. */
const OUTWARD = [
  "../outside/secret.txt",
  "dir/../../outside/secret.txt",
  "./.././outside/secret.txt",
  "dir/..//..//outside/secret.txt",
  "up/secret.txt",
  "dir/../up/secret.txt",
  "parent/outside/secret.txt",
  "parent/parent/secret.txt",
  "up/../outside/secret.txt",
  "/etc/passwd",
  "//etc/passwd",
  "root/passwd",
  "/proc/self/environ",
  "/proc/self/fd/0",
  "/dev/zero",
] as const;

/** Links that lead out: opening and looking through them is refused, removing the link itself is not. */
const LINKS = ["out", "chain", "up", "parent", "root", "loop"] as const;

describe("files beneath no grant", () => {
  const attempts = [
    ...[...OUTWARD, ...LINKS].flatMap((path) => [["fs.escape", path] as const, ["fs.escape-stat", path] as const]),
    ...[...OUTWARD, "out", "chain"].map((path) => ["fs.escape-write", path] as const),
    ...OUTWARD.map((path) => ["fs.escape-unlink", path] as const),
    ...[...OUTWARD, "../moved.txt", "up/moved.txt"].map((path) => ["fs.escape-rename", path] as const),
    ...[...OUTWARD, "out", "up"].map((path) => ["fs.escape-link", path] as const),
    ...["../made", "up/made", "parent/made", "/made"].map((path) => ["fs.escape-mkdir", path] as const),
    ...["/etc/passwd", "../outside", "../../etc", "dir/../../outside"].map(
      (path) => ["fs.escape-symlink", path] as const,
    ),
  ];

  test.each(attempts)("%s %s", async (name, path) => {
    using grounds = await Grounds.make();
    const before = await grounds.look();
    expect(endOf(await guest.run(name, { path }, { policy: grounds.policy }))).toBe("passed");
    expect(await grounds.look()).toEqual(before);
  });

  test("there are as many attempts as were asked for", () => {
    expect(attempts.length).toBeGreaterThanOrEqual(100);
  });

  test("a directory that is swapped for a link out, 100,000 times while the guest opens what is in it", async () => {
    using grounds = await Grounds.make();
    const { directory } = grounds;
    await mkdir(directory.join("data/real"));
    await writeFile(directory.join("data/real/secret.txt"), "inside");
    await symlink("../outside", directory.join("data/false"));
    const swapper = new Worker(new URL("./escape-swapper.ts", import.meta.url), { env: {} });
    const { promise, resolve } = Promise.withResolvers<void>();
    swapper.onmessage = () => resolve();
    swapper.postMessage(directory.join("data"));
    await promise;
    const options = { policy: grounds.policy, timeoutMs: 50_000 };
    const rounds = await Promise.all(
      [50_000, 50_000].map((each) => guest.run("fs.swap-race", { rounds: each }, options)),
    );
    swapper.terminate();
    expect(rounds.map(endOf)).toEqual(["passed", "passed"]);
  }, 60_000);
});

/** Authorities that stand, or may be taken, for this machine; PORT is the server's. */
const HERE = [
  "127.0.0.1:PORT",
  "localhost:PORT",
  "LOCALHOST:PORT",
  "localhost.:PORT",
  "foo.localhost:PORT",
  "127.1:PORT",
  "127.0.0.2:PORT",
  "2130706433:PORT",
  "0x7f000001:PORT",
  "0x7f.0.0.1:PORT",
  "0177.0.0.1:PORT",
  "017700000001:PORT",
  "127.0.0.1.:PORT",
  "0.0.0.0:PORT",
  "0:PORT",
  "[::1]:PORT",
  "[::]:PORT",
  "[::ffff:127.0.0.1]:PORT",
  "[::ffff:7f00:1]:PORT",
  "[::127.0.0.1]:PORT",
  "[64:ff9b::7f00:1]:PORT",
  "[2002:7f00:1::]:PORT",
  "[fe80::1%25lo]:PORT",
  "[::1%25lo]:PORT",
  "user@127.0.0.1:PORT",
  "allowed.test@127.0.0.1:PORT",
  "allowed.test:80@127.0.0.1:PORT",
  "127.0.0.1:PORT@allowed.test",
  "127.0.0.1:PORT/allowed.test",
  "127.0.0.1:PORT?allowed.test",
  "127.0.0.1:PORT#allowed.test",
  "allowed.test#@127.0.0.1:PORT",
  "127.0.0.1%2eallowed.test:PORT",
  "127。0。0。1:PORT",
  "１２７.0.0.1:PORT",
  "ⓛocalhost:PORT",
  "loc\u00adalhost:PORT",
  "169.254.169.254:PORT",
  "[fd00:ec2::254]:PORT",
  "10.0.0.1:PORT",
  "192.168.0.1:PORT",
  "172.16.0.1:PORT",
  "100.64.0.1:PORT",
] as const;

describe("addresses that no rule covers", () => {
  const policies = [
    [[], "nothing granted"],
    [["http://allowed.test", "https://*.allowed.test"], "another host granted"],
    [["*", "http://*:PORT"], "any public host granted"],
  ] as const;

  for (const [entries, why] of policies) {
    test.each([...HERE])(`http://%s with ${why}`, async (authority) => {
      const port = servers.authority.split(":")[1] ?? "";
      const network = entries.map((entry) => rule(entry.replace("PORT", port)));
      const seen = servers.seen.count;
      const target = `http://${authority.replaceAll("PORT", port)}`;
      expect(endOf(await guest.run("http.denied", { target }, { policy: { network } }))).toBe("passed");
      expect(servers.seen.count).toBe(seen);
    });
  }

  test.each([
    "/\r\nHost: evil",
    "/ HTTP/1.1\r\nX: y",
    "//127.0.0.1/",
    "/\\evil",
    "/allowed/../secret",
    "/allowed/%2e%2e/secret",
    "/allowed%2f..%2fsecret",
  ])("a path that is not granted: %j", async (path) => {
    const seen = servers.seen.count;
    const network = [rule(`http://${servers.authority}/allowed`)];
    const target = `http://${servers.authority}`;
    expect(endOf(await guest.run("http.denied", { target, path }, { policy: { network } }))).toBe("passed");
    expect(servers.seen.count).toBe(seen);
  });

  test.each<[string, object]>([
    ["tcp.denied-connect", {}],
    ["tcp.denied-address", { address: "127.0.0.1" }],
    ["tcp.denied-address", { address: "127.0.0.2" }],
    ["tcp.denied-address", { address: "0.0.0.0" }],
    ["tcp.denied-ipv6", {}],
    ["tcp.denied-listen", {}],
    ["udp.denied", {}],
    ["udp.denied-unconnected", {}],
    ["name.denied", { name: "localhost" }],
  ])("%s %j", async (name, more) => {
    const seen = servers.seen.count;
    const network = [
      rule(`tcp://allowed.test:${servers.tcpPort}`),
      rule(`udp://allowed.test:${servers.udpPort}`),
      rule("*"),
    ];
    const ports = { port: servers.tcpPort, udp: servers.udpPort };
    expect(endOf(await guest.run(name, { ...ports, ...more }, { policy: { network } }))).toBe("passed");
    expect(servers.seen.count).toBe(seen);
  });
});

describe("names that no rule covers", () => {
  test.each(["allowed.test.evil.test", "evil-allowed.test", "test", "x.allowed.test", "allowed.test\u0000"])(
    "are not asked for: %j",
    async (name) => {
      const network = [rule("tcp://allowed.test:80")];
      expect(endOf(await guest.run("name.refused", { name }, { policy: { network } }))).toBe("passed");
    },
  );
});

async function countOpen(): Promise<number> {
  return (await readdir("/proc/self/fd")).length;
}

describe("what a call had open", () => {
  test.each([
    ["fs.open-until-refused", "files"],
    ["http.drop-while-it-runs", "a request that was dropped"],
    ["http.never-answered", "a request that waits when the deadline comes"],
    ["tcp.wait-for-ever", "a connection that waits when the deadline comes"],
    ["tcp.sockets-until-refused", "sockets"],
    ["udp.echo-connected", "a UDP socket"],
    ["tcp.listen-and-accept", "a listener"],
  ])("is closed behind it: %s", async (name) => {
    using grounds = await Grounds.make();
    const { authority, tcpPort, udpPort, freePort } = servers;
    const network = [
      `http://${authority}`,
      `tcp://127.0.0.1:${tcpPort}`,
      `tcp://127.0.0.1:${freePort}`,
      `udp://127.0.0.1:${udpPort}`,
    ].map(rule);
    const policy = { ...grounds.policy, network, listen: [rule(`tcp://127.0.0.1:${freePort}`)] };
    const args = { authority, port: tcpPort, udp: udpPort, free: freePort };
    await guest.run(name, args, { policy, timeoutMs: 300 });
    const before = await countOpen();
    for (let round = 0; round < 5; round++) await guest.run(name, args, { policy, timeoutMs: 300 });
    for (let tries = 0; (await countOpen()) > before && tries < 200; tries++) await Bun.sleep(10);
    expect(await countOpen()).toBeLessThanOrEqual(before);
  });
});
