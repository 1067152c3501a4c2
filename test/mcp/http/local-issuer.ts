/**
 * An issuer of signed tokens on this machine: its metadata, its keys, and others that are wrong in one way each.
 */
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from "jose";

/** An issuer that runs. */
export class LocalIssuer implements Disposable {
  readonly url: string;
  readonly publicKey: CryptoKey;
  /** Requests that it got. */
  fetches = 0;
  readonly #privateKey: CryptoKey;
  readonly #server: Bun.Server<undefined>;

  private constructor(keys: { readonly publicKey: CryptoKey; readonly privateKey: CryptoKey }, jwk: object) {
    this.publicKey = keys.publicKey;
    this.#privateKey = keys.privateKey;
    this.#server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: (request) => {
        this.fetches += 1;
        return this.#answer(new URL(request.url).pathname, jwk);
      },
    });
    this.url = `http://127.0.0.1:${this.#server.port}`;
  }

  /** Starts an issuer with a key of its own, `key-1`. */
  static async start(): Promise<LocalIssuer> {
    const keys = await generateKeyPair("ES256", { extractable: true });
    return new LocalIssuer(keys, { ...(await exportJWK(keys.publicKey)), kid: "key-1", alg: "ES256", use: "sig" });
  }

  /** Signs claims. Subject, issuer and an end in an hour are filled in unless they are given; undefined leaves one out. */
  sign(claims: Readonly<Record<string, unknown>>): Promise<string> {
    const filled: Record<string, unknown> = {
      sub: "somebody",
      iss: this.url,
      exp: Math.floor(Date.now() / 1000) + 3600,
      ...claims,
    };
    return new SignJWT(filled).setProtectedHeader({ alg: "ES256", kid: "key-1" }).sign(this.#privateKey);
  }

  [Symbol.dispose](): void {
    void this.#server.stop(true);
  }

  #answer(path: string, jwk: object): Response {
    const answers: Readonly<Record<string, () => Response>> = {
      "/.well-known/oauth-authorization-server": () =>
        Response.json({ issuer: this.url, jwks_uri: `${this.url}/keys` }),
      "/keys": () => Response.json({ keys: [jwk] }),
      "/.well-known/oauth-authorization-server/wrong-issuer": () =>
        Response.json({ issuer: this.url, jwks_uri: `${this.url}/keys` }),
      "/.well-known/oauth-authorization-server/no-keys": () =>
        Response.json({ issuer: `${this.url}/no-keys`, jwks_uri: `${this.url}/nothing` }),
      "/.well-known/oauth-authorization-server/insecure-keys": () =>
        Response.json({ issuer: `${this.url}/insecure-keys`, jwks_uri: "http://evil.example/keys" }),
      "/.well-known/oauth-authorization-server/huge": () =>
        Response.json({ issuer: `${this.url}/huge`, x: "x".repeat(2_000_000) }),
      "/html/.well-known/openid-configuration": () => new Response("<html>"),
    };
    return answers[path]?.() ?? new Response("nothing", { status: 404 });
  }
}
