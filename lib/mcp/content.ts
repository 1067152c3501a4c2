/**
 * Content that a tool returns in MCP's own shape: `{"content": [{"type": "image", …}]}`. A tool can show an image this way without knowing of KAMI.
 *
 * The guest is not believed: each block is made anew out of the fields that are known and checked. `_meta` and annotations, by which clients are
 * steered, are left out, and so is what a client would act on: links, and images and sounds of kinds that can hold programs.
 * An output with a block that is not so is data like any other.
 *
 * Source: MCP 2026-07-28 and 2025-11-25, "Server features / Tools", "Tool Result".
 */
import { isJsonObject } from "../json-type.ts";
import type { CallToolResult } from "@modelcontextprotocol/server";
import { isTakenScheme } from "../manifest/uri.ts";

/** One part of a result. */
type ContentBlock = CallToolResult["content"][number];

/** What a tool returned in MCP's own shape. */
export interface ShapedContent {
  readonly content: ContentBlock[];
  readonly structuredContent?: Record<string, unknown>;
}

/** Most blocks of a result. */
export const BLOCKS_LIMIT = 256;

const IMAGE = /^image\/(?:png|jpeg|gif|webp|avif)$/;
const AUDIO = /^audio\/(?:wav|x-wav|mpeg|ogg|flac|aac|mp4|webm)$/;
const MEDIA_TYPE = /^[a-z]+\/[a-z0-9][a-z0-9.+-]{0,100}$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

const RESOURCE_URI = /^([a-z][a-z0-9+.-]*):[!-~]{1,2000}$/;

/** Schemes that name what a tool has read, and that nobody acts on when it is embedded. */
const NAMING: ReadonlySet<string> = new Set(["http", "https", "ftp", "ftps", "urn", "cid", "mid", "git", "ssh"]);

type Fields = Readonly<Record<string, unknown>>;

/** Makes a block out of what a guest says of it; undefined when that is not in order. */
type Read = (block: Fields) => ContentBlock | undefined;

const READERS: ReadonlyMap<unknown, Read> = new Map<unknown, Read>([
  ["text", ({ text }) => (typeof text === "string" ? { type: "text", text } : undefined)],
  [
    "image",
    ({ data, mimeType }) =>
      isBase64(data) && isMatch(mimeType, IMAGE) ? { type: "image", data, mimeType } : undefined,
  ],
  [
    "audio",
    ({ data, mimeType }) =>
      isBase64(data) && isMatch(mimeType, AUDIO) ? { type: "audio", data, mimeType } : undefined,
  ],
  ["resource", ({ resource }) => (isJsonObject(resource) ? readResource(resource) : undefined)],
]);

/**
 * Recognises content in MCP's own shape.
 *
 * @param value - What the tool returned, parsed.
 * @returns Undefined when it is something else, or not in order.
 */
export function readContent(value: Fields): ShapedContent | undefined {
  const { content, structuredContent, ...others } = value;
  if (!Array.isArray(content) || Object.keys(others).length > 0) return undefined;
  if (content.length === 0 || content.length > BLOCKS_LIMIT) return undefined;
  if (structuredContent !== undefined && !isJsonObject(structuredContent)) return undefined;
  const blocks = content.map((block: unknown) =>
    isJsonObject(block) ? READERS.get(block["type"])?.(block) : undefined,
  );
  const whole = blocks.filter((block) => block !== undefined);
  if (whole.length < blocks.length) return undefined;
  return { content: whole, ...(structuredContent !== undefined && { structuredContent: { ...structuredContent } }) };
}

function readResource({ uri, mimeType, text, blob }: Fields): ContentBlock | undefined {
  if (!isResourceUri(uri)) return undefined;
  if (mimeType !== undefined && !isMatch(mimeType, MEDIA_TYPE)) return undefined;
  const named = { uri, ...(mimeType !== undefined && { mimeType }) };
  if (typeof text === "string" && blob === undefined) return { type: "resource", resource: { ...named, text } };
  if (text === undefined && isBase64(blob)) return { type: "resource", resource: { ...named, blob } };
  return undefined;
}

/** Whether it is a name for what is embedded: not one that a client may take for a file, a program or a page of its own, or for what KAMI serves. */
function isResourceUri(uri: unknown): uri is string {
  const scheme = typeof uri === "string" ? RESOURCE_URI.exec(uri)?.[1] : undefined;
  return scheme !== undefined && (NAMING.has(scheme) || !isTakenScheme(scheme));
}

function isBase64(value: unknown): value is string {
  return typeof value === "string" && value.length % 4 === 0 && BASE64.test(value);
}

function isMatch(value: unknown, pattern: RegExp): value is string {
  return typeof value === "string" && pattern.test(value);
}
