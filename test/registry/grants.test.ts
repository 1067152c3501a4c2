import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatNetworkRule } from "../../lib/network-rule.ts";
import { type Capability, nameOf, parseCapability } from "../../lib/policy/capability.ts";
import { DENY_ALL } from "../../lib/policy/policy.ts";
import { NO_USAGE } from "../../lib/protocol/limits.ts";
import { DENIALS_KEPT } from "../../lib/registry/denials.ts";
import { GRANTS_LIMIT } from "../../lib/registry/grants.ts";
import { Registry } from "../../lib/registry/registry.ts";
import { edit, setUp } from "./context.ts";
import { failureOf } from "./support.ts";

const ID = "dev.example.echo";
const ALL = 'net_allow_list = ["*.a.com", "b.com"]\nfs_access = "sandbox"\nenv_allow_list = ["KEY", "OTHER"]';
const HOST: ReadonlyMap<string, string> = new Map([
  ["KEY", "secret"],
  ["HOME", "/home/me"],
]);

function grantsOf(...names: readonly string[]): readonly Capability[] {
  return names.map((name) => {
    const parsed = parseCapability(name);
    if (!parsed.ok) throw new Error(`${name} ${parsed.problem}`);
    return parsed.capability;
  });
}

const mount = (guestPath: string, hostPath: string): Capability => ({
  kind: "mount",
  guestPath,
  hostPath,
  access: "read-only",
});

const namesIn = (registry: Registry, id = ID): readonly string[] =>
  registry.grants.of(id).map(({ capability, versions }) => `${nameOf(capability)} ${versions}`);

const networkOf = (registry: Registry, id = ID): readonly string[] =>
  registry.grants.weigh(registry.require(id)).network.map(formatNetworkRule);

function some(count: number): readonly Capability[] {
  return grantsOf(...Array.from({ length: count }, (_, at) => `net:a${at}.com`));
}

function text(value: string | null | undefined): string {
  return typeof value === "string" ? `'${value}'` : "NULL";
}

describe("grants", () => {
  test("are none after an install, whatever the manifest asks for", async () => {
    using kami = setUp();
    const { tool } = kami.registry.install(await kami.make({ security: ALL }));
    expect(kami.registry.grants.policyFor(tool, HOST)).toEqual({ ...DENY_ALL });
    expect(kami.registry.grants.weigh(tool).missing).toEqual([
      "net:*.a.com",
      "net:b.com",
      "fs:sandbox",
      "env:KEY",
      "env:OTHER",
    ]);
  });

  test("come with an install, in one transaction: one that cannot be given leaves nothing installed", async () => {
    using kami = setUp();
    const source = await kami.make({ security: ALL });
    expect(await failureOf(() => kami.registry.install(source, grantsOf("net:b.com", "net:evil.com")))).toEqual({
      code: "GRANT_REFUSED",
      message: `Cannot grant "net:evil.com" to "${ID}": the tool does not ask for it`,
    });
    expect(kami.registry.list()).toEqual([]);
    kami.registry.install(source, grantsOf("net:b.com"));
    expect(namesIn(kami.registry)).toEqual(["net:b.com ^1.0.0"]);
  });

  test("give a call what was asked for and granted, and no more", async () => {
    using kami = setUp();
    const { tool } = kami.registry.install(await kami.make({ security: ALL }));
    kami.registry.grants.add(ID, grantsOf("net:x.a.com", "env:KEY", "env:OTHER", "fs:sandbox", "clock:fine"));
    const policy = kami.registry.grants.policyFor(tool, HOST);
    const sandbox = join(kami.registry.root, "sandboxes", ID);
    expect({ ...policy, network: policy.network.map(formatNetworkRule) }).toEqual({
      network: ["x.a.com"],
      listen: [],
      mounts: [
        { guestPath: "/sandbox", hostPath: sandbox, access: "read-write", quota: { bytes: 67_108_864, files: 10_000 } },
      ],
      environment: [["KEY", "secret"]],
      clockTickNs: 1,
    });
    expect(statSync(sandbox).mode & 0o7777).toBe(0o700);
  });

  test("hold for a range of versions: an update keeps them, another major does not, and going back has them again", async () => {
    using kami = setUp();
    const { registry } = kami;
    const install = async (version: string, security = ALL): Promise<void> =>
      void registry.install(await kami.make({ version, security }));
    await install("1.2.0");
    registry.grants.add(ID, grantsOf("net:b.com"));
    const seen: (readonly string[])[] = [];
    for (const version of ["1.3.0", "1.999999999999999999.0", "2.0.0", "1.3.0-rc.1", "1.1.9", "0.2.0", "1.2.0"]) {
      await install(version);
      seen.push(networkOf(registry));
    }
    expect(seen).toEqual([["b.com"], ["b.com"], [], [], [], [], ["b.com"]]);
  });

  test("of an update that asks for something else do not stretch to it", async () => {
    using kami = setUp();
    const { registry } = kami;
    registry.install(await kami.make({ security: 'net_allow_list = ["*.a.com"]' }), grantsOf("net:*.a.com"));
    registry.install(await kami.make({ version: "1.1.0", security: 'net_allow_list = ["*", "evil.com", "x.a.com"]' }));
    expect(networkOf(registry)).toEqual(["*.a.com", "x.a.com"]);
    expect(registry.grants.weigh(registry.require(ID)).missing).toEqual(["net:*", "net:evil.com"]);
  });

  test("of one tool are not another's, and go with it: the next of its name has none, nor its files, nor its denials", async () => {
    using kami = setUp();
    const { registry } = kami;
    registry.install(await kami.make({ security: ALL }), grantsOf("net:b.com", "fs:sandbox"));
    registry.install(await kami.make({ id: "dev.example.echo2", security: ALL, seed: "2" }));
    expect(networkOf(registry, "dev.example.echo2")).toEqual([]);
    const { mounts } = registry.grants.policyFor(registry.require(ID), HOST);
    writeFileSync(join(mounts[0]?.hostPath ?? "", "secret"), "x");
    await registry.recordCall({
      toolId: ID,
      startedAt: 1,
      outcome: "OK",
      usage: NO_USAGE,
      denials: [{ capability: "net:x", target: "x" }],
    });
    expect(registry.denials(ID)).toHaveLength(1);
    registry.uninstall(ID);
    expect([namesIn(registry), existsSync(mounts[0]?.hostPath ?? ""), registry.denials(ID)]).toEqual([[], false, []]);
    registry.install(await kami.make({ security: ALL }));
    expect(networkOf(registry)).toEqual([]);
  });

  test("cannot be given to a tool that is not installed, or for a range that its version is not in", async () => {
    using kami = setUp();
    const { registry } = kami;
    expect((await failureOf(() => registry.grants.add(ID, grantsOf("clock:fine")))).code).toBe("TOOL_UNKNOWN");
    registry.install(await kami.make());
    for (const range of ["^2.0.0", ">=1.0.0", "", "1.0.1", "* || ^1.0.0", "^1.0.0\u0000"]) {
      expect((await failureOf(() => registry.grants.add(ID, grantsOf("clock:fine"), range))).code).toBe(
        "GRANT_REFUSED",
      );
    }
    registry.grants.add(ID, grantsOf("clock:fine"), "*");
    registry.grants.add(ID, grantsOf("clock:fine"), "1.0.0");
    expect(namesIn(registry)).toEqual(["clock:fine *", "clock:fine 1.0.0"]);
    expect(registry.grants.remove(ID, ["clock:fine"])).toEqual(["clock:fine"]);
    expect(namesIn(registry)).toEqual([]);
  });

  test("are seen by every process at once, and what is taken back is gone at the next call", async () => {
    using kami = setUp();
    using other = Registry.open(kami.home);
    kami.registry.install(await kami.make({ security: ALL }));
    const before = other.revision();
    kami.registry.grants.add(ID, grantsOf("net:b.com", "env:KEY"));
    expect([networkOf(other), other.revision() > before]).toEqual([["b.com"], true]);
    expect(other.grants.remove(ID)).toEqual(["env:KEY", "net:b.com"]);
    expect(kami.registry.grants.policyFor(kami.registry.require(ID), HOST)).toEqual({ ...DENY_ALL });
    expect(other.grants.remove(ID)).toEqual([]);
  });

  test("are at most so many", async () => {
    using kami = setUp();
    const { registry } = kami;
    registry.install(await kami.make({ security: 'net_allow_list = ["*"]' }));
    expect((await failureOf(() => registry.grants.add(ID, some(GRANTS_LIMIT + 1)))).message).toBe(
      `Cannot grant "more" to "${ID}": a tool has at most 1024 grants`,
    );
    expect(namesIn(registry)).toEqual([]);
    registry.grants.add(ID, some(GRANTS_LIMIT));
    expect(namesIn(registry)).toHaveLength(GRANTS_LIMIT);
  });

  test("are read by today's rules: a row that was changed behind KAMI's back grants nothing that it does not say exactly", async () => {
    using kami = setUp();
    kami.registry.install(await kami.make({ security: 'net_allow_list = ["*"]' }));
    const rows = [
      ["net:A.com", null, null],
      ["net:a.com@b.com", null, null],
      ["everything", null, null],
      ["fs:/data", null, null],
      ["fs:/data/..", "/srv", "read-write"],
      ["net:a.com", "/srv", "read-only"],
      ["clock:fine\n", null, null],
    ];
    for (const [name, path, access] of rows) {
      edit(kami.home, `INSERT INTO grants VALUES ('${ID}', '*', ${text(name)}, ${text(path)}, ${text(access)}, 1)`);
    }
    expect(namesIn(kami.registry)).toEqual([]);
    expect(kami.registry.grants.policyFor(kami.registry.require(ID), HOST)).toEqual({ ...DENY_ALL });
  });
});

describe("mounts", () => {
  test("are refused where they would overlap, also with one that holds for other versions", async () => {
    using kami = setUp();
    const { registry } = kami;
    const place = realpathSync(join(kami.home, ".."));
    registry.install(await kami.make());
    registry.grants.add(ID, [mount("/data", join(place, "package-1"))], "*");
    for (const [path, reason] of [
      ["/data/x", "must not overlap with /data, another directory that the tool sees"],
      ["/DATA/x", "must not overlap with /data, another directory that the tool sees"],
      ["/sandbox", "must not overlap with /sandbox, the tool's own directory"],
      ["/Sandbox/x", "must not overlap with /sandbox, the tool's own directory"],
      ["/", "must not be the root: every other path lies inside it"],
    ] as const) {
      expect((await failureOf(() => registry.grants.add(ID, [mount(path, place)]))).message).toBe(
        `Cannot grant "fs:${path}" to "${ID}": where the tool sees it ${reason}`,
      );
    }
    expect((await failureOf(() => registry.grants.add(ID, [mount("/a", place), mount("/a/b", place)]))).code).toBe(
      "GRANT_REFUSED",
    );
    expect((await failureOf(() => registry.grants.add(ID, [mount("/a", place), mount("/a", place)]))).code).toBe(
      "GRANT_REFUSED",
    );
    registry.grants.add(ID, [mount("/data2", place)]);
    expect(namesIn(registry)).toEqual(["fs:/data *", "fs:/data2 ^1.0.0"]);
  });

  test("at a path that is taken replace what is there, whatever versions it held for", async () => {
    using kami = setUp();
    const { registry } = kami;
    const place = realpathSync(join(kami.home, ".."));
    const { tool } = registry.install(await kami.make());
    registry.grants.add(ID, [mount("/data", "/nowhere")], "*");
    registry.grants.add(ID, [mount("/data", join(place, "package-1"))]);
    expect(registry.grants.policyFor(tool, HOST).mounts).toEqual([
      { guestPath: "/data", hostPath: join(place, "package-1"), access: "read-only", quota: undefined },
    ]);
    expect(namesIn(registry)).toEqual(["fs:/data ^1.0.0"]);
  });

  test("that are gone, or lead elsewhere now, keep the call from starting", async () => {
    using kami = setUp();
    const { registry } = kami;
    const place = realpathSync(join(kami.home, ".."));
    const { tool } = registry.install(await kami.make());
    const path = join(place, "shared");
    mkdirSync(path);
    registry.grants.add(ID, [mount("/data", path)]);
    expect(registry.grants.policyFor(tool, HOST).mounts).toEqual([
      { guestPath: "/data", hostPath: path, access: "read-only", quota: undefined },
    ]);
    rmSync(path, { recursive: true });
    expect((await failureOf(() => registry.grants.policyFor(tool, HOST))).message).toContain(
      "there is no such directory",
    );
    symlinkSync(kami.home, path);
    expect((await failureOf(() => registry.grants.policyFor(tool, HOST))).message).toContain("it is KAMI's own");
    rmSync(path);
    symlinkSync(join(place, "package-1"), path);
    expect((await failureOf(() => registry.grants.policyFor(tool, HOST))).message).toContain(
      "it leads to another place than when it was granted",
    );
  });

  test("a link in the place of a tool's own directory is not followed", async () => {
    using kami = setUp();
    const { tool } = kami.registry.install(
      await kami.make({ security: 'fs_access = "sandbox"' }),
      grantsOf("fs:sandbox"),
    );
    mkdirSync(join(kami.registry.root, "sandboxes"), { recursive: true });
    symlinkSync("/tmp", join(kami.registry.root, "sandboxes", ID));
    expect((await failureOf(() => kami.registry.grants.policyFor(tool, HOST))).code).toBe("REGISTRY_UNWRITABLE");
  });
});

describe("Registry.denials()", () => {
  test("gives the newest of one tool, cleaned; a tool that is denied much pushes out no other's", async () => {
    using kami = setUp();
    const { registry } = kami;
    const record = (toolId: string, startedAt: number, denials: number): Promise<void> =>
      registry.recordCall({
        toolId,
        startedAt,
        outcome: "OK",
        usage: NO_USAGE,
        denials: Array.from({ length: denials }, (_, at) => ({
          capability: `net:a${at}`,
          target: `x\u001b[2J\u202e${at}`,
        })),
      });
    await record("a.b", 1, 1);
    for (let call = 0; call < 10; call++) await record("evil.tool", call, 32);
    expect(registry.denials("a.b")).toEqual([{ at: 1, capability: "net:a0", target: "x 0" }]);
    expect(registry.denials("evil.tool", 1000)).toHaveLength(DENIALS_KEPT);
    expect(registry.denials("evil.tool", 2)).toEqual([
      { at: 9, capability: "net:a31", target: "x 31" },
      { at: 9, capability: "net:a30", target: "x 30" },
    ]);
    expect(registry.denials("nobody")).toEqual([]);
  });
});
