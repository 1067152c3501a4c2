import { describe, expect, test } from "bun:test";
import { openSync, closeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ChildOptions, type ChildResult, runAmbientChild, STDERR_BYTES } from "../../lib/component/child.ts";
import { temporaryDirectory } from "./support/directory.ts";

const PROBE = fileURLToPath(new URL("support/probe.ts", import.meta.url));

function probe(order: string, options: Partial<ChildOptions> = {}): Promise<ChildResult> {
  return runAmbientChild({
    script: PROBE,
    input: new TextEncoder().encode(order),
    timeoutMs: 20_000,
    memoryBytes: 1_073_741_824,
    outputBytes: 1_000_000,
    ...options,
  });
}

function text({ output }: ChildResult): string {
  return new TextDecoder().decode(output);
}

describe("runAmbientChild()", () => {
  test("a child has an empty environment, the root directory, and no descriptor of its parent", async () => {
    using home = temporaryDirectory();
    const secret = join(home.path, "secret");
    await Bun.write(secret, "secret");
    const held = openSync(secret, "r");
    process.env["KAMI_TEST_SECRET"] = "secret";
    try {
      const result = await probe("surroundings");
      expect(result).toMatchObject({ ending: "exit", exitCode: 0, signal: undefined, stderr: "" });
      const found = JSON.parse(text(result));
      // The one variable is Bun's own mark for its flag --no-orphans.
      expect(found.environment).toEqual({ BUN_FEATURE_FLAG_NO_ORPHANS: "1" });
      expect(found.directory).toBe("/");
      expect(found.descriptors.filter((target: string) => target.includes("secret"))).toEqual([]);
    } finally {
      delete process.env["KAMI_TEST_SECRET"];
      closeSync(held);
    }
  });

  test("a child that spins is killed at its deadline", async () => {
    const result = await probe("spin", { timeoutMs: 300 });
    expect(result).toMatchObject({ ending: "timeout", exitCode: undefined, signal: "SIGKILL" });
  });

  test("a child is killed when its signal is aborted, before it starts or while it runs", async () => {
    const stop = new AbortController();
    const running = probe("spin", { signal: stop.signal });
    await Bun.sleep(100);
    stop.abort();
    const killed = { ending: "abort", exitCode: undefined, signal: "SIGKILL" };
    expect(await running).toMatchObject(killed);
    expect(await probe("spin", { signal: AbortSignal.abort() })).toMatchObject(killed);
  });

  test.if(process.platform === "linux")("a child that takes too much memory is killed", async () => {
    const result = await probe("allocate", { memoryBytes: 209_715_200 });
    expect(result).toMatchObject({ ending: "memory", exitCode: undefined, signal: "SIGKILL" });
  });

  test("output of exactly the limit is kept, one byte more ends the child", async () => {
    const bytes = 64 * 65_536 + '"flooded"'.length;
    const whole = await probe("flood", { outputBytes: bytes });
    expect(whole).toMatchObject({ ending: "exit", exitCode: 0 });
    expect(whole.output.length).toBe(bytes);
    const cut = await probe("flood", { outputBytes: bytes - 1 });
    expect(cut.ending).toBe("output");
    expect(cut.output.length).toBe(bytes - 1);
  });

  test("standard error is cut at its limit, and the child goes on", async () => {
    const result = await probe("flood stderr");
    expect(result).toMatchObject({ ending: "exit", exitCode: 0, stderr: "x".repeat(STDERR_BYTES) });
    expect(text(result)).toBe('"flooded"');
  });

  test("32 MiB of input arrive while output is read", async () => {
    const input = new Uint8Array(33_554_432);
    input.set(new TextEncoder().encode("count\n"));
    expect(text(await probe("", { input }))).toBe(String(input.length));
  });

  test("a child that ends without reading its input is reported, not thrown", async () => {
    const script = "/nonexistent/kami-child.ts";
    const result = await probe("", { script, input: new Uint8Array(4_000_000) });
    expect(result).toMatchObject({ ending: "exit", exitCode: 1, signal: undefined });
  });
});
