import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey } from "jose";
import { isSafeUrl, Issuer } from "../../../lib/mcp/http/issuer.ts";
import { LocalIssuer } from "./local-issuer.ts";

const AUDIENCE = "https://kami.example/mcp";

let local: LocalIssuer;
let other: CryptoKey;

beforeAll(async () => {
  local = await LocalIssuer.start();
  other = (await generateKeyPair("ES256")).privateKey;
});

afterAll(() => local[Symbol.dispose]());

const issuer = (): Issuer => new Issuer({ issuer: local.url, audience: AUDIENCE });

describe("Issuer.check()", () => {
  test("takes a token for all tools, and one for some", async () => {
    const check = issuer();
    expect(await check.check(await local.sign({ aud: AUDIENCE, scope: "openid tools" }))).toEqual({
      id: "subject:somebody",
      tools: ["*"],
      callsPerMinute: undefined,
    });
    const some = await check.check(
      await local.sign({ aud: ["x", AUDIENCE], scope: "tool:dev.a.b tool:dev.c.* tool:*" }),
    );
    expect(some.tools).toEqual(["dev.a.b", "dev.c.*"]);
    expect((await check.check(await local.sign({ aud: AUDIENCE, scp: ["tools"] }))).tools).toEqual(["*"]);
  });

  test("remembers a token, until it ends", async () => {
    const check = issuer();
    const token = await local.sign({ aud: AUDIENCE, scope: "tools" });
    expect(check.recall(token)).toBeUndefined();
    await check.check(token);
    expect(check.recall(token)).toMatchObject({ id: "subject:somebody" });
    const short = await local.sign({ aud: AUDIENCE, scope: "tools", exp: Math.floor(Date.now() / 1000) - 2 });
    await check.check(short);
    expect(check.recall(short)).toBeUndefined();
  });

  test("fetches the keys once for many tokens", async () => {
    const check = issuer();
    const before = local.fetches;
    for (let at = 0; at < 5; at++) await check.check(await local.sign({ aud: AUDIENCE, scope: "tools", n: at }));
    expect(local.fetches - before).toBe(2);
  });

  test.each([
    { claims: { aud: AUDIENCE, scope: "" }, why: "no scope" },
    { claims: { aud: AUDIENCE }, why: "no scope at all" },
    { claims: { aud: AUDIENCE, scope: "openid profile" }, why: "scopes of others" },
    { claims: { aud: AUDIENCE, scope: "tool:../x tool:" }, why: "scopes that name no tool" },
  ])("lets in nobody with $why: asking for less must not give more", async ({ claims }) => {
    await expect(issuer().check(await local.sign(claims))).rejects.toMatchObject({ code: "HTTP_SCOPE" });
  });

  test.each([
    { claims: { exp: 1000 }, reason: "the token has expired" },
    { claims: { exp: undefined }, reason: "a claim of the token is missing" },
    { claims: { sub: undefined }, reason: "a claim of the token is missing" },
    { claims: { nbf: 4_000_000_000 }, reason: "a claim of the token is missing" },
    { claims: { aud: "https://other.example/mcp" }, reason: "the token is not meant for this server" },
    { claims: { aud: undefined }, reason: "the token is not meant for this server" },
    { claims: { aud: `${AUDIENCE}/` }, reason: "the token is not meant for this server" },
    { claims: { iss: "https://evil.example" }, reason: "the token is of another issuer" },
  ])("refuses one with $claims", async ({ claims, reason }) => {
    const token = await local.sign({ aud: AUDIENCE, scope: "tools", ...claims });
    await expect(issuer().check(token)).rejects.toMatchObject({
      code: "HTTP_UNAUTHORIZED",
      message: expect.stringContaining(reason),
    });
  });

  test("refuses none, and HS256 with the public key as its secret", async () => {
    const claims = { sub: "somebody", scope: "tools" };
    const facts = (token: UnsecuredJWT | SignJWT) =>
      token.setIssuer(local.url).setAudience(AUDIENCE).setExpirationTime("1h");
    const unsigned = new UnsecuredJWT(claims)
      .setIssuer(local.url)
      .setAudience(AUDIENCE)
      .setExpirationTime("1h")
      .encode();
    const secrets = [await exportSPKI(local.publicKey), JSON.stringify(await exportJWK(local.publicKey))].map((text) =>
      new TextEncoder().encode(text),
    );
    const forged = await Promise.all(
      secrets.map((secret) => {
        const token = new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "key-1" });
        facts(token);
        return token.sign(secret);
      }),
    );
    for (const token of [unsigned, ...forged]) {
      await expect(issuer().check(token)).rejects.toMatchObject({
        code: "HTTP_UNAUTHORIZED",
        message: expect.stringMatching(/algorithm is not allowed|not valid/),
      });
    }
  });

  test("refuses another's signature, under our key's name or one of its own", async () => {
    for (const kid of ["key-1", "key-2"]) {
      const token = await new SignJWT({ scope: "tools" })
        .setProtectedHeader({ alg: "ES256", kid })
        .setIssuer(local.url)
        .setAudience(AUDIENCE)
        .setSubject("x")
        .setExpirationTime("1h")
        .sign(other);
      await expect(issuer().check(token)).rejects.toMatchObject({ code: "HTTP_UNAUTHORIZED" });
    }
  });

  test.each(["a.b.c", "..", "e30.e30.", `${"a".repeat(8000)}.b.c`])("refuses %p", async (token) => {
    await expect(issuer().check(token)).rejects.toMatchObject({ code: "HTTP_UNAUTHORIZED" });
  });

  test("says so when the issuer cannot be reached, and does not try at every request", async () => {
    const check = new Issuer({ issuer: "http://127.0.0.1:1", audience: AUDIENCE });
    await expect(check.check("a.b.c")).rejects.toMatchObject({ code: "ISSUER_UNUSABLE" });
    await expect(check.check("a.b.c")).rejects.toThrow("a moment ago");
  });

  test.each(["/wrong-issuer", "/no-keys", "/insecure-keys", "/huge", "/html"])(
    "refuses an issuer that publishes %s",
    async (path) => {
      const check = new Issuer({ issuer: `${local.url}${path}`, audience: AUDIENCE });
      const token = await local.sign({ aud: AUDIENCE, scope: "tools" });
      await expect(check.check(token)).rejects.toMatchObject({ code: "ISSUER_UNUSABLE" });
    },
  );
});

describe("isSafeUrl()", () => {
  test.each([
    ["https://issuer.example", true],
    ["http://localhost:1", true],
    ["http://127.0.0.1", true],
    ["http://issuer.example", false],
    ["http://localhost.evil.example", false],
    ["file:///etc/passwd", false],
    ["issuer", false],
  ])("%p: %p", (url, isSafe) => {
    expect(isSafeUrl(url)).toBe(isSafe);
  });
});
