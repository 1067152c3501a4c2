import { describe, expect, spyOn, test } from "bun:test";
import { copyFileSync, mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { guestPath } from "../fixtures/paths.ts";
import { LocalCalls } from "../lib/executor/local.ts";
import { formatNetworkRule } from "../lib/network-rule.ts";
import { type Capability, parseCapability } from "../lib/policy/capability.ts";
import { DENY_ALL, type Policy } from "../lib/policy/policy.ts";
import { NO_OUTPUT, NO_USAGE } from "../lib/protocol/limits.ts";
import { summarize, TestRuntime } from "./support/runtime.ts";
import { TemporaryDirectory } from "./support/temporary.ts";

const ID = "dev.example.policy";
const ASKS = 'net_allow_list = ["a.com", "b.com"]\nfs_access = "sandbox"\nenv_allow_list = ["KEY", "UNSET"]';
const HOST: ReadonlyMap<string, string> = new Map([
  ["KEY", "s3cret"],
  ["HOME", "/home/me"],
]);
const DENIALS = [{ capability: "net:https://b.com", target: "https://b.com/\u001b[2J" }];

function granted(...names: readonly string[]): readonly Capability[] {
  return names.flatMap((name) => {
    const parsed = parseCapability(name);
    return parsed.ok ? [parsed.capability] : [];
  });
}

function pack(directory: string, version = "1.0.0"): string {
  const path = join(directory, version);
  mkdirSync(path);
  copyFileSync(guestPath("echo"), join(path, "echo.wasm"));
  const manifest = `[tool]\nid = "${ID}"\nname = "x"\nversion = "${version}"\nwasm = "echo.wasm"\n[mcp]\ndescription = "x"\n[security]\n`;
  void Bun.write(join(path, "tool.toml"), manifest + ASKS);
  return path;
}

/** Ends every call at once, denied something, and keeps the policies that calls came with. */
function watchPolicies(): Disposable & { readonly policies: Policy[] } {
  const policies: Policy[] = [];
  const spy = spyOn(LocalCalls.prototype, "call").mockImplementation(async ({ policy }) => {
    policies.push(policy);
    return { ok: true, output: "1", usage: NO_USAGE, captured: NO_OUTPUT, denials: DENIALS };
  });
  return { policies, [Symbol.dispose]: () => spy.mockRestore() };
}

describe("the policy of a call", () => {
  test("is computed for each call: a grant is there at the next one, and so is its end; denials are recorded", async () => {
    await using kami = new TestRuntime({ environment: HOST });
    using place = new TemporaryDirectory();
    using watch = watchPolicies();
    const { runtime } = kami;
    const { grants } = runtime.registry;
    await runtime.install(pack(place.path));
    const call = async (): Promise<Policy | undefined> => {
      expect(summarize(await runtime.call(ID, "{}"))).toEqual({ output: 1 });
      return watch.policies.at(-1);
    };
    expect(await call()).toEqual({ ...DENY_ALL });
    grants.add(ID, granted("net:https://a.com", "env:KEY", "env:UNSET", "fs:sandbox"));
    const policy = await call();
    expect(policy?.network.map(formatNetworkRule)).toEqual(["https://a.com"]);
    expect(policy?.environment).toEqual([["KEY", "s3cret"]]);
    expect(policy?.mounts.map(({ guestPath: path, access }) => [path, access])).toEqual([["/sandbox", "read-write"]]);
    await runtime.install(pack(place.path, "2.0.0"));
    expect(await call()).toEqual({ ...DENY_ALL });
    await runtime.install(join(place.path, "1.0.0"));
    grants.remove(ID);
    expect(await call()).toEqual({ ...DENY_ALL });
    expect(runtime.registry.denials(ID).map(({ capability, target }) => [capability, target])).toEqual(
      Array.from({ length: 4 }, () => ["net:https://b.com", "https://b.com/"]),
    );
  });

  test("is not computed at all when a granted directory is gone: the call fails, and its text is for the user alone", async () => {
    await using kami = new TestRuntime();
    using place = new TemporaryDirectory();
    using watch = watchPolicies();
    await kami.runtime.install(pack(place.path));
    const hostPath = join(realpathSync(place.path), "gone");
    kami.runtime.registry.grants.add(ID, [{ kind: "mount", guestPath: "/data", hostPath, access: "read-only" }]);
    const result = await kami.runtime.call(ID, "{}");
    expect([result.ok || result.failure.code, result.ok || result.failure.agentMayRead, watch.policies]).toEqual([
      "MOUNT_REFUSED",
      false,
      [],
    ]);
  });

  test("of a file is what its caller grants, and nothing without", async () => {
    await using kami = new TestRuntime({ environment: HOST });
    using watch = watchPolicies();
    await kami.run("echo");
    await kami.runtime.runFile(guestPath("echo"), "{}", {
      grants: granted("net:*", "net:localhost", "env:KEY", "fs:sandbox", "clock:fine"),
    });
    const [first, second] = watch.policies;
    expect(first).toEqual({ ...DENY_ALL });
    expect(second?.network.map(formatNetworkRule)).toEqual(["*", "localhost"]);
    expect(second).toMatchObject({ listen: [], mounts: [], environment: [["KEY", "s3cret"]], clockTickNs: 1 });
    expect(kami.runtime.registry.denials("")).toHaveLength(2);
  });
});

describe("Runtime.install() with a decision", () => {
  test("keeps nothing when the decision fails, and asks only when the package is sound", async () => {
    await using kami = new TestRuntime();
    using place = new TemporaryDirectory();
    const path = pack(place.path);
    const refusal = new Error("the user said no");
    await expect(kami.runtime.install(path, () => Promise.reject(refusal))).rejects.toBe(refusal);
    expect(kami.runtime.registry.list()).toEqual([]);
    const asked: (string | undefined)[] = [];
    const decide = async (
      _: unknown,
      before: { readonly version: string } | undefined,
    ): Promise<readonly Capability[]> => {
      asked.push(before?.version);
      return granted("net:a.com");
    };
    const { tool } = await kami.runtime.install(path, decide);
    await kami.runtime.install(path, decide);
    copyFileSync(guestPath("unknown-opcode"), join(path, "echo.wasm"));
    await expect(kami.runtime.install(path, decide)).rejects.toThrow("unknown instruction");
    expect(asked).toEqual([undefined, "1.0.0"]);
    expect(kami.runtime.registry.grants.weigh(tool).granted).toEqual(["net:a.com"]);
  });
});
