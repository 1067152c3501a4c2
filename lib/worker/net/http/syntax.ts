/**
 * The syntax of HTTP/1.1 messages: what a name, a value, a method may be, and which fields no guest may set. Pure.
 *
 * Source: RFC 9110 §5.1, §5.5, §5.6.2, §7.6.1, §9.1; RFC 9112 §5, §6.1.
 */

/** A header or trailer field: its name as it was written, and its value's bytes. */
export type Field = readonly [name: string, value: Uint8Array];

/** Bytes that all fields of a message may have, names, values and what separates them: 64 KiB. */
export const SECTION_LIMIT_BYTES: number = 65_536;

/** Fields that a message may have. */
export const FIELD_COUNT_LIMIT: number = 256;

/** Bytes of the name and value of one field that a server may send: 32 KiB. */
export const FIELD_LIMIT_BYTES: number = 32_768;

/** Bytes of a line that a field takes beside its name and value: `: ` and the end of the line. */
const FIELD_OVERHEAD_BYTES = 4;

/** Bytes that a field takes in memory beside its name and value. */
const FIELD_MEMORY_BYTES = 192;

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const SCHEME = /^[A-Za-z][A-Za-z0-9+\-.]*$/;

/**
 * Fields of the connection, which are the host's business, and `Host`, which is the authority's: what a guest said in them would be believed by the
 * server, not by the policy. Lower-case.
 */
const FORBIDDEN: ReadonlySet<string> = new Set([
  "connection",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** What no trailer may say, because it would be too late or a lie. Source: RFC 9110 §6.5.1. */
const NOT_IN_TRAILERS: ReadonlySet<string> = new Set(["content-length", "content-encoding", "content-type", "trailer"]);

/** Whether a text is a method. Source: RFC 9110 §9.1: `method = token`. */
export function isMethod(text: string): boolean {
  return text.length <= 64 && TOKEN.test(text);
}

/** Whether a text is a scheme. Source: RFC 3986 §3.1. */
export function isScheme(text: string): boolean {
  return text.length <= 64 && SCHEME.test(text);
}

/** Whether a text is a field's name. Source: RFC 9110 §5.1: `field-name = token`. */
export function isFieldName(text: string): boolean {
  return text.length <= FIELD_LIMIT_BYTES && TOKEN.test(text);
}

/** Whether bytes are a field's value: no line may end in it. Source: RFC 9110 §5.5. */
export function isFieldValue(value: Uint8Array): boolean {
  return value.every((byte) => (byte >= 0x20 && byte !== 0x7f) || byte === 0x09);
}

/** Whether a guest may neither set nor see a field. */
export function isForbiddenName(name: string): boolean {
  return FORBIDDEN.has(name.toLowerCase());
}

/** Whether a field may be a trailer. */
export function isTrailerName(name: string): boolean {
  return !isForbiddenName(name) && !NOT_IN_TRAILERS.has(name.toLowerCase());
}

/** Counts the bytes that fields take in memory, which is more than what is sent when there are many. */
export function memorySize(fields: readonly Field[]): number {
  return fields.reduce((sum, [name, value]) => sum + name.length + value.length + FIELD_MEMORY_BYTES, 0);
}

/** Counts the bytes of fields as they are sent. */
export function sectionSize(fields: readonly Field[]): number {
  return fields.reduce((sum, [name, value]) => sum + name.length + value.length + FIELD_OVERHEAD_BYTES, 0);
}

/** The values of a field, as text of one byte a character. */
export function valuesOf(fields: readonly Field[], name: string): readonly string[] {
  return fields.filter(([each]) => each.toLowerCase() === name).map(([, value]) => latin1(value));
}

/** Decodes bytes, one a character. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/**
 * Reads `Content-Length`.
 *
 * @returns Bytes; undefined when there is none, and "invalid" when it does not say one number.
 *
 * Source: RFC 9112 §6.3, rule 5; RFC 9110 §8.6.
 */
export function contentLength(fields: readonly Field[]): number | "invalid" | undefined {
  const texts = new Set(valuesOf(fields, "content-length").map((value) => value.trim()));
  const [text] = texts;
  if (text === undefined) return undefined;
  return texts.size === 1 && /^[0-9]{1,15}$/.test(text) ? Number(text) : "invalid";
}
