/**
 * The URIs that a package may give its resources, and those with places for variables. Pure.
 *
 * A URI is a name that a client shows, keeps and may act on. So it is one that no client takes for anything else: plain ASCII, of a scheme that
 * is not known to have a meaning for a system, a browser, an extension of MCP, a program that opens links, or KAMI, and written in one way only: no `%`, no `.` or `..` segment.
 *
 * Source: RFC 3986 §2.2, §2.3 and §3; RFC 6570 level 1 (a variable is its value's unreserved characters, all others percent-encoded).
 */

/** A media type without parameters. */
export const MEDIA_TYPE: RegExp = /^[a-z]+\/[a-z0-9][a-z0-9.+-]{0,80}$/;

/** Images that clients show. Not SVG, which can hold programs. */
export const IMAGE_TYPE: RegExp = /^image\/(?:png|jpeg|gif|webp|avif)$/;

/** A URI with places for variables: literals around them, one more than there are names. */
export interface UriTemplate {
  readonly names: readonly string[];
  readonly literals: readonly string[];
}

const URI = /^([a-z][a-z0-9+.-]{0,40}):\/\/[A-Za-z0-9._~:/?@!$&'()*+,;=-]+$/;
const RULE =
  'must be scheme://… in plain ASCII, with a lower-case scheme and without percent-encoding, fragment, "." and ".." segments';

const TAKEN = new Set(
  [
    "about blob chrome content cid data dav file filesystem ftp ftps geo git gopher http https imap info irc jar javascript ldap magnet mailto",
    "mcp mid news nfs resource sftp skill sms smb ssh svn tel telnet ui urn vbscript view-source wasm ws wss",
    "afp claude codex cursor discord edge facetime fish hcp help jetbrains ldaps message msteams obsidian opera rdp rtsp slack steam",
    "teams tg vnc whatsapp windsurf zed zoommtg zoomus",
  ].flatMap((line) => line.split(" ")),
);

/** Beginnings of the schemes by which systems and programs are started, of which there are too many to list. */
const TAKEN_FAMILY = /^(?:android|chrome|intent|itms|kami|moz-|ms-|search|shell|vscode|web\+|x-(?:apple|callback|man))/;

const NAME = /^(?!__proto__$)[A-Za-z_][A-Za-z0-9_-]{0,63}$/;
const VARIABLE = /\{([^{}]*)\}/;
const ENDS_VALUE = /^[^A-Za-z0-9._~-]/;

/** Most code units of a URI that is matched. */
const MATCHED_LIMIT = 8192;

/** Says which rule a resource's URI breaks. */
export function resourceUri(uri: string): string | undefined {
  const scheme = URI.exec(uri)?.[1];
  if (scheme === undefined || /\/\.\.?(?:[/?]|$)/.test(uri)) return RULE;
  if (isTakenScheme(scheme)) return `must not have the scheme "${scheme}", which has a meaning of its own`;
  return undefined;
}

/** Whether a scheme is known to mean something. */
export function isTakenScheme(scheme: string): boolean {
  return TAKEN.has(scheme) || TAKEN_FAMILY.test(scheme);
}

/** Says which rule a template breaks. */
export function templateUri(text: string): string | undefined {
  const { names, literals } = parseTemplate(text);
  if (names.length === 0) return "must have a place for a variable, as in scheme://…/{name}";
  const odd = names.find((name) => !NAME.test(name));
  if (odd !== undefined) return `must have plain variables, as in {name}, not {${odd}}`;
  if (new Set(names).size < names.length) return "must have each variable once";
  const [first = "", ...others] = literals;
  if (!/^[^:]+:\/\/./.test(first)) return "must begin with a scheme and a name, before the first variable";
  if (
    others.some(
      (literal, index) =>
        (literal === "" && index < others.length - 1) || (literal !== "" && !ENDS_VALUE.test(literal)),
    )
  )
    return 'must have a "/" or another such character after each variable';
  return resourceUri(literals.join("x"));
}

/** Takes a template apart. */
export function parseTemplate(text: string): UriTemplate {
  // With a group in the pattern, what stands between and what the groups matched take turns.
  const parts = text.split(VARIABLE);
  return {
    literals: parts.filter((_, index) => index % 2 === 0),
    names: parts.filter((_, index) => index % 2 === 1),
  };
}

/**
 * Reads the variables of a URI.
 *
 * @param uri - From outside.
 * @returns Their values, decoded; undefined when the URI is not of the template. Takes time linear in its length.
 */
export function matchTemplate({ names, literals }: UriTemplate, uri: string): ReadonlyMap<string, string> | undefined {
  const [first = "", ...others] = literals;
  if (uri.length > MATCHED_LIMIT || !uri.startsWith(first)) return undefined;
  const values = new Map<string, string>();
  let at = first.length;
  for (const [index, name] of names.entries()) {
    const value = readValue(uri, at);
    at += value.length;
    const literal = others[index] ?? "";
    const decoded = decode(value);
    if (decoded === undefined || decoded === "" || !uri.startsWith(literal, at)) return undefined;
    at += literal.length;
    values.set(name, decoded);
  }
  return at === uri.length ? values : undefined;
}

/**
 * Whether one URI may be of both: two URIs, two templates, or one of each. Letters count as the same in both cases, so that none looks like another.
 *
 * @returns Never false for two that overlap.
 */
export function mayOverlap(left: string, right: string): boolean {
  const [own, other] = [left.toLowerCase().split("/"), right.toLowerCase().split("/")];
  return own.length === other.length && own.every((segment, index) => fits(segment, other[index] ?? ""));
}

/** No variable reaches over a `/`. */
function fits(left: string, right: string): boolean {
  if (!left.includes("{") && !right.includes("{")) return left === right;
  const [own = "", other = ""] = [left.split("{", 1)[0], right.split("{", 1)[0]];
  const isPrefix = own.startsWith(other) || other.startsWith(own);
  if (!isPrefix) return false;
  if (!left.includes("{")) return left.length > other.length;
  return right.includes("{") || right.length > own.length;
}

function readValue(uri: string, at: number): string {
  const value = /(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})*/y;
  value.lastIndex = at;
  return value.exec(uri)?.[0] ?? "";
}

function decode(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}
