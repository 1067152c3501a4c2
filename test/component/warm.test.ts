import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { guestPath, toolDirectory } from "../../fixtures/paths.ts";
import type { Artifact } from "../../lib/component/artifact.ts";
import { COMPILER, compileComponent, orderFor } from "../../lib/component/compile.ts";
import { EngineTime } from "../../lib/component/engine.ts";
import { ModuleReader } from "../../lib/component/module-reader.ts";
import { parseReply } from "../../lib/component/reply.ts";
import { StandingChild } from "../../lib/component/standing.ts";
import { WarmCompiler } from "../../lib/component/warm.ts";
import { Failure } from "../../lib/errors.ts";
import { assemble } from "./support/components.ts";

const warm = new WarmCompiler();
afterAll(() => warm[Symbol.dispose]());

const guest = (name: string): Promise<Uint8Array> => Bun.file(guestPath(name)).bytes();

/** What becomes of a component: its artifact, or the words of the refusal. */
async function outcome(compiling: Promise<Artifact>): Promise<unknown> {
  return await compiling.catch((error: unknown) =>
    error instanceof Failure ? `${error.code}: ${error.message}` : error,
  );
}

describe("WarmCompiler", () => {
  test("makes and refuses what a throw-away compiler does, whatever came before", async () => {
    const good = await assemble();
    const panics = await assemble({ head: '(import "url=<https://example.com/a>" (func $url))' });
    // The module that was remembered as valid, with another instruction in it.
    const changed = good.slice();
    changed[Buffer.from(changed).indexOf(Uint8Array.of(0x41, 16, 0x0b))] = 0x42;
    const components = [good, await guest("kami-tool"), good, changed, await guest("core-module"), panics, good];
    const kinds: unknown[] = [];
    for (const bytes of components) {
      const found = await outcome(warm.compile(bytes));
      expect(found).toEqual(await outcome(compileComponent(bytes)));
      kinds.push(typeof found === "string" ? found.split(":", 1)[0] : "artifact");
    }
    const [invalid, crashed] = ["COMPONENT_INVALID", "COMPILE_CRASHED"];
    expect(kinds).toEqual(["artifact", "artifact", "artifact", invalid, invalid, crashed, "artifact"]);
  });

  test("ends a child that takes too long or is not wanted any more, and has another one", async () => {
    const good = await guest("echo");
    // Megabytes that nothing remembers: they take longer on any machine.
    const large = await Bun.file(join(toolDirectory("json-query"), "json_query.wasm")).bytes();
    expect(await outcome(warm.compile(large, { timeoutMs: 1 }))).toBe(
      "COMPILE_TIMEOUT: Cannot compile the component: it took longer than 1 ms",
    );
    const signal = AbortSignal.abort();
    expect(await outcome(warm.compile(good, { signal }))).toStartWith("CANCELLED: ");
    expect(await outcome(warm.compile(good))).toEqual(await compileComponent(good));
  });
});

describe("StandingChild", () => {
  test("answers one request after the other, and none after one that it refused", async () => {
    using child = new StandingChild(COMPILER);
    const { bounds } = orderFor(await guest("echo"), {});
    const answers = [await child.ask(bounds), await child.ask(bounds)];
    expect(answers.map(({ exitCode, output }) => [exitCode, output.length > 0])).toEqual([
      [0, true],
      [0, true],
    ]);
    expect(child.isOver).toBe(false);
    const refused = await child.ask({ ...bounds, input: Uint8Array.of(1) });
    expect(parseReply(refused.output)?.ok).toBe(false);
    const after = await child.ask(bounds);
    expect([after.ending, after.output.length, child.isOver]).toEqual(["exit", 0, true]);
  });

  test("is killed when it answers more than it may", async () => {
    using child = new StandingChild(COMPILER);
    const { bounds } = orderFor(await guest("echo"), {});
    expect(await child.ask({ ...bounds, outputBytes: 100 })).toMatchObject({ ending: "output", signal: "SIGKILL" });
  });
});

describe("ModuleReader", () => {
  test("counts the time that the engine took for a module that it remembers", async () => {
    const reader = new ModuleReader();
    const module = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    expect(reader.isValid(module, "m", new EngineTime())).toBe(true);
    reader.meter(module, "m", new EngineTime());
    const over = /the time in ms that the engine takes to read the core modules/;
    expect(() => reader.isValid(module, "m", new EngineTime(0))).toThrow(over);
    expect(() => reader.meter(module, "m", new EngineTime(0))).toThrow(over);
  });
});
