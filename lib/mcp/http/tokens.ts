/**
 * The tokens of `kami serve --http`: the user's own, which lies in a file of its own and may use every tool, and named ones for others, each
 * with the tools that it is for, the calls that it may make, and its end. Of the named ones only the SHA-256 is kept.
 *
 * A token is 32 random bytes: its digest cannot be searched for, so that a plain hash does what a slow one does for passwords.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { refuse } from "../../errors.ts";
import { nearest } from "../../nearest.ts";
import { ALL_TOOLS, isToolPattern, type Principal } from "./principal.ts";
import { createPrivate, readPrivate, readSecret, withLock, writePrivate } from "./token-file.ts";

/** A named token, without its secret. */
export interface NamedToken {
  readonly name: string;
  /** SHA-256 of the token, lower-case hex. */
  readonly digest: string;
  /** Patterns of tool ids. */
  readonly tools: readonly string[];
  readonly callsPerMinute?: number | undefined;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Milliseconds since the epoch; absent: it does not end. */
  readonly expiresAt?: number | undefined;
}

/** Fewest characters of a token that a user made: 128 bits as base64. */
const SHORTEST = 22;

/** What `Authorization` can carry as a token. Source: RFC 6750 §2.1, `b64token`. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

/** Named tokens that there may be. */
const TOKENS_LIMIT = 1000;

const TokensShape = v.strictObject({
  version: v.literal(1),
  tokens: v.array(
    v.strictObject({
      name: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]{0,63}$/)),
      digest: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
      tools: v.array(v.pipe(v.string(), v.check(isToolPattern))),
      callsPerMinute: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
      createdAt: v.number(),
      expiresAt: v.optional(v.number()),
    }),
  ),
});

/** Whether a text can be the name of a token. */
export function isTokenName(text: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,63}$/.test(text);
}

/** Makes a token. */
function makeToken(): string {
  return `kami_${randomBytes(32).toString("base64url")}`;
}

/** The digest by which a token is known. */
export function digestOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** Where the user's own token lies. */
export function ownTokenPath(home: string): string {
  return join(home, "http-token");
}

/**
 * Reads the user's own token, and makes it when there is none.
 *
 * @param home - KAMI_HOME.
 * @throws {Failure} `TOKENS_UNUSABLE`
 */
export function openOwnToken(home: string): { readonly token: string; readonly isNew: boolean } {
  const path = ownTokenPath(home);
  const text = readPrivate(path);
  if (text !== undefined) return { token: checkToken(path, text), isNew: false };
  const token = makeToken();
  if (createPrivate(path, `${token}\n`)) return { token, isNew: true };
  return { token: checkToken(path, readPrivate(path) ?? ""), isNew: false };
}

/**
 * Reads a token from a file that the user named.
 *
 * @throws {Failure} `TOKENS_UNUSABLE`; for a token that is too short as well.
 */
export function readTokenFile(path: string): string {
  return checkToken(path, readSecret(path));
}

function checkToken(path: string, text: string): string {
  const token = text.trim();
  if (token.length < SHORTEST || !TOKEN.test(token)) {
    const reason = `it holds no token: one of ${SHORTEST} or more letters, digits and the characters - . _ ~ + /`;
    throw refuse("TOKENS_UNUSABLE", { path, reason });
  }
  return token;
}

/** The named tokens of a home. Other processes may change them: looks again whenever the file is another one. */
export class TokenStore {
  readonly path: string;
  #tokens: readonly NamedToken[] = [];
  #stamp = "";

  /** @param home - KAMI_HOME. */
  constructor(home: string) {
    this.path = join(home, "http-tokens.json");
  }

  /**
   * Lists the tokens, by name; those that have ended too.
   *
   * @throws {Failure} `TOKENS_UNUSABLE`: then nobody is let in, in place of the ones that were known before.
   */
  list(): readonly NamedToken[] {
    const stamp = stampOf(this.path);
    if (stamp !== this.#stamp) {
      this.#tokens = this.#read();
      this.#stamp = stamp;
    }
    return this.#tokens;
  }

  /**
   * Makes a token.
   *
   * @returns The token itself, which is kept nowhere.
   * @throws {Failure} `TOKEN_EXISTS`, `TOKENS_UNUSABLE`
   */
  create(facts: Omit<NamedToken, "digest" | "createdAt">): string {
    return withLock(this.path, () => this.#create(facts));
  }

  /**
   * Removes a token. Servers that run refuse it from the next request on.
   *
   * @throws {Failure} `TOKEN_UNKNOWN`, `TOKENS_UNUSABLE`
   */
  revoke(name: string): void {
    withLock(this.path, () => this.#revoke(name));
  }

  #create(facts: Omit<NamedToken, "digest" | "createdAt">): string {
    const { name } = facts;
    const tokens = this.#read();
    if (tokens.some((token) => token.name === name)) throw refuse("TOKEN_EXISTS", { name });
    if (tokens.length >= TOKENS_LIMIT) {
      throw refuse("TOKENS_UNUSABLE", { path: this.path, reason: `there are ${TOKENS_LIMIT}, which is the limit` });
    }
    const token = makeToken();
    const made = { ...facts, digest: digestOf(token), createdAt: Date.now() };
    this.#write([...tokens, made].toSorted((a, b) => (a.name < b.name ? -1 : 1)));
    return token;
  }

  #revoke(name: string): void {
    const tokens = this.#read();
    const left = tokens.filter((token) => token.name !== name);
    if (left.length === tokens.length) {
      const names = tokens.map((token) => token.name);
      throw refuse("TOKEN_UNKNOWN", { name, nearest: nearest(name, names) });
    }
    this.#write(left);
  }

  #read(): readonly NamedToken[] {
    const text = readPrivate(this.path);
    if (text === undefined) return [];
    try {
      return v.parse(TokensShape, JSON.parse(text)).tokens;
    } catch (error) {
      throw refuse("TOKENS_UNUSABLE", { path: this.path, reason: "it is damaged" }, error);
    }
  }

  #write(tokens: readonly NamedToken[]): void {
    writePrivate(this.path, `${JSON.stringify({ version: 1, tokens }, undefined, 2)}\n`);
  }
}

/** A file that replaced another has another number, and one that was written into another time. */
function stampOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? "none" : `${stats.ino}:${stats.mtimeMs}:${stats.size}:${stats.mode}`;
}

/** Finds out whose token a token is. */
export class TokenCheck {
  readonly #own: Buffer | undefined;
  readonly #store: TokenStore;

  /**
   * @param own - The user's own token; undefined: there is none.
   * @param store - The named ones.
   */
  constructor(own: string | undefined, store: TokenStore) {
    this.#own = own === undefined ? undefined : Buffer.from(digestOf(own), "hex");
    this.#store = store;
  }

  /**
   * Compares a token with all that there are: how long that takes does not depend on which one it is like.
   *
   * @returns Who has it; undefined when it is nobody's; `"expired"` when it was somebody's.
   * @throws {Failure} `TOKENS_UNUSABLE`
   */
  find(token: string): Principal | "expired" | undefined {
    const digest = Buffer.from(digestOf(token), "hex");
    let found: NamedToken | undefined;
    for (const named of this.#store.list()) {
      if (timingSafeEqual(digest, Buffer.from(named.digest, "hex"))) found = named;
    }
    if (this.#own !== undefined && timingSafeEqual(digest, this.#own)) return OWNER;
    if (found === undefined) return undefined;
    if (found.expiresAt !== undefined && found.expiresAt <= Date.now()) return "expired";
    return { id: `token:${found.name}`, tools: found.tools, callsPerMinute: found.callsPerMinute };
  }
}

/** Whoever has the user's own token, or reaches a server that asks for none. */
export const OWNER: Principal = { id: "owner", tools: [ALL_TOOLS], callsPerMinute: undefined };
