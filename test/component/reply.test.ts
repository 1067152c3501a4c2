import { beforeAll, describe, expect, test } from "bun:test";
import type { Artifact } from "../../lib/component/artifact.ts";
import { compileComponent } from "../../lib/component/compile.ts";
import { encodeCompiled, encodeFailure, parseReply } from "../../lib/component/reply.ts";
import { refuse } from "../../lib/errors.ts";
import { assemble } from "./support/components.ts";

let artifact: Artifact;

beforeAll(async () => {
  artifact = await compileComponent(await assemble());
});

interface Header {
  readonly modules: readonly [{ readonly name: string; readonly bytes: number; readonly memories: readonly object[] }];
  readonly planBytes: number;
}

const module = (header: Header, number: number) => ({
  ...header.modules[0],
  bytes: 0,
  name: `tool.core${number}.wasm`,
});
const altered = (header: Header, field: object) => ({ ...header, modules: [{ ...header.modules[0], ...field }] });
const named = (header: Header, name: string) => altered(header, { name });
const sized = (header: Header, bytes: number) => altered(header, { bytes });
const memory = (header: Header, spec: object) => altered(header, { memories: [spec] });

describe("parseReply()", () => {
  test("an unchanged answer is taken", () => {
    const { digest, ...compiled } = artifact;
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect(parseReply(forge((header) => header))).toEqual({ ok: true, compiled });
  });

  const forgeries: readonly (readonly [why: string, change: (header: Header) => unknown])[] = [
    ["no object", () => "compiled"],
    ["nothing", () => null],
    ["another kind", (header) => ({ ...header, kind: "native" })],
    ["an instance for a bare export", (header) => ({ ...header, entryInstance: "kami:tool/tool@0.1.0" })],
    ["an instance of another name", (header) => ({ ...header, kind: "tool", entryInstance: "__proto__" })],
    [
      "a command of another name",
      (header) => ({ ...header, kind: "command", entryInstance: "wasi:cli/run@0.2.3/../x" }),
    ],
    ["a further key", (header) => ({ ...header, glue: "alert(1)" })],
    ["a module that leaves the directory", (header) => named(header, "../../tool.core.wasm")],
    ["a module with the plan's name", (header) => named(header, "plan.json")],
    ["a module with a line end in its name", (header) => named(header, "tool.core.wasm\n")],
    ["a module twice", (header) => ({ ...header, modules: [...header.modules, { ...header.modules[0], bytes: 0 }] })],
    ["a negative length", (header) => sized(header, -1)],
    ["a length that is no integer", (header) => sized(header, 0.5)],
    ["a module one byte longer than its bytes", (header) => sized(header, header.modules[0].bytes + 1)],
    ["a module one byte shorter than its bytes", (header) => sized(header, header.modules[0].bytes - 1)],
    ["a module beyond the limit", (header) => sized(header, 268_435_457)],
    ["a plan beyond the limit", (header) => ({ ...header, planBytes: 2_097_153 })],
    ["65 modules", (header) => ({ ...header, modules: Array.from({ length: 65 }, (_, n) => module(header, n + 2)) })],
    ["a memory of 65,537 pages", (header) => memory(header, { initialPages: 65_537, maximumPages: null })],
    ["a memory without limits", (header) => memory(header, {})],
    ["an import that is no name", (header) => ({ ...header, imports: ["x'); alert(1); ('"] })],
    ["1001 imports", (header) => ({ ...header, imports: Array.from({ length: 1001 }, () => "a") })],
  ];

  for (const [why, forgery] of forgeries) {
    test(`${why} is refused`, () => {
      expect(parseReply(forge(forgery))).toBeUndefined();
    });
  }

  test("a frame cut anywhere, or with a byte more, is refused", () => {
    const frame = Buffer.concat(encodeCompiled(artifact));
    for (let length = 0; length < frame.length; length += length < 2000 ? 1 : 997) {
      expect(parseReply(frame.subarray(0, length))).toBeUndefined();
    }
    expect(parseReply(Buffer.concat([frame, Uint8Array.of(0)]))).toBeUndefined();
    expect(parseReply(Buffer.concat([Buffer.from("warning\n"), frame]))).toBeUndefined();
  });

  test("a plan that is not UTF-8, not JSON, or of other things, is refused", () => {
    const [prefix = new Uint8Array(), json = new Uint8Array(), plan = new Uint8Array(), ...rest] =
      encodeCompiled(artifact);
    const withPlan = (change: (bytes: Uint8Array) => void) => {
      const changed = plan.slice();
      change(changed);
      return parseReply(Buffer.concat([prefix, json, changed, ...rest]));
    };
    expect(withPlan(() => undefined)).toMatchObject({ ok: true });
    expect(withPlan((bytes) => void (bytes[10] = 0xff))).toBeUndefined();
    expect(withPlan((bytes) => bytes.set([0xef, 0xbb, 0xbf]))).toBeUndefined();
    expect(withPlan((bytes) => void (bytes[0] = 0x5b))).toBeUndefined();
    // {"types": becomes {"typez":.
    expect(withPlan((bytes) => void (bytes[6] = 0x7a))).toBeUndefined();
  });

  const failures = [
    refuse("COMPONENT_INVALID", { reason: "cut" }),
    refuse("COMPONENT_UNSUPPORTED", { what: "threads" }),
    refuse("COMPONENT_LIMIT", { what: "the number of types", value: 2, limit: 1 }),
    refuse("COMPONENT_NO_ENTRY", { exports: ["a", "b"] }),
    refuse("INSTRUCTION_UNKNOWN", { module: "tool.core.wasm", offset: 7, opcode: "0xff" }),
  ];
  for (const failure of failures) {
    test(`${failure.code} crosses over`, () => {
      const reply = parseReply(Buffer.concat(encodeFailure(failure)));
      const { code, message, hint, detail } = failure;
      expect(reply).toMatchObject({ ok: false, failure: { code, message, hint, detail } });
    });
  }

  test("failures that a component cannot cause do not cross over", () => {
    expect(parseReply(Buffer.concat(encodeFailure(refuse("REGISTRY_BUSY", { waitedMs: 1 }))))).toBeUndefined();
    expect(parseReply(Buffer.concat(encodeFailure(refuse("TOOL_ERROR", { message: "obey me" }))))).toBeUndefined();
    const long = refuse("COMPONENT_INVALID", { reason: "x".repeat(10_001) });
    expect(parseReply(Buffer.concat(encodeFailure(long)))).toBeUndefined();
  });
});

/** Changes the header of a true answer. */
function forge(change: (header: Header) => unknown, extra = new Uint8Array()): Uint8Array {
  const [prefix = new Uint8Array(), json = new Uint8Array(), ...parts] = encodeCompiled(artifact);
  const header: { compiled: Header } = JSON.parse(new TextDecoder().decode(json));
  const changed = new TextEncoder().encode(JSON.stringify({ compiled: change(header.compiled) }));
  const head = prefix.slice();
  new DataView(head.buffer).setUint32(head.length - 4, changed.length, true);
  return Buffer.concat([head, changed, ...parts, extra]);
}
