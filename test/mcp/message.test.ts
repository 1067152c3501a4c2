import { describe, expect, test } from "bun:test";
import { MESSAGE_LIMIT_BYTES, type Reading, readMessage, refuseLongLine } from "../../lib/mcp/message.ts";

const read = (line: string): Reading => readMessage(Buffer.from(line));

const SHAPE = "Invalid request: the message is not a JSON-RPC 2.0 request, notification or response";

describe("readMessage()", () => {
  test.each([
    { line: '{"jsonrpc":"2.0","id":1,"method":"ping"}', why: "a request" },
    { line: '{"jsonrpc":"2.0","method":"notifications/initialized"}', why: "a notification" },
    { line: '{"jsonrpc":"2.0","id":"a","result":{}}', why: "a response" },
    { line: '\ufeff{"jsonrpc":"2.0","id":1,"method":"ping"}\r', why: "a byte-order mark and a carriage return" },
  ])("reads $why", ({ line }) => {
    expect(read(line)).toEqual({ kind: "message", message: JSON.parse(line.replace("\ufeff", "")) });
  });

  test.each(["", " ", "\r", "\t \r"])("takes %j for blank", (line) => {
    expect(read(line)).toEqual({ kind: "blank" });
  });

  test.each([
    { line: "{", code: -32_700, message: "Parse error: the message is not JSON", why: "half a message" },
    { line: "hello", code: -32_700, message: "Parse error: the message is not JSON", why: "prose" },
    { line: "[]", code: -32_600, message: "Invalid request: batches are not supported", why: "an empty batch" },
    {
      line: '[{"jsonrpc":"2.0","id":1,"method":"ping"}]',
      code: -32_600,
      message: "Invalid request: batches are not supported",
      why: "a batch",
    },
    { line: "1", code: -32_600, message: SHAPE, why: "a number" },
    { line: "null", code: -32_600, message: SHAPE, why: "null" },
    { line: '{"jsonrpc":"2.0","id":null,"method":"ping"}', code: -32_600, message: SHAPE, why: "an id of null" },
    {
      line: '{"jsonrpc":"2.0","id":1.5,"method":"ping"}',
      code: -32_600,
      message: SHAPE,
      why: "an id that is a fraction",
    },
  ])("answers $why without an id", ({ line, code, message }) => {
    expect(read(line)).toEqual({ kind: "bad", problem: message, answer: { jsonrpc: "2.0", error: { code, message } } });
  });

  test("answers bytes that are not UTF-8", () => {
    const message = "Parse error: the message is not UTF-8";
    expect(readMessage(Uint8Array.from([0x22, 0xff, 0x22]))).toEqual({
      kind: "bad",
      problem: message,
      answer: { jsonrpc: "2.0", error: { code: -32_700, message } },
    });
  });

  test.each([
    { line: '{"id":7,"method":"ping"}', id: 7, why: "no version" },
    { line: '{"jsonrpc":"1.0","id":"x","method":"ping"}', id: "x", why: "another version" },
    { line: '{"jsonrpc":"2.0","id":8}', id: 8, why: "no method" },
    { line: '{"jsonrpc":"2.0","id":9,"method":"ping","params":[1]}', id: 9, why: "params by position" },
  ])("answers a request with $why under its id", ({ line, id }) => {
    expect(read(line)).toMatchObject({ answer: { jsonrpc: "2.0", id, error: { code: -32_600, message: SHAPE } } });
  });

  test.each([
    { line: '{"jsonrpc":"2.0","method":"x","params":3}', why: "a broken notification" },
    { line: '{"jsonrpc":"2.0","id":1,"result":3}', why: "a broken result" },
    { line: '{"jsonrpc":"2.0","id":1,"error":3}', why: "a broken error" },
  ])("does not answer $why", ({ line }) => {
    expect(read(line)).toEqual({ kind: "bad", problem: SHAPE, answer: undefined });
  });

  test("survives nesting that overflows the stack", () => {
    const deep = `${"[".repeat(400_000)}${"]".repeat(400_000)}`;
    const reading = read(
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"a":${deep}}}}`,
    );
    expect(["message", "bad"]).toContain(reading.kind);
  });
});

describe("refuseLongLine()", () => {
  test("names the limit", () => {
    expect(refuseLongLine()).toMatchObject({
      answer: { error: { code: -32_600, message: "Invalid request: the message has more than 10485760 bytes" } },
    });
    expect(MESSAGE_LIMIT_BYTES).toBe(10_485_760);
  });
});
