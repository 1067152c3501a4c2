import { describe, expect, test } from "bun:test";
import { parseMessage, readMessageBody, requestId } from "../../../lib/mcp/http/body.ts";

const LIMITS = { bytes: 100, ms: 200 };
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const nested = (levels: number): string => `{"jsonrpc":"2.0","a":${"[".repeat(levels - 1)}${"]".repeat(levels - 1)}}`;

function post(body: BodyInit, headers: Record<string, string> = {}): Request {
  return new Request("http://localhost/mcp", { method: "POST", body, headers });
}

/** A message of so many bytes. */
function sized(bytes: number): string {
  const message = '{"jsonrpc":"2.0","x":""}';
  return message.replace('""', `"${"x".repeat(bytes - message.length)}"`);
}

describe("readMessageBody()", () => {
  test.each([99, 100])("takes %d bytes of 100", async (bytes) => {
    expect(await readMessageBody(post(sized(bytes)), LIMITS)).toMatchObject({ jsonrpc: "2.0" });
  });

  test("refuses 101, whether they are announced or not", async () => {
    const expected = expect.objectContaining({ code: "HTTP_BODY_TOO_LARGE" });
    expect(await readMessageBody(post(sized(101)), LIMITS).catch((error: unknown) => error)).toEqual(expected);
    const stream = new Blob([sized(101)]).stream();
    expect(await readMessageBody(post(stream), LIMITS).catch((error: unknown) => error)).toEqual(expected);
    const lie = post(sized(99), { "content-length": "101" });
    expect(await readMessageBody(lie, LIMITS).catch((error: unknown) => error)).toEqual(expected);
  });

  test("tells how large an announced body is before it reads any of it", async () => {
    let pulls = 0;
    const stream = new ReadableStream<Uint8Array>({ pull: () => void (pulls += 1) }, { highWaterMark: 0 });
    const told: number[] = [];
    const limits = { bytes: 100, ms: 20, onBytes: (bytes: number) => told.push(bytes, pulls) };
    await readMessageBody(post(stream, { "content-length": "90" }), limits).catch(() => undefined);
    expect(told).toEqual([90, 0]);
  });

  test("tells of another body as it comes", async () => {
    const told: number[] = [];
    const stream = new Blob([sized(99)]).stream();
    await readMessageBody(post(stream), { ...LIMITS, onBytes: (bytes) => told.push(bytes) });
    expect(told).toEqual([0, 99]);
  });

  test("reads no more of an endless body than the limit, and gives it up", async () => {
    let pulls = 0;
    let isCancelled = false;
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulls += 1;
        controller.enqueue(new Uint8Array(60));
      },
      cancel: () => void (isCancelled = true),
    });
    await expect(readMessageBody(post(stream), LIMITS)).rejects.toMatchObject({ code: "HTTP_BODY_TOO_LARGE" });
    await Bun.sleep(1);
    expect([pulls <= 4, isCancelled]).toEqual([true, true]);
  });

  test("waits no longer than its time", async () => {
    const stream = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(encode("{")) });
    await expect(readMessageBody(post(stream), LIMITS)).rejects.toMatchObject({ code: "HTTP_BODY_TIMEOUT" });
  });

  test("refuses a body that breaks off", async () => {
    const stream = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error("reset")) });
    await expect(readMessageBody(post(stream), LIMITS)).rejects.toMatchObject({ code: "HTTP_BODY_INVALID" });
  });
});

describe("parseMessage()", () => {
  test.each([
    { bytes: encode(""), problem: "the body is not JSON", code: "HTTP_BODY_INVALID" },
    { bytes: encode("{"), problem: "the body is not JSON", code: "HTTP_BODY_INVALID" },
    { bytes: encode("\u0000\u0001"), problem: "the body is not JSON", code: "HTTP_BODY_INVALID" },
    { bytes: new Uint8Array([0xff, 0xfe]), problem: "the body is not UTF-8", code: "HTTP_BODY_INVALID" },
    { bytes: encode("[]"), problem: "batches are not supported", code: "HTTP_MESSAGE_INVALID" },
    {
      bytes: encode('[{"jsonrpc":"2.0","id":1,"method":"ping"}]'),
      problem: "batches are not",
      code: "HTTP_MESSAGE_INVALID",
    },
    { bytes: encode("1"), problem: "the body is no JSON-RPC 2.0", code: "HTTP_MESSAGE_INVALID" },
    { bytes: encode("null"), problem: "the body is no JSON-RPC 2.0", code: "HTTP_MESSAGE_INVALID" },
    { bytes: encode('{"jsonrpc":"1.0"}'), problem: "the body is no JSON-RPC 2.0", code: "HTTP_MESSAGE_INVALID" },
  ])("says that $problem", ({ bytes, problem, code }) => {
    expect(() => parseMessage(bytes)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(problem) }),
    );
  });

  test("takes 72 levels, and not 73", () => {
    expect(parseMessage(encode(nested(72)))).toMatchObject({ jsonrpc: "2.0" });
    expect(() => parseMessage(encode(nested(73)))).toThrow("deeper than 72 levels");
  });

  test("refuses two million levels without parsing them", () => {
    const startedAt = performance.now();
    expect(() => parseMessage(encode("[".repeat(2_000_000)))).toThrow("deeper than 72 levels");
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });
});

describe("requestId()", () => {
  test.each([
    [{ id: 1, method: "a" }, 1],
    [{ id: "x", method: "a" }, "x"],
    [{ method: "a" }, undefined],
    [{ id: 1, result: {} }, undefined],
    [{ id: 1.5, method: "a" }, undefined],
    [{ id: null, method: "a" }, undefined],
    [{ id: {}, method: "a" }, undefined],
  ])("of %j is %p", (message, id) => {
    expect(requestId(message)).toBe(id);
  });
});
