/**
 * Whether a request comes from somebody: the check of its token, in the order of what that costs. Who fails too often is refused before
 * anything that costs is done; those who are known are never.
 *
 * Source: RFC 6750 §2.1 for the header, the only place that a token is taken from; RFC 9728 §3 for the metadata.
 */
import { oauthMetadataResponse, getOAuthProtectedResourceMetadataUrl } from "@modelcontextprotocol/server";
import { refuse } from "../../errors.ts";
import type { Issuer } from "./issuer.ts";
import type { Principal } from "./principal.ts";
import { addressKey, Rates } from "./rates.ts";
import { OWNER, type TokenCheck } from "./tokens.ts";

/** How requests are told apart. */
export interface AccessOptions {
  /** Undefined: everybody is the owner. */
  readonly tokens: TokenCheck | undefined;
  readonly issuer?: IssuerAccess | undefined;
  /** Requests without a valid token that one address may send in a minute. */
  readonly failuresPerMinute?: number | undefined;
}

/** An issuer, and what clients are told about it. */
export interface IssuerAccess {
  readonly check: Issuer;
  /** As its tokens name it. */
  readonly url: string;
  /** URL of the MCP endpoint, as clients know it. */
  readonly resource: URL;
}

const FAILURES_PER_MINUTE = 120;

/** The check of one server. */
export class AccessCheck {
  readonly #options: AccessOptions;
  readonly #failures = new Rates();

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /** Where clients find out who issues tokens. */
  get metadataUrl(): string | undefined {
    const resource = this.#options.issuer?.resource;
    return resource === undefined ? undefined : getOAuthProtectedResourceMetadataUrl(resource);
  }

  /**
   * Finds out who sends a request.
   *
   * @param header - `Authorization`, or null.
   * @param address - The client's IP address, if it has one.
   * @throws {Failure} `HTTP_UNAUTHORIZED`, `HTTP_SCOPE`, `HTTP_RATE_LIMITED`, `ISSUER_UNUSABLE`, `TOKENS_UNUSABLE`
   */
  async authenticate(header: string | null, address: string | undefined): Promise<Principal> {
    const { tokens, issuer } = this.#options;
    if (tokens === undefined) return OWNER;
    const token = /^Bearer ([^\s,]+)$/i.exec(header ?? "")?.[1];
    const known = token === undefined ? undefined : (tokens.find(token) ?? issuer?.check.recall(token));
    if (typeof known === "object") return known;
    // Taken before the check: requests that come at once must not all get through on the last one.
    const key = addressKey(address);
    const retryAfterMs = this.#failures.take(key, this.#options.failuresPerMinute ?? FAILURES_PER_MINUTE);
    if (retryAfterMs > 0) throw refuse("HTTP_RATE_LIMITED", { what: "requests without a valid token", retryAfterMs });
    if (known === "expired") throw refuse("HTTP_UNAUTHORIZED", { reason: "the token has expired" });
    if (token === undefined) throw refuse("HTTP_UNAUTHORIZED", { reason: "it carries no token" });
    // A token of an issuer has three parts; our own have none.
    const isSigned = token.split(".").length === 3;
    if (issuer === undefined || !isSigned) throw refuse("HTTP_UNAUTHORIZED", { reason: "the token is not known" });
    const principal = await issuer.check.check(token);
    this.#failures.giveBack(key);
    return principal;
  }

  /** Answers a request for the metadata of RFC 9728; undefined for any other, or when there is no issuer. */
  metadataResponse(request: Request): Response | undefined {
    const { issuer } = this.#options;
    if (issuer === undefined || !new URL(request.url).pathname.startsWith("/.well-known/oauth-protected-resource")) {
      return undefined;
    }
    return oauthMetadataResponse(request, {
      // Nothing but the issuer's name gets out: its own metadata are at the issuer.
      oauthMetadata: {
        issuer: issuer.url,
        authorization_endpoint: issuer.url,
        token_endpoint: issuer.url,
        response_types_supported: [],
      },
      resourceServerUrl: issuer.resource,
      scopesSupported: ["tools"],
      resourceName: "KAMI",
      dangerouslyAllowInsecureIssuerUrl: true,
    });
  }
}
