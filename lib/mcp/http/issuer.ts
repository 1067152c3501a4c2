/**
 * Tokens of an external issuer: signed JWTs, checked against the issuer's published keys.
 *
 * Source: RFC 8414 and OpenID Connect Discovery 1.0 for where the keys are; RFC 7519 §4.1 for the claims; RFC 8725 §3.1 and §3.2 for a list of
 * algorithms in place of the token's own word; RFC 8707 and MCP 2026-07-28, "Authorization", for the audience.
 */
import { createRemoteJWKSet, customFetch, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import { clean, Failure, refuse } from "../../errors.ts";
import { readBytes } from "./body.ts";
import { ALL_TOOLS, isToolPattern, type Principal } from "./principal.ts";
import { digestOf } from "./tokens.ts";

/** An issuer, and what its tokens have to say. */
export interface IssuerOptions {
  /** As its tokens have it in `iss`: a URL, https unless it is on this machine. */
  readonly issuer: string;
  /** What `aud` has to name. */
  readonly audience: string;
}

/** Asymmetric ones alone: with a symmetric one, whoever knows the public key could sign. */
const ALGORITHMS: readonly string[] = [
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
  "PS256",
  "PS384",
  "PS512",
  "RS256",
  "RS384",
  "RS512",
];

/** Seconds by which the issuer's clock and ours may differ. */
const TOLERANCE_S = 5;

/** Milliseconds that the issuer gets to answer, and that a failure to answer is remembered. */
const FETCH_LIMIT_MS = 5000;

/** Most bytes of what the issuer publishes. */
const FETCH_LIMIT_BYTES = 1_048_576;

/** Tokens that were checked and are remembered until they end, at most for a minute: a check costs a signature. */
const REMEMBERED_LIMIT = 1000;
const REMEMBERED_MS = 60_000;

interface Remembered {
  readonly principal: Principal;
  readonly until: number;
}

/** The check of an issuer's tokens. */
export class Issuer {
  readonly #options: IssuerOptions;
  readonly #remembered = new Map<string, Remembered>();
  #keys: Promise<JWTVerifyGetKey> | undefined;
  #failedAt = -Infinity;

  constructor(options: IssuerOptions) {
    this.#options = options;
  }

  /** Finds a token that was checked within the last minute, at no cost to speak of. */
  recall(token: string): Principal | undefined {
    const found = this.#remembered.get(digestOf(token));
    return found !== undefined && found.until > Date.now() ? found.principal : undefined;
  }

  /**
   * Checks a token.
   *
   * @param token - Hostile.
   * @throws {Failure} `HTTP_UNAUTHORIZED`, `HTTP_SCOPE`, `ISSUER_UNUSABLE`
   */
  async check(token: string): Promise<Principal> {
    const { issuer, audience } = this.#options;
    const keys = await this.#getKeys();
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: [...ALGORITHMS],
        clockTolerance: TOLERANCE_S,
        requiredClaims: ["exp", "sub"],
      });
      return this.#admit(token, payload);
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw explainRejection(error);
    }
  }

  #admit(token: string, payload: JWTPayload): Principal {
    const tools = toolsOf(payload);
    if (tools.length === 0) throw refuse("HTTP_SCOPE", {});
    const principal: Principal = {
      id: `subject:${clean(payload.sub ?? "", 200)}`,
      tools,
      callsPerMinute: undefined,
    };
    const until = Math.min((payload.exp ?? 0) * 1000, Date.now() + REMEMBERED_MS);
    this.#remembered.set(digestOf(token), { principal, until });
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size <= REMEMBERED_LIMIT) break;
      this.#remembered.delete(oldest);
    }
    return principal;
  }

  /** The issuer may come up after us: a failure is tried again, and not at once. */
  async #getKeys(): Promise<JWTVerifyGetKey> {
    if (this.#keys === undefined && performance.now() - this.#failedAt < FETCH_LIMIT_MS) {
      throw refuse("ISSUER_UNUSABLE", { reason: "it did not answer a moment ago" });
    }
    this.#keys ??= findKeys(this.#options.issuer);
    try {
      return await this.#keys;
    } catch (error) {
      this.#keys = undefined;
      this.#failedAt = performance.now();
      throw error;
    }
  }
}

/**
 * Reads the tools that a token is for: the scope `tools` is all of them, `tool:<pattern>` some. A token with neither is for none: otherwise
 * asking for less would give more.
 */
function toolsOf(payload: JWTPayload): readonly string[] {
  const { scope, scp } = payload;
  const listed: unknown[] = Array.isArray(scp) ? scp : [];
  const texts = [scope, typeof scp === "string" ? scp : undefined].flatMap((text) =>
    typeof text === "string" ? text.split(" ") : [],
  );
  const scopes = [...texts, ...listed.filter((entry) => typeof entry === "string")];
  if (scopes.includes("tools")) return [ALL_TOOLS];
  return scopes
    .filter((entry) => entry.startsWith("tool:"))
    .map((entry) => entry.slice("tool:".length))
    .filter((pattern) => pattern !== ALL_TOOLS && isToolPattern(pattern));
}

/** Whether a URL's content cannot be changed on its way here. */
export function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === "https:" || (protocol === "http:" && ["localhost", "127.0.0.1", "[::1]"].includes(hostname));
}

async function findKeys(issuer: string): Promise<JWTVerifyGetKey> {
  const metadata = await findMetadata(issuer);
  const uri = metadata["jwks_uri"];
  if (metadata["issuer"] !== issuer) throw unusable("its metadata are of another issuer");
  if (typeof uri !== "string" || !isSafeUrl(uri)) throw unusable("its metadata name no jwks_uri that is https");
  return createRemoteJWKSet(new URL(uri), { timeoutDuration: FETCH_LIMIT_MS, [customFetch]: fetchBounded });
}

async function findMetadata(issuer: string): Promise<Record<string, unknown>> {
  let problem: unknown;
  for (const url of metadataUrls(issuer)) {
    try {
      const response = await fetchBounded(url, { signal: AbortSignal.timeout(FETCH_LIMIT_MS), redirect: "manual" });
      const value: unknown = response.ok ? await response.json() : undefined;
      if (typeof value === "object" && value !== null) return { ...value };
    } catch (error) {
      problem = error;
    }
  }
  throw unusable("it publishes no metadata", problem);
}

/** Source: RFC 8414 §3.1: the well-known part goes before the issuer's path; OpenID Connect puts it behind. */
function metadataUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, "");
  return [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ];
}

async function fetchBounded(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  const bytes = await readBytes(response.body, { bytes: FETCH_LIMIT_BYTES, ms: FETCH_LIMIT_MS });
  return new Response(new Uint8Array(bytes), { status: response.status, headers: response.headers });
}

function unusable(reason: string, cause?: unknown): Failure {
  return refuse("ISSUER_UNUSABLE", { reason }, cause);
}

/** Says what is wrong with a token. The texts are fixed: nothing of the token is in them. */
function explainRejection(error: unknown): Failure {
  const reasons: readonly (readonly [boolean, string])[] = [
    [error instanceof errors.JWTExpired, "the token has expired"],
    [error instanceof errors.JOSEAlgNotAllowed, "the token's algorithm is not allowed"],
    [isClaim(error, "aud"), "the token is not meant for this server"],
    [isClaim(error, "iss"), "the token is of another issuer"],
    [error instanceof errors.JWTClaimValidationFailed, "a claim of the token is missing or not valid"],
    [error instanceof errors.JWKSNoMatchingKey, "the token is signed with a key that the issuer does not publish"],
    [error instanceof errors.JWSSignatureVerificationFailed, "the token's signature is not valid"],
  ];
  if (isOfKeySet(error)) return unusable("its key set cannot be used", error);
  const reason = reasons.find(([fits]) => fits)?.[1];
  if (reason === undefined && !(error instanceof errors.JOSEError)) return unusable("its key set did not come", error);
  return refuse("HTTP_UNAUTHORIZED", { reason: reason ?? "the token is not valid" }, error);
}

/** jose tells a key set that did not come by a code alone. */
function isOfKeySet(error: unknown): boolean {
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return true;
  return error instanceof errors.JOSEError && error.code === "ERR_JOSE_GENERIC";
}

function isClaim(error: unknown, claim: string): boolean {
  return error instanceof errors.JWTClaimValidationFailed && error.claim === claim;
}
