import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { chmod, copyFile, cp, rm } from "node:fs/promises";
import { guestDirectory, guestPath } from "../fixtures/paths.ts";
import { refuse } from "../lib/errors.ts";
import type { Limits } from "../lib/protocol/limits.ts";
import { readPackage } from "../lib/registry/package.ts";
import { Registry } from "../lib/registry/registry.ts";
import type { CallResult } from "../lib/runtime.ts";
import { AMPLE, summarize, TestRuntime } from "./support/runtime.ts";
import { TemporaryDirectory } from "./support/temporary.ts";

const ENDLESS = { fuel: Number.MAX_SAFE_INTEGER, timeoutMs: 60_000, memoryBytes: AMPLE.memoryBytes };

/** Where /proc tells which processes there are. */
const isLinux = process.platform === "linux";

describe("Runtime.call()", () => {
  test("runs an installed tool, and records the call", async () => {
    await using kami = new TestRuntime();
    const { tool, replaced } = await kami.runtime.install(guestDirectory("echo"));
    expect([tool.id, replaced]).toEqual(["dev.kami.fixture.echo", undefined]);
    expect(summarize(await kami.runtime.call(tool.id, '{"a":1}'))).toEqual({ output: { a: 1 } });
    expect(kami.runtime.registry.calls().map(({ toolId, outcome }) => [toolId, outcome])).toEqual([[tool.id, "OK"]]);
  });

  test("gives a failed result for a tool that is unknown or disabled, or input that is not JSON", async () => {
    await using kami = new TestRuntime();
    const { tool } = await kami.runtime.install(guestDirectory("echo"));
    expect(summarize(await kami.runtime.call("dev.kami.fixture.ecko", "{}"))).toEqual({
      code: "TOOL_UNKNOWN",
      message: 'Cannot find the tool "dev.kami.fixture.ecko": it is not installed',
    });
    expect(summarize(await kami.runtime.call(tool.id, "{"))).toMatchObject({ code: "INPUT_NOT_JSON" });
    kami.runtime.registry.setEnabled(tool.id, false);
    expect(summarize(await kami.runtime.call(tool.id, "{}"))).toEqual({
      code: "TOOL_DISABLED",
      message: 'Cannot run the tool "dev.kami.fixture.echo": it is disabled',
    });
  });

  test("takes an input of 4 MiB, and refuses one byte more", async () => {
    await using kami = new TestRuntime();
    const most = 4 * 1_048_576;
    const passed = await kami.runtime.runFile(guestPath("fail"), inputOf(most), { limits: ENDLESS });
    expect(passed.ok || passed.failure.code).toBe("TOOL_ERROR");
    expect(summarize(await kami.runtime.runFile(guestPath("fail"), inputOf(most + 1)))).toEqual({
      code: "INPUT_TOO_LARGE",
      message: "Cannot use the input: it has 4194305 bytes, the limit is 4194304",
    });
  });

  test("passes the input on as it came, digit for digit, with defaults behind it", async () => {
    await using kami = new TestRuntime();
    using directory = new TemporaryDirectory();
    const { tool } = await kami.runtime.install(
      await packageOf(directory, { mcp: argumentOf("id", "required = true") + argumentOf("limit", "default = 10") }),
    );
    const outputOf = async (input: string): Promise<unknown> => {
      const result = await kami.runtime.call(tool.id, input);
      return result.ok ? result.output : result.failure.message;
    };
    expect(await outputOf('{"id": 12345678901234567890}')).toBe('{"id": 12345678901234567890,"limit":10}');
    expect(await outputOf('{"id":1.0, "limit":2 }\n')).toBe('{"id":1.0, "limit":2 }\n');
    expect(await outputOf('{"id":1,"id":2}')).toBe('Cannot use the input: "id" comes twice in one object');
  });

  for (const cache of ["a cached artifact", "no artifact"]) {
    test(`refuses a tool whose installed component was changed, with ${cache}`, async () => {
      await using kami = new TestRuntime();
      const { tool } = await kami.runtime.install(guestDirectory("echo"));
      await kami.runtime[Symbol.asyncDispose]();
      if (cache === "no artifact") await rm(kami.home.join("artifacts"), { recursive: true });
      await chmod(tool.componentPath, 0o600);
      await copyFile(guestPath("spin"), tool.componentPath);
      await using again = new TestRuntime({ home: kami.home.path });
      expect(summarize(await again.runtime.call(tool.id, "{}"))).toEqual({
        code: "PACKAGE_CHANGED",
        message:
          'Cannot run "dev.kami.fixture.echo": its installed files no longer match the digest recorded at install',
      });
    });
  }

  test("runs the new version when another process replaces the tool between its lookup and its verification", async () => {
    await using kami = new TestRuntime();
    using directory = new TemporaryDirectory();
    const { tool } = await kami.runtime.install(guestDirectory("echo"));
    const next = await readPackage(await packageOf(directory, { id: tool.id, guest: "upper" }));
    using other = Registry.open(kami.home.path);
    afterFirstLookup(kami.runtime.registry, () => other.install(next));
    expect(summarize(await kami.runtime.call(tool.id, '{"text":"new"}'))).toEqual({ output: { text: "NEW" } });
  });

  test("says that the tool is gone when another process uninstalls it between its lookup and its verification", async () => {
    await using kami = new TestRuntime();
    const { tool } = await kami.runtime.install(guestDirectory("echo"));
    using other = Registry.open(kami.home.path);
    afterFirstLookup(kami.runtime.registry, () => other.uninstall(tool.id));
    expect(summarize(await kami.runtime.call(tool.id, "{}"))).toMatchObject({ code: "TOOL_UNKNOWN" });
  });

  test("gives the result though it cannot be recorded", async () => {
    await using kami = new TestRuntime();
    const { tool } = await kami.runtime.install(guestDirectory("echo"));
    kami.runtime.registry.recordCall = () => {
      throw new Error("the disk is\nfull");
    };
    expect(summarize(await kami.runtime.call(tool.id, '{"a":1}'))).toEqual({ output: { a: 1 } });
    expect(kami.log).toEqual(["the disk is full"]);
  });

  test("does not compile a second time, in the same process or the next", async () => {
    await using kami = new TestRuntime();
    const { tool } = await kami.runtime.install(guestDirectory("echo"));
    const artifacts = await Bun.$`ls ${kami.home.join("artifacts")}`.text();
    await using next = new TestRuntime({ home: kami.home.path });
    const before = await Bun.$`find ${kami.home.join("artifacts")} -type f -printf "%p %T@\n"`.text();
    expect((await next.runtime.call(tool.id, "{}")).ok).toBe(true);
    expect(await Bun.$`find ${kami.home.join("artifacts")} -type f -printf "%p %T@\n"`.text()).toBe(before);
    expect(artifacts.trim().split("\n").length).toBe(1);
  });
});

describe("Runtime.install()", () => {
  test("refuses a component whose memory does not fit what the manifest asks for, and installs nothing", async () => {
    await using kami = new TestRuntime();
    using directory = new TemporaryDirectory();
    await cp(guestDirectory("initial-memory"), directory.path, { recursive: true });
    await Bun.write(
      directory.join("tool.toml"),
      '[tool]\nid = "dev.test.big"\nname = "big"\nversion = "1.0.0"\nwasm = "initial-memory.wasm"\n[mcp]\ndescription = "Big"\n',
    );
    await expect(kami.runtime.install(directory.path)).rejects.toMatchObject({ code: "COMPONENT_INITIAL_MEMORY" });
    expect(kami.runtime.registry.list()).toEqual([]);
    expect(await leftovers(kami)).toBe("");
  });

  test("and uninstall leave neither package nor artifact", async () => {
    await using kami = new TestRuntime();
    const { tool } = await kami.runtime.install(guestDirectory("echo"));
    await kami.runtime.uninstall(tool.id);
    expect(await leftovers(kami)).toBe("");
  });
});

describe("Runtime.uninstall()", () => {
  test("succeeds though the compiled component cannot be removed, and logs why", async () => {
    await using kami = new TestRuntime();
    const { tool } = await kami.runtime.install(guestDirectory("echo"));
    failToList(kami.runtime.registry);
    expect((await kami.runtime.uninstall(tool.id)).id).toBe(tool.id);
    expect(kami.runtime.registry.find(tool.id)).toBeUndefined();
    expect(kami.log).toEqual(['Cannot open the registry "registry.db": it is locked']);
  });

  test("an install that fails says why it failed, though its compiled component cannot be removed", async () => {
    await using kami = new TestRuntime();
    failToList(kami.runtime.registry);
    const installing = kami.runtime.install(guestDirectory("unknown-opcode"));
    await expect(installing).rejects.toMatchObject({ code: "INSTRUCTION_UNKNOWN" });
    expect(kami.log).toEqual(['Cannot open the registry "registry.db": it is locked']);
  });
});

describe("Runtime ceilings", () => {
  const GREEDY = "max_memory_mb = 4096\nmax_execution_ms = 600000\nmax_fuel = 9007199254740991";
  const DEFAULTS = { fuel: 100_000_000_000, memoryBytes: 1_073_741_824, timeoutMs: 60_000 };
  const HIGHER = { fuel: Number.MAX_SAFE_INTEGER, memoryBytes: 4_294_967_296, timeoutMs: 600_000 };
  const LOWER = { fuel: 1000, memoryBytes: 1_048_576, timeoutMs: 10 };
  const cases: readonly (readonly [string, Partial<Limits>, Partial<Limits> | undefined])[] = [
    ["cut what a manifest asks for, by default", {}, DEFAULTS],
    ["can be raised", HIGHER, undefined],
    ["can be lowered", LOWER, LOWER],
    ["can be set one at a time", { ...HIGHER, timeoutMs: 1 }, { timeoutMs: 1 }],
  ];
  test.each(cases)("%s", async (_why, ceilings, cut) => {
    await using kami = new TestRuntime({ ceilings });
    using directory = new TemporaryDirectory();
    // Asks for one page of memory at the start: within the lowest ceiling.
    const report = await kami.runtime.install(await packageOf(directory, { security: GREEDY }));
    expect(report.cut).toEqual(cut);
    expect("cut" in report).toBe(cut !== undefined);
    expect(kami.runtime.limitsOf(report.tool)).toEqual({ ...HIGHER, ...cut });
  });

  test("do not hold for the user's own word on a call", async () => {
    await using kami = new TestRuntime({ ceilings: LOWER });
    const { tool } = await kami.runtime.install(guestDirectory("echo"));
    expect(summarize(await kami.runtime.call(tool.id, '{"a":1}', { limits: AMPLE }))).toEqual({ output: { a: 1 } });
  });
});

describe("Runtime while a component is compiled", () => {
  test.if(isLinux)("a call that is cancelled ends at once, and the work is there for the next", async () => {
    await using kami = new TestRuntime();
    const stop = new AbortController();
    const call = kami.run("echo", {}, { signal: stop.signal });
    await until(() => descendants() > 0);
    stop.abort();
    expect(summarize(await call)).toEqual({ code: "CANCELLED", message: "The call was cancelled" });
    // The compiler was still at work.
    expect(existsSync(kami.home.join("artifacts"))).toBe(false);
    expect(summarize(await kami.run("echo", { a: 1 }))).toEqual({ output: { a: 1 } });
  });

  test.if(isLinux)("disposal cancels and records calls, refuses installs, and leaves nothing behind", async () => {
    const kami = new TestRuntime();
    const call = kami.run("echo");
    const install = kami.runtime.install(guestDirectory("upper")).catch((error: unknown) => error);
    await until(() => descendants() > 0);
    await kami.runtime[Symbol.asyncDispose]();
    expect(summarize(await call)).toMatchObject({ code: "CANCELLED" });
    expect(await install).toMatchObject({ code: "CANCELLED" });
    expect(descendants()).toBe(0);
    expect(await leftovers(kami)).toBe("");
    expect(outcomes(kami)).toEqual(["CANCELLED"]);
    await kami[Symbol.asyncDispose]();
  });
});

describe("Runtime concurrency", () => {
  test("lets others finish while one spins until its deadline", async () => {
    await using kami = new TestRuntime({ concurrency: 2 });
    await kami.run("echo");
    const order: string[] = [];
    const note = (name: string, call: Promise<CallResult>): Promise<unknown> =>
      call.then((result) => order.push(`${name} ${result.ok ? "ok" : result.failure.code}`));
    const spinning = note("spin", kami.run("spin", {}, { limits: { ...ENDLESS, timeoutMs: 3000 } }));
    const others = Array.from({ length: 10 }, (_, index) => note(`echo${index}`, kami.run("echo")));
    await Promise.all([spinning, ...others]);
    expect(order.at(-1)).toBe("spin DEADLINE_EXCEEDED");
    expect(order.filter((line) => line.endsWith("ok")).length).toBe(10);
  });

  test("cancels a call that runs, one that waits, and one that was cancelled before it began", async () => {
    await using kami = new TestRuntime({ concurrency: 1 });
    const running = new AbortController();
    const waiting = new AbortController();
    const first = kami.run("spin", {}, { limits: ENDLESS, signal: running.signal });
    const second = kami.run("spin", {}, { limits: ENDLESS, signal: waiting.signal });
    const third = kami.run("spin", {}, { limits: ENDLESS, signal: AbortSignal.abort() });
    expect(summarize(await third)).toMatchObject({ code: "CANCELLED" });
    waiting.abort();
    expect(summarize(await second)).toMatchObject({ code: "CANCELLED" });
    running.abort();
    expect(summarize(await first)).toEqual({ code: "CANCELLED", message: "The call was cancelled" });
    expect(summarize(await kami.run("echo"))).toEqual({ output: {} });
  });

  test("refuses a call beyond the queue's bound and says when to come back", async () => {
    await using kami = new TestRuntime({ concurrency: 1, queueLimit: 1 });
    await kami.run("spin", {}, { limits: { ...ENDLESS, fuel: 1 } });
    const stop = new AbortController();
    const options = { limits: ENDLESS, signal: stop.signal };
    const calls = [kami.run("spin", {}, options), kami.run("spin", {}, options), kami.run("spin", {}, options)];
    const refused = await Promise.race(calls);
    expect(refused.ok || refused.failure.message).toMatch(
      /^Cannot start the call: the queue is full, retry in \d+ ms$/,
    );
    stop.abort();
    expect(
      (await Promise.all(calls)).filter((result) => !result.ok && result.failure.code === "CANCELLED").length,
    ).toBe(2);
  });

  test("burns no CPU after a call was cancelled", async () => {
    await using kami = new TestRuntime({ concurrency: 1 });
    await kami.run("spin", {}, { limits: { ...ENDLESS, fuel: 1 } });
    const stop = new AbortController();
    const call = kami.run("spin", {}, { limits: ENDLESS, signal: stop.signal });
    const before = process.cpuUsage();
    while (cpuMsSince(before) < 150) await Bun.sleep(10);
    stop.abort();
    await call;
    const after = process.cpuUsage();
    await Bun.sleep(300);
    expect(cpuMsSince(after)).toBeLessThan(60);
  });

  test("ends calls in flight when it is disposed", async () => {
    const kami = new TestRuntime({ concurrency: 1 });
    const call = kami.run("spin", {}, { limits: ENDLESS });
    const waiting = kami.run("echo");
    await Bun.sleep(50);
    await kami.runtime[Symbol.asyncDispose]();
    expect([summarize(await call), summarize(await waiting)]).toMatchObject([
      { code: "CANCELLED" },
      { code: "CANCELLED" },
    ]);
    expect(outcomes(kami)).toEqual(["CANCELLED", "CANCELLED"]);
    await kami[Symbol.asyncDispose]();
  });
});

/** What a package of a guest says; each has a default. */
interface PackageOptions {
  readonly id?: string;
  readonly guest?: string;
  /** Lines after `[mcp]`. */
  readonly mcp?: string;
  /** Lines of `[security]`. */
  readonly security?: string;
}

/** Lines that declare an integer argument. */
function argumentOf(name: string, rest: string): string {
  return `[[mcp.arguments]]\nname = "${name}"\ntype = "integer"\ndescription = "A number"\n${rest}\n`;
}

/** Makes a package of a guest, and returns its directory. */
async function packageOf(directory: TemporaryDirectory, options: PackageOptions): Promise<string> {
  const { id = "dev.test.tool", guest = "echo", mcp = "", security = "" } = options;
  await copyFile(guestPath(guest), directory.join("tool.wasm"));
  const tool = `[tool]\nid = "${id}"\nname = "tool"\nversion = "2.0.0"\nwasm = "tool.wasm"\n`;
  await Bun.write(directory.join("tool.toml"), `${tool}[mcp]\ndescription = "A tool"\n${mcp}[security]\n${security}\n`);
  return directory.path;
}

/** Has something happen right after the next lookup of a tool. */
function afterFirstLookup(registry: Registry, happen: () => unknown): void {
  const lookUp = registry.require.bind(registry);
  registry.require = (id) => {
    const tool = lookUp(id);
    registry.require = lookUp;
    happen();
    return tool;
  };
}

function failToList(registry: Registry): void {
  registry.list = () => {
    throw refuse("REGISTRY_UNUSABLE", { path: "registry.db", reason: "it is locked" });
  };
}

/** Outcomes of the calls that are on record in a home whose runtime is closed. */
function outcomes({ home }: TestRuntime): readonly string[] {
  using registry = Registry.open(home.path);
  return registry.calls().map(({ outcome }) => outcome);
}

/** Child processes of this one: the compilers. */
function descendants(): number {
  const stats = readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? [parentOf(name)] : []));
  return stats.filter((parent) => parent === process.pid).length;
}

/** Source: proc_pid_stat(5): the parent is the second field after the name, which ends at the last parenthesis. */
function parentOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined;
  }
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await Bun.sleep(1);
}

/** What is left in a home of packages, compiled components and temporary files. */
function leftovers({ home }: TestRuntime): Promise<string> {
  return Bun.$`find ${home.join("tools")} ${home.join("artifacts")} ${home.join("tmp")} -mindepth 1`
    .nothrow()
    .quiet()
    .text();
}

/** JSON text of exactly so many bytes. */
function inputOf(bytes: number): string {
  return JSON.stringify("x".repeat(bytes - 2));
}

/** CPU time of this process since a measurement, in milliseconds. */
function cpuMsSince(before: NodeJS.CpuUsage): number {
  const used = process.cpuUsage(before);
  return (used.user + used.system) / 1000;
}
