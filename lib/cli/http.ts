/**
 * The flags of `kami serve` that are about HTTP: what they say, checked, and how a client is told to come in.
 */
import { clean, refuse } from "../errors.ts";
import type { IssuerAccess } from "../mcp/http/access.ts";
import type { Place } from "../mcp/http/listen.ts";
import type { HttpOptions, HttpServer } from "../mcp/http/server.ts";
import type { TokenCheck } from "../mcp/http/tokens.ts";
import { readAmbient } from "../registry/files.ts";
import type { IntegerRange } from "../manifest/defaults.ts";
import type { Runtime } from "../runtime.ts";
import { shellWord } from "./example.ts";
import { parseInteger, rangeRule } from "./integers.ts";
import type { Session } from "./session.ts";

/** The flags, as they were given. */
export interface HttpFlags {
  readonly http: boolean;
  readonly port: string | undefined;
  readonly host: string | undefined;
  readonly unix: string | undefined;
  readonly "token-file": string | undefined;
  readonly "no-auth": boolean;
  readonly "auth-issuer": string | undefined;
  readonly "auth-audience": string | undefined;
  readonly "public-url": string | undefined;
  readonly "allow-host": string | undefined;
  readonly "allow-origin": string | undefined;
  readonly "calls-per-minute": string | undefined;
  readonly "tls-cert": string | undefined;
  readonly "tls-key": string | undefined;
  readonly "plain-http": boolean;
}

/** Where a server over HTTP finds the rest. */
export interface HttpContext {
  readonly session: Session;
  readonly runtime: Runtime;
  /** KAMI_HOME. */
  readonly home: string;
  /** The longest that a call may run. */
  readonly longestCallMs: number;
  readonly log: (line: string) => void;
}

const DEFAULT_PORT = 3000;
const PEM_LIMIT_BYTES = 1_048_576;
const PORTS: IntegerRange = { least: 0, most: 65_535 };
const RATES: IntegerRange = { least: 1, most: 1_000_000 };

/** Milliseconds beyond the longest call that a drain may take: the call may have waited in the queue. */
const DRAIN_MARGIN_MS = 5000;
/** Milliseconds beyond the drain until the process is ended by force. */
const FORCE_MARGIN_MS = 5000;

/**
 * Makes sure that flags which are about HTTP come with `--http`, and those that need each other together.
 *
 * @throws {Failure} `USAGE`
 */
export function checkHttpFlags(flags: HttpFlags): void {
  const given = Object.entries(flags).filter(([, value]) => value !== undefined && value !== false);
  const stray = given.find(([name]) => name !== "http");
  if (!flags.http && stray !== undefined) throw usage(`--${stray[0]} is about HTTP`, "add: --http");
  requirePair(flags, "tls-cert", "tls-key");
  requirePair(flags, "auth-issuer", "auth-audience");
  if (flags.unix !== undefined && (flags.host ?? flags.port ?? flags["tls-cert"]) !== undefined) {
    throw usage("--unix goes with no --host, --port or --tls-cert", "choose one");
  }
  const authFlag = (["token-file", "auth-issuer"] as const).find((name) => flags[name] !== undefined);
  if (flags["no-auth"] && authFlag !== undefined) throw usage(`--no-auth goes with no --${authFlag}`, "choose one");
}

/**
 * Serves over HTTP until the session ends, and then until the calls in flight have finished.
 *
 * @throws {Failure} `USAGE`, `LISTEN_*`, `TOKENS_UNUSABLE`, `FILE_*`
 */
export async function serveHttp(flags: HttpFlags, context: HttpContext): Promise<void> {
  const { session, runtime, log, longestCallMs } = context;
  const { HttpServer } = await import("../mcp/http/server.ts");
  const { removeDeadSocket } = await import("../mcp/http/socket.ts");
  const { options, credential } = await readOptions(flags, context);
  session.end.allowGrace(options.drainMs + FORCE_MARGIN_MS);
  if (options.place.kind === "unix") await removeDeadSocket(options.place.path);
  await using server = new HttpServer(runtime, options);
  await announce(session, server, { names: options.names, credential });
  await aborted(session.end.signal);
  log(
    `ending: calls in flight have ${Math.ceil((longestCallMs + DRAIN_MARGIN_MS) / 1000)} s to finish; another signal ends at once`,
  );
  await server.drain();
}

/** Which tokens there are, and what to say about them. */
interface Tokens {
  readonly tokens: TokenCheck | undefined;
  readonly credential: Credential;
}

/** How clients prove who they are, in words. */
interface Credential {
  readonly lines: readonly string[];
  /** What stands behind `Bearer` in an example; undefined when there is nothing to send. */
  readonly bearer: string | undefined;
}

async function readOptions(
  flags: HttpFlags,
  context: HttpContext,
): Promise<{ readonly options: HttpOptions; readonly credential: Credential }> {
  const { namesOf, requireSafePlace } = await import("../mcp/http/listen.ts");
  const { AccessCheck } = await import("../mcp/http/access.ts");
  const place = placeOf(flags, context.session);
  const tls = readTls(flags);
  requireSafePlace(place, {
    isEncrypted: tls !== undefined,
    isPlainAllowed: flags["plain-http"],
    isOpen: flags["no-auth"],
  });
  const hosts = listOf(flags["allow-host"]);
  const names = namesOf(place, { hosts, origins: listOf(flags["allow-origin"]) });
  const { tokens, credential } = await openTokens(flags, context);
  const issuer = await openIssuer(flags, place);
  const options: HttpOptions = {
    place,
    names,
    access: new AccessCheck({ tokens, issuer }),
    tls,
    callsPerMinute: numberOf(flags, "calls-per-minute", RATES),
    drainMs: context.longestCallMs + DRAIN_MARGIN_MS,
    version: context.session.host.version,
    log: context.log,
  };
  return { options, credential };
}

async function openTokens(flags: HttpFlags, { home, session }: HttpContext): Promise<Tokens> {
  if (flags["no-auth"]) return openToAll();
  const { openOwnToken, ownTokenPath, readTokenFile, TokenCheck, TokenStore } = await import("../mcp/http/tokens.ts");
  const named = new TokenStore(home);
  const { "token-file": file, "auth-issuer": issuer } = flags;
  if (file !== undefined) {
    const bearer = `$(cat ${shellWord(file)})`;
    return {
      tokens: new TokenCheck(readTokenFile(file), named),
      credential: { lines: [`the token is in ${file}`], bearer },
    };
  }
  if (issuer !== undefined) {
    const lines = [`tokens come from ${issuer}, or from: kami token create`];
    return { tokens: new TokenCheck(undefined, named), credential: { lines, bearer: "<token>" } };
  }
  const { token, isNew } = openOwnToken(home);
  const path = ownTokenPath(home);
  // A log that is kept must not keep the token.
  const shown = isNew && session.host.stderr.isTerminal ? `: ${token}` : "";
  const lines = [isNew ? `made a token, kept in ${path}${shown}` : `the token is in ${path}`];
  return { tokens: new TokenCheck(token, named), credential: { lines, bearer: `$(cat ${shellWord(path)})` } };
}

function openToAll(): Tokens {
  const lines = ["no token is asked for: every program of this machine can use every tool"];
  return { tokens: undefined, credential: { lines, bearer: undefined } };
}

async function openIssuer(flags: HttpFlags, place: Place): Promise<IssuerAccess | undefined> {
  const { "auth-issuer": url, "auth-audience": audience, "public-url": publicUrl } = flags;
  if (url === undefined || audience === undefined) return undefined;
  const { Issuer, isSafeUrl } = await import("../mcp/http/issuer.ts");
  if (!isSafeUrl(url)) throw usage("--auth-issuer is no https URL", "give the issuer as its tokens have it in iss");
  const own = place.kind === "tcp" ? `http://${place.host}:${place.port}/mcp` : "http://localhost/mcp";
  const resource = publicUrl ?? (URL.canParse(audience) ? audience : own);
  if (!URL.canParse(resource))
    throw usage("--public-url is no URL", "give the URL of the MCP endpoint, as clients use it");
  return { check: new Issuer({ issuer: url, audience }), url, resource: new URL(resource) };
}

async function announce(
  { host }: Session,
  { address }: HttpServer,
  { names, credential }: { readonly names: HttpOptions["names"]; readonly credential: Credential },
): Promise<void> {
  const { lines, bearer } = credential;
  const hosts =
    names.hosts === undefined ? [] : [`it answers to ${[...names.hosts].join(", ")}; to others with: --allow-host`];
  const header = bearer === undefined ? "" : ` --header "Authorization: Bearer ${bearer}"`;
  const add = address.startsWith("http")
    ? [`add it to Claude Code: claude mcp add --transport http kami ${address}${header}`]
    : [];
  const text = [`serving MCP on ${address}`, ...hosts, ...lines, ...add].map((line) => `kami: ${clean(line, 2000)}\n`);
  await host.stderr.write(text.join(""));
}

function placeOf(flags: HttpFlags, { host }: Session): Place {
  if (flags.unix !== undefined) return { kind: "unix", path: pathOf(flags.unix, host.currentDirectory()) };
  const port = numberOf(flags, "port", PORTS) ?? DEFAULT_PORT;
  return { kind: "tcp", host: flags.host ?? "127.0.0.1", port };
}

function pathOf(path: string, directory: string): string {
  return path.startsWith("/") ? path : `${directory}/${path}`;
}

function readTls(flags: HttpFlags): HttpOptions["tls"] {
  const { "tls-cert": cert, "tls-key": key } = flags;
  return cert === undefined || key === undefined ? undefined : { cert: readPem(cert), key: readPem(key) };
}

function readPem(path: string): string {
  const tooLarge = (file: string, bytes: number) =>
    refuse("FILE_UNREADABLE", { path: file, reason: `it has ${bytes} bytes, the limit is ${PEM_LIMIT_BYTES}` });
  const text = new TextDecoder().decode(readAmbient(path, { bytes: PEM_LIMIT_BYTES, refuse: tooLarge }));
  if (!text.includes("-----BEGIN ")) throw refuse("FILE_UNREADABLE", { path, reason: "it is not PEM" });
  return text;
}

function numberOf(flags: HttpFlags, name: "port" | "calls-per-minute", range: IntegerRange): number | undefined {
  const text = flags[name];
  if (text === undefined) return undefined;
  const value = parseInteger(text, range);
  if (value === undefined) throw usage(`--${name} ${rangeRule(range)}`, `write: --${name} <number>`);
  return value;
}

function listOf(text: string | undefined): readonly string[] {
  return text === undefined ? [] : text.split(",").map((entry) => entry.trim());
}

function requirePair(flags: HttpFlags, first: keyof HttpFlags, second: keyof HttpFlags): void {
  if ((flags[first] === undefined) === (flags[second] === undefined)) return;
  const [there, missing] = flags[first] === undefined ? [second, first] : [first, second];
  throw usage(`--${there} needs --${missing}`, `add: --${missing} <value>`);
}

function usage(problem: string, hint: string): Error {
  return refuse("USAGE", { problem: `Cannot run "kami serve": ${problem}`, hint });
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  signal.addEventListener("abort", () => resolve(), { once: true });
  return promise;
}
