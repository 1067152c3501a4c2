/**
 * What the compiling child answers on its standard output: a frame of a magic, a header in JSON and the artifact's parts.
 * The parent parses it as hostile: the child has read an untrusted component.
 */
import * as v from "valibot";
import { type Failure, refuse } from "../errors.ts";
import type { Compiled } from "./artifact.ts";
import { parseManifest, partSizes, putTogether, takeApart } from "./manifest.ts";
import { checkPlanBytes } from "./plan/builder.ts";

/** The child's answer. */
export type Reply =
  { readonly ok: true; readonly compiled: Compiled } | { readonly ok: false; readonly failure: Failure };

const MAGIC = "KAMI-COMPILED-1\n";
/** The magic, and the header's length as a 32-bit little-endian number. */
const PREFIX_BYTES = MAGIC.length + 4;
const HEADER_LIMIT_BYTES = 4_194_304;

const TEXT = v.pipe(v.string(), v.maxLength(10_000));
const NUMBER = v.pipe(v.number(), v.finite());

/** The failures that a component can cause, each made again from what its text needs. */
const FAILURE = v.union([
  v.pipe(
    v.strictObject({ code: v.literal("COMPONENT_INVALID"), detail: v.strictObject({ reason: TEXT }) }),
    v.transform(({ code, detail }): Failure => refuse(code, detail)),
  ),
  v.pipe(
    v.strictObject({ code: v.literal("COMPONENT_UNSUPPORTED"), detail: v.strictObject({ what: TEXT }) }),
    v.transform(({ code, detail }): Failure => refuse(code, detail)),
  ),
  v.pipe(
    v.strictObject({
      code: v.literal("COMPONENT_LIMIT"),
      detail: v.strictObject({ what: TEXT, value: NUMBER, limit: NUMBER }),
    }),
    v.transform(({ code, detail }): Failure => refuse(code, detail)),
  ),
  v.pipe(
    v.strictObject({
      code: v.literal("COMPONENT_NO_ENTRY"),
      detail: v.strictObject({ exports: v.pipe(v.array(TEXT), v.maxLength(20)) }),
    }),
    v.transform(({ code, detail }): Failure => refuse(code, detail)),
  ),
  v.pipe(
    v.strictObject({
      code: v.literal("INSTRUCTION_UNKNOWN"),
      detail: v.strictObject({ module: TEXT, offset: NUMBER, opcode: TEXT }),
    }),
    v.transform(({ code, detail }): Failure => refuse(code, detail)),
  ),
]);

/** Writes the frame for what was compiled. @returns Its pieces, in order. @throws {Failure} COMPONENT_LIMIT when its plan is too large. */
export function encodeCompiled(compiled: Compiled): readonly Uint8Array[] {
  const { manifest, parts } = takeApart(compiled);
  checkPlanBytes(parts[0]?.length ?? 0);
  return [...encodeHeader({ compiled: manifest }), ...parts];
}

/** Writes the frame for a failure. @returns Its pieces, in order. */
export function encodeFailure(failure: Failure): readonly Uint8Array[] {
  return encodeHeader({ failure: { code: failure.code, detail: failure.detail } });
}

/** Parses a frame. @returns Undefined when anything about it is not as it should be. */
export function parseReply(frame: Uint8Array): Reply | undefined {
  if (frame.length < PREFIX_BYTES || ascii(frame.subarray(0, MAGIC.length)) !== MAGIC) return undefined;
  const headerBytes = new DataView(frame.buffer, frame.byteOffset).getUint32(MAGIC.length, true);
  const bodyStart = PREFIX_BYTES + headerBytes;
  if (headerBytes > HEADER_LIMIT_BYTES || bodyStart > frame.length) return undefined;
  const header = parseJson(frame.subarray(PREFIX_BYTES, bodyStart));
  if (typeof header !== "object" || header === null) return undefined;
  const body = frame.subarray(bodyStart);
  if ("failure" in header) return body.length === 0 ? parseFailure(header.failure) : undefined;
  return "compiled" in header ? parseCompiled(header.compiled, body) : undefined;
}

function parseFailure(input: unknown): Reply | undefined {
  const parsed = v.safeParse(FAILURE, input, { abortEarly: true });
  return parsed.success ? { ok: false, failure: parsed.output } : undefined;
}

function parseCompiled(input: unknown, body: Uint8Array): Reply | undefined {
  const manifest = parseManifest(input);
  if (manifest === undefined) return undefined;
  let start = 0;
  const parts = partSizes(manifest).map((bytes) => {
    start += bytes;
    // A copy: what is kept must not hold the whole frame.
    return body.slice(start - bytes, start);
  });
  const compiled = start === body.length ? putTogether(manifest, parts) : undefined;
  return compiled && { ok: true, compiled };
}

function encodeHeader(header: object): readonly Uint8Array[] {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const prefix = new Uint8Array(PREFIX_BYTES);
  prefix.set(new TextEncoder().encode(MAGIC));
  new DataView(prefix.buffer).setUint32(MAGIC.length, json.length, true);
  return [prefix, json];
}

function ascii(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
