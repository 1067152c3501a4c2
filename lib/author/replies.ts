/**
 * Replies of HTTP servers, as test cases have them: `[[case.reply]]` in a case, `[[reply]]` in a file that `kami test --record` wrote. Read strictly, and
 * within bounds: both come with a tool that may be anybody's.
 */
import * as v from "valibot";
import { clean, quote, refuse } from "../errors.ts";
import { readTarget } from "../policy/network.ts";
import { type GivenReply, type MadeRequest, REHEARSAL_LIMITS } from "../policy/rehearsal.ts";

/** What replies are read with. */
export interface ReplySource {
  /** What messages call the file. */
  readonly file: string;
  /** Reads a file beside the case. @throws {Failure} */
  readonly read: (path: string) => Uint8Array<ArrayBuffer>;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/;
/** One byte a character, and none that ends a line. Source: RFC 9110 §5.5. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Fields of the connection: what they say would be about one that there is not. */
const CONNECTION_FIELD =
  /^(?:connection|host|http2-settings|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/i;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** Bytes of all headers of a reply, and how many there may be. */
const HEADER_LIMITS = { bytes: 49_152, count: 200 } as const;
const ENCODER = new TextEncoder();
/** What a person would not see, or see as something else. */
const UNSEEN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** The table of one reply. */
const REPLY = v.strictObject({
  method: v.optional(v.pipe(v.string(), v.regex(/^[A-Z][A-Z0-9-]{0,31}$/, "must be a method, in capitals")), "GET"),
  url: v.string(),
  status: v.optional(v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(599)), 200),
  headers: v.optional(v.record(v.string(), v.union([v.string(), v.array(v.string())])), {}),
  body: v.optional(v.string()),
  body_base64: v.optional(v.pipe(v.string(), v.regex(BASE64, "must be base64"))),
  file: v.optional(v.string()),
});

type Written = v.InferOutput<typeof REPLY>;

/**
 * Reads replies.
 *
 * @param tables - As TOML has them.
 * @throws {Failure} `CASE_INVALID`, and what reading a body's file throws
 */
export function readReplies(tables: readonly unknown[], source: ReplySource): readonly GivenReply[] {
  const { requests, totalBytes } = REHEARSAL_LIMITS;
  if (tables.length > requests)
    throw invalid(source, "reply", `has ${tables.length} replies, the limit is ${requests}`);
  let bytes = 0;
  return tables.map((each) => {
    const reply = readReply(parseTable(each, source), source);
    bytes += reply.body.length;
    if (bytes > totalBytes) throw invalid(source, "reply", `has more than ${totalBytes} bytes of bodies`);
    return reply;
  });
}

/** Makes a URL canonical, as requests have it. @returns Undefined when no request could be for it. */
export function canonicalUrl(text: string): string | undefined {
  const url = URL.parse(text);
  const scheme = url?.protocol.slice(0, -1);
  if (url === null || (scheme !== "https" && scheme !== "http") || url.username !== "" || url.password !== "")
    return undefined;
  return readTarget({ scheme, authority: url.host, path: url.pathname + url.search })?.url;
}

/**
 * Writes what a call was answered as a file of replies.
 *
 * @returns TOML; undefined when a request has no whole reply that could be given again.
 */
export function formatReplies(requests: readonly MadeRequest[]): string | undefined {
  const parts = requests.flatMap(({ method, url, outcome, reply }) =>
    outcome === "denied" ? [] : [reply && formatReply({ method, url, ...reply })],
  );
  return parts.includes(undefined) ? undefined : parts.join("\n");
}

function parseTable(table: unknown, source: ReplySource): Written {
  const result = v.safeParse(REPLY, table);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw invalid(source, `reply.${v.getDotPath(issue) ?? ""}`, issue.message);
}

function readReply(written: Written, source: ReplySource): GivenReply {
  const { method, status } = written;
  const url = canonicalUrl(written.url);
  if (url === undefined) throw invalid(source, "url", `${quote(clean(written.url, 100))} is no URL of http or https`);
  const headers = Object.entries(written.headers).flatMap(([name, value]) =>
    [value].flat().map((each): [string, string] => [name, each]),
  );
  checkHeaders(headers, source);
  const body = readBody(written, source);
  if (body.length > REHEARSAL_LIMITS.bodyBytes)
    throw invalid(source, "body", `has ${body.length} bytes, the limit is ${REHEARSAL_LIMITS.bodyBytes}`);
  return { method, url, status, headers, body };
}

function checkHeaders(headers: readonly (readonly [string, string])[], source: ReplySource): void {
  for (const [name, value] of headers) {
    const shown = quote(clean(name, 60));
    if (!TOKEN.test(name)) throw invalid(source, "headers", `${shown} is no name of a header`);
    if (CONNECTION_FIELD.test(name)) throw invalid(source, "headers", `${shown} is about the connection: leave it out`);
    if (!VALUE.test(value))
      throw invalid(source, "headers", `the value of ${shown} has a character that no header has`);
  }
  const bytes = headers.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
  if (headers.length > HEADER_LIMITS.count || bytes > HEADER_LIMITS.bytes)
    throw invalid(source, "headers", `must be ${HEADER_LIMITS.count} and ${HEADER_LIMITS.bytes} bytes at most`);
}

function readBody({ body, body_base64: base64, file }: Written, source: ReplySource): Uint8Array<ArrayBuffer> {
  if ([body, base64, file].filter((each) => each !== undefined).length > 1)
    throw invalid(source, "body", "is given more than once: as body, body_base64 or file");
  if (file !== undefined) return source.read(file);
  return base64 === undefined ? ENCODER.encode(body) : new Uint8Array(Buffer.from(base64, "base64"));
}

function invalid({ file }: ReplySource, key: string, rule: string): Error {
  return refuse("CASE_INVALID", { source: file, key, rule });
}

function formatReply({ method, url, status, headers, body }: GivenReply): string {
  const names = [...new Set(headers.map(([name]) => name))];
  const lines = names.map((name) => {
    const values = headers.filter(([each]) => each === name).map(([, value]) => basic(value));
    return `${basic(name)} = ${values.length === 1 ? values[0] : `[${values.join(", ")}]`}`;
  });
  const head = [`[[reply]]`, `method = ${basic(method)}`, `url = ${basic(url)}`, `status = ${status}`];
  // Last: a table of its own would take what comes after it.
  return `${[...head, formatBody(body), `[reply.headers]`, ...lines].join("\n")}\n`;
}

/** As text where it is, so that a person can read it. */
function formatBody(body: Uint8Array): string {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(body);
  if (!Buffer.from(text).equals(body)) return `body_base64 = "${Buffer.from(body).toString("base64")}"`;
  if (!text.includes("\n")) return `body = ${basic(text)}`;
  // A quote alone needs no escape: HTML is full of them.
  const lines = text.split("\n").map((line) => inside(line).replaceAll(/\\"(?!\\"|$)/g, '"'));
  return `body = """\n${lines.join("\n")}"""`;
}

/** A basic string of TOML, whose escapes JSON has as well. */
function basic(text: string): string {
  return `"${inside(text)}"`;
}

function inside(text: string): string {
  return JSON.stringify(text).slice(1, -1).replace(UNSEEN, escapeCharacter);
}

function escapeCharacter(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  return character.length === 1 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`;
}
