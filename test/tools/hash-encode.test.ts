import { afterAll, describe, expect, test } from "bun:test";
import { createHash, createHmac } from "node:crypto";
import { TestTool } from "./support/tool.ts";

const tool = new TestTool("hash-encode");
afterAll(() => tool[Symbol.asyncDispose]());

describe("hash-encode", () => {
  const texts = ["", "abc", "x".repeat(1000), "żółw 🐢"];
  test.each([
    ["md5", "md5"],
    ["sha-1", "sha1"],
    ["sha-256", "sha256"],
    ["sha-384", "sha384"],
    ["sha-512", "sha512"],
    ["sha3-256", "sha3-256"],
  ])("%s is what OpenSSL computes", async (operation, name) => {
    for (const text of texts) {
      expect(await tool.call({ operation, text })).toEqual({
        output: { result: createHash(name).update(text).digest("hex") },
      });
    }
  });

  test("makes an HMAC of a hash, and of nothing else", async () => {
    const result = createHmac("sha256", "kéy").update("abc").digest("hex");
    expect(await tool.call({ operation: "sha-256", text: "abc", key: "kéy" })).toEqual({ output: { result } });
    expect(await tool.call({ operation: "hex-encode", text: "abc", key: "k" })).toEqual({
      error: '"key" makes an HMAC, which goes with a hash only',
    });
  });

  test.each([
    ["blake3", "abc", "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"],
    ["crc-32", "123456789", "cbf43926"],
    ["hex-encode", "é", "c3a9"],
    ["hex-decode", "C3 a9", "é"],
    ["base64-encode", "ab?>ÿ", "YWI/PsO/"],
    ["base64-decode", "YWI/PsO/", "ab?>ÿ"],
    ["base64url-encode", "ab?>ÿ!", "YWI_PsO_IQ"],
    ["base64url-decode", "YWI_PsO_IQ==", "ab?>ÿ!"],
    ["base32-encode", "foob", "MZXW6YQ="],
    ["base32-decode", "mzxw6yq", "foob"],
    ["url-encode", "a b&ü", "a%20b%26%C3%BC"],
    ["url-decode", "a+b%26%C3%BC", "a b&ü"],
    ["html-encode", `<a href="x">'&`, "&lt;a href=&quot;x&quot;&gt;&#39;&amp;"],
    ["html-decode", "&lt;&#x1F600;&#38;&amp;lt;&unknown;", "<😀&&lt;&unknown;"],
  ])("%s of %j", async (operation, text, result) => {
    expect(await tool.call({ operation, text })).toEqual({ output: { result } });
  });

  test("gives bytes that are no text as hexadecimal, and takes them so", async () => {
    expect(await tool.call({ operation: "base64-decode", text: "/wA=" })).toEqual({ output: { hex: "ff00" } });
    expect(await tool.call({ operation: "base64-encode", hex: "ff00" })).toEqual({ output: { result: "/wA=" } });
  });

  test.each([
    [{ operation: "base64-decode", text: "a*" }, 'the text is not base64: it has the character "*"'],
    [{ operation: "base64-decode", text: "YWJjZ" }, "the text is not base64: its end is cut off"],
    [{ operation: "hex-decode", text: "abc" }, "the text is not hexadecimal: pairs of 0-9 and a-f are"],
    [
      { operation: "url-decode", text: "%C3" },
      "the text is not URL-encoded: a % is not followed by two hexadecimal digits of UTF-8",
    ],
    [{ operation: "md5" }, 'give either "text" or "hex"'],
    [{ operation: "url-encode", hex: "ff" }, "the bytes are not UTF-8 text"],
  ])("says what is wrong with %j", async (input, error) => {
    expect(await tool.call(input)).toEqual({ error });
  });
});
