/**
 * Attacks on the compiler and on what it leaves behind: names that are code, modules that escape the meter, forged artifacts on
 * disk. Forged answers of the compiling child are in test/component/reply.test.ts.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ARTIFACT_ABI, type Artifact } from "../../lib/component/artifact.ts";
import { digestOf } from "../../lib/digest.ts";
import { ArtifactCache } from "../../lib/component/cache.ts";
import { compileComponent } from "../../lib/component/compile.ts";
import { inspectComponent } from "../../lib/component/inspect.ts";
import { Failure } from "../../lib/errors.ts";
import { METER_EXPORTS } from "../../lib/wasm/layout.ts";
import { assemble } from "../component/support/components.ts";
import { temporaryDirectory } from "../component/support/directory.ts";

let artifact: Artifact;

beforeAll(async () => {
  artifact = await compileComponent(await assemble());
});

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof Failure) return error.code;
    throw error;
  }
  return "accepted";
}

describe("code in names", () => {
  // jco writes core names between quotes as they are; each of these characters could end a string, a comment or a template.
  const characters = ["'", '"', "\\", "`", "\n", "\r", "\u2028", "\u2029", "{", "}", "*", "\0", "é", "\u202e"];
  for (const character of characters) {
    const escaped = [...Buffer.from(character)].map((byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("");
    const name = `x${escaped}];globalThis.owned=1;[`;
    const places = {
      "the memory's name": { memory: name },
      "the allocator's name": { realloc: name },
      "the function's name": { run: name },
      "an export that nothing uses": { fields: `(func (export "${name}"))` },
      "a module's import": {
        head: `(core module $n (import "${name}" "f" (func))) `,
      },
      "an import's field": { head: `(core module $n (import "m" "${name}" (func))) ` },
      "a core instance's argument": {
        head: `(core module $a) (core instance $a (instantiate $a)) (core module $n)
          (core instance (instantiate $n (with "${name}" (instance $a))))`,
      },
      "a core instance's export": {
        head: `(core module $a (func (export "f"))) (core instance $a (instantiate $a))
          (core instance (export "${name}" (func $a "f")))`,
      },
    };
    for (const [place, source] of Object.entries(places)) {
      test(`${JSON.stringify(character)} in ${place} is refused before jco sees it`, async () => {
        const bytes = await assemble(source);
        expect(codeOf(() => inspectComponent(bytes))).toBe("COMPONENT_UNSUPPORTED");
      });
    }
  }

  test("the compiler refuses such a name with one clean line", async () => {
    const failure = await compileComponent(
      await assemble({ run: "x\\27];globalThis.owned=1;[\\27\\0a\\1b[31m" }),
    ).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "COMPONENT_UNSUPPORTED",
      message: `Cannot compile the component: it uses the name "x'];globalThis.owned=1;['", which KAMI refuses`,
    });
  });

  test("names as toolchains write them are taken, and end up in the plan as they are", async () => {
    const run = "kami:tool/tool@0.1.0#[method]a.b<c>$x|y,z(=)!~^&+ %;?-_0//";
    const { plan, kind } = await compileComponent(await assemble({ run, memory: "$memory", realloc: "[realloc]" }));
    expect(kind).toBe("bare");
    expect(plan.functions[0]).toMatchObject({
      core: { from: "export", instance: 0, name: run },
      options: { memory: { name: "$memory" }, realloc: { name: "[realloc]" } },
    });
  });

  test("a name of 1000 characters is taken, one of 1001 is not", async () => {
    const longest = await assemble({ fields: `(func (export "${"x".repeat(1000)}"))` });
    const longer = await assemble({ fields: `(func (export "${"x".repeat(1001)}"))` });
    expect(codeOf(() => inspectComponent(longest))).toBe("accepted");
    expect(codeOf(() => inspectComponent(longer))).toBe("COMPONENT_UNSUPPORTED");
  });
});

describe("core modules that escape the meter", () => {
  test("every core module of the component is among the metered ones, however small", async () => {
    const head = '(core module $tiny (func (export "f"))) (core instance (instantiate $tiny))';
    const { modules, plan } = await compileComponent(await assemble({ head }));
    expect(modules.length).toBe(2);
    expect(plan.steps.map(({ module }) => module)).toEqual([0, 1]);
    for (const { bytes } of modules) {
      const exports = WebAssembly.Module.exports(new WebAssembly.Module(Uint8Array.from(bytes)));
      expect(exports.map(({ name }) => name)).toContain(METER_EXPORTS.read);
    }
  });

  test("a module that imports the meter's own functions is refused", async () => {
    const bytes = await assemble({ head: '(core module (import "kami:meter" "fuel" (global (mut i32))))' });
    expect(codeOf(() => inspectComponent(bytes))).toBe("COMPONENT_UNSUPPORTED");
  });

  test("code that the engine would refuse does not get as far as the meter", async () => {
    // Without validation, the index of a global that does not exist could come to mean the fuel counter.
    const global = await assemble({ fields: "(func (global.set 0 (i32.const 1)))" });
    expect(codeOf(() => inspectComponent(global))).toBe("COMPONENT_INVALID");
    const other = await assemble({ fields: "(func (drop (i64.add (i32.const 1) (i32.const 2))))" });
    expect(codeOf(() => inspectComponent(other))).toBe("COMPONENT_INVALID");
  });
});

describe("a forged artifact on disk", () => {
  test("an unchanged one, sealed again, is loaded", async () => {
    using home = temporaryDirectory();
    expect(await forged(home.path, (stored) => stored)).toEqual(artifact);
  });

  const forgeries: readonly (readonly [why: string, change: (stored: Stored) => unknown])[] = [
    ["another component's digest", (stored) => ({ ...stored, digest: "0".repeat(64) })],
    ["another ABI", (stored) => ({ ...stored, abi: "m0-p0" })],
    ["too few digests", (stored) => ({ ...stored, sha256: [] })],
    ["a digest that is none", (stored) => ({ ...stored, sha256: ["", ""] })],
    ["no artifact", (stored) => ({ ...stored, artifact: null })],
    ["a further key", (stored) => ({ ...stored, extra: 1 })],
  ];
  for (const [why, change] of forgeries) {
    test(`${why} is not loaded`, async () => {
      using home = temporaryDirectory();
      expect(await forged(home.path, change)).toBeUndefined();
    });
  }

  test("a module's path out of the directory is not followed, though the file's digest is right", async () => {
    using home = temporaryDirectory();
    const outside = join(home.path, "artifacts", "outside.wasm");
    await Bun.write(outside, artifact.modules[0]?.bytes ?? "");
    const loaded = await forged(home.path, (stored) => {
      stored.artifact.modules[0].name = "../outside.wasm";
      return stored;
    });
    expect(loaded).toBeUndefined();
  });
});

describe("the compiling process", () => {
  test.if(process.platform === "linux")("does not outlive its parent", async () => {
    const script = fileURLToPath(new URL("../component/support/run-spin.ts", import.meta.url));
    const parent = Bun.spawn([process.execPath, script], { stdout: "pipe", stderr: "inherit" });
    const child = await firstLine(parent.stdout).then(Number);
    expect(isAlive(child)).toBe(true);
    parent.kill("SIGKILL");
    await parent.exited;
    try {
      const until = Date.now() + 4000;
      while (isAlive(child) && Date.now() < until) await Bun.sleep(10);
      expect(isAlive(child)).toBe(false);
    } finally {
      if (isAlive(child)) process.kill(child, "SIGKILL");
    }
  });
});

interface Stored {
  readonly artifact: { readonly modules: readonly [{ name: string }] };
}

/** Stores the artifact, changes its manifest and loads it again. */
async function forged(home: string, change: (stored: Stored) => unknown) {
  const cache = new ArtifactCache(home);
  await cache.store(artifact);
  const path = join(home, "artifacts", `${artifact.digest}-${ARTIFACT_ABI}`, "artifact.json");
  const [json = ""] = (await Bun.file(path).text()).split("\n");
  const changed = JSON.stringify(change(JSON.parse(json)));
  // Sealed as KAMI seals it: the seal finds damage, the checks behind it must find the rest.
  await Bun.write(path, `${changed}\n${digestOf(changed)}\n`);
  return await cache.load(artifact.digest);
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of stream) {
    text += new TextDecoder().decode(chunk);
    if (text.includes("\n")) return text.trim();
  }
  throw new Error(`the stream ended after "${text}"`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
