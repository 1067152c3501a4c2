/**
 * `wasi:http/types` `outgoing-request` and `request-options`. The guest's side of the trust boundary.
 *
 * Source: wasi:http 0.2, wit/types.wit.
 */
import { define, type HostFunction, ResultError } from "../../../component/link/host.ts";
import { option, result, string, u64 } from "../../../schema/value-type.ts";
import { isMethod, isScheme } from "../../net/http/syntax.ts";
import type { Functions, Host } from "../host.ts";
import { Resource } from "../resource.ts";
import { Fields } from "./fields.ts";
import type { OutgoingBody } from "./outgoing-body.ts";
import { OutgoingMessage } from "./outgoing-message.ts";
import { DONE, METHOD, ownHttp, SCHEME, self } from "./signature.ts";

/** `method`. */
export interface Method {
  readonly tag: string;
  readonly value?: string | undefined;
}

/** `scheme`. */
export interface Scheme {
  readonly tag: string;
  readonly value?: string | undefined;
}

/** UTF-16 code units of an authority; a host has at most 253. */
const AUTHORITY_LIMIT = 512;
/** Source: RFC 3986 §3.2, without the user's name: RFC 9110 §4.2.4. Percent-encoding in a host is for nobody but who wants to hide one. */
const AUTHORITY = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._~!$&'()*+,;=-]+)(?::[0-9]{0,5})?$/;
/** Source: RFC 3986 §3.3, §3.4; `{`, `|`, `}` and the like are sent by many and understood by all. */
const PATH = /^(?:$|[/?*])[\x21\x22\x24-\x5b\x5d-\x7e]*$/;

/** `outgoing-request`. */
export class OutgoingRequest extends OutgoingMessage {
  method: Method = { tag: "get" };
  path: string | undefined;
  scheme: Scheme | undefined;
  authority: string | undefined;
  #isConsumed = false;

  /** Ends the resource; the request goes on. @returns Its body, if the guest took it. */
  consume(): OutgoingBody["body"] | undefined {
    this.#isConsumed = !this.hasChildren;
    this[Symbol.dispose]();
    return this.body;
  }

  protected override close(): void {
    if (!this.#isConsumed) super.close();
  }
}

/** `request-options`: timeouts in nanoseconds. */
export class RequestOptions extends Resource {
  connectTimeout: bigint | undefined;
  firstByteTimeout: bigint | undefined;
  betweenBytesTimeout: bigint | undefined;
}

/** The functions of `outgoing-request`. */
export const OUTGOING_REQUEST: Functions = {
  /** Makes a request. Source: `outgoing-request` constructor: "with a default `method` of `GET`, and `none` values for `path-with-query`, `scheme`, and `authority`". */
  "[constructor]outgoing-request": define(
    [{ headers: ownHttp("fields") }, ownHttp("outgoing-request")],
    (host: Host, headers: Fields) => new OutgoingRequest(host, headers.consume()),
  ),

  /** Gives the body. Source: `outgoing-request.body`: "Returns success on the first call". */
  "[method]outgoing-request.body": define(
    [self("outgoing-request"), result(ownHttp("outgoing-body"))],
    (_: Host, request: OutgoingRequest) => {
      const body = request.takeBody();
      if (body === undefined) throw new ResultError(undefined);
      return body;
    },
  ),

  /** Source: `outgoing-request.method`. */
  "[method]outgoing-request.method": define(
    [self("outgoing-request"), METHOD],
    (_: Host, { method }: OutgoingRequest) => method,
  ),

  /** Source: `outgoing-request.set-method`: "Fails if the string present in a `method.other` argument is not a syntactically valid method". */
  "[method]outgoing-request.set-method": define(
    [{ ...self("outgoing-request"), method: METHOD }, DONE],
    (_: Host, request: OutgoingRequest, method: Method) => {
      check(method.tag !== "other" || isMethod(method.value ?? ""));
      request.method = method;
    },
  ),

  /** Source: `outgoing-request.path-with-query`: "When `none`, this represents an empty Path and empty Query". */
  "[method]outgoing-request.path-with-query": define(
    [self("outgoing-request"), option(string)],
    (_: Host, { path }: OutgoingRequest) => path,
  ),

  /** Source: `outgoing-request.set-path-with-query`: "Fails is the string given is not a syntactically valid path and query uri component". */
  "[method]outgoing-request.set-path-with-query": define(
    [{ ...self("outgoing-request"), "path-with-query": option(string) }, DONE],
    (_: Host, request: OutgoingRequest, path: string | undefined) => {
      check(path === undefined || PATH.test(path));
      request.path = path;
    },
  ),

  /** Source: `outgoing-request.scheme`: "When `none`, the implementation may choose an appropriate default scheme". */
  "[method]outgoing-request.scheme": define(
    [self("outgoing-request"), option(SCHEME)],
    (_: Host, { scheme }: OutgoingRequest) => scheme,
  ),

  /** Source: `outgoing-request.set-scheme`: "Fails if the string given is not a syntactically valid uri scheme". */
  "[method]outgoing-request.set-scheme": define(
    [{ ...self("outgoing-request"), scheme: option(SCHEME) }, DONE],
    (_: Host, request: OutgoingRequest, scheme: Scheme | undefined) => {
      check(scheme?.tag !== "other" || isScheme(scheme.value ?? ""));
      request.scheme = scheme;
    },
  ),

  /** Source: `outgoing-request.authority`: "A value of `none` may be used with Related Schemes which do not require an authority". */
  "[method]outgoing-request.authority": define(
    [self("outgoing-request"), option(string)],
    (_: Host, { authority }: OutgoingRequest) => authority,
  ),

  /** Source: `outgoing-request.set-authority`: "Fails if the string given is not a syntactically valid URI authority". */
  "[method]outgoing-request.set-authority": define(
    [{ ...self("outgoing-request"), authority: option(string) }, DONE],
    (_: Host, request: OutgoingRequest, authority: string | undefined) => {
      check(authority === undefined || (authority.length <= AUTHORITY_LIMIT && AUTHORITY.test(authority)));
      request.authority = authority;
    },
  ),

  /** Gives the headers. Source: `outgoing-request.headers`: "The returned `headers` resource is immutable"; "This headers resource is a child". */
  "[method]outgoing-request.headers": define(
    [self("outgoing-request"), ownHttp("fields")],
    (host: Host, request: OutgoingRequest) => new Fields(host, request.fields, { parent: request }),
  ),
};

type Timeout = "connectTimeout" | "firstByteTimeout" | "betweenBytesTimeout";

/** The functions of `request-options`. */
export const REQUEST_OPTIONS: Functions = {
  /** Source: `request-options` constructor: "Construct a default `request-options` value". */
  "[constructor]request-options": define([{}, ownHttp("request-options")], (host: Host) => new RequestOptions(host)),

  /** Source: `request-options.connect-timeout`: "The timeout for the initial connect to the HTTP Server". */
  "[method]request-options.connect-timeout": getTimeout("connectTimeout"),
  /** Source: `request-options.set-connect-timeout`. */
  "[method]request-options.set-connect-timeout": setTimeoutOf("connectTimeout"),

  /** Source: `request-options.first-byte-timeout`: "The timeout for receiving the first byte of the Response body". */
  "[method]request-options.first-byte-timeout": getTimeout("firstByteTimeout"),
  /** Source: `request-options.set-first-byte-timeout`. */
  "[method]request-options.set-first-byte-timeout": setTimeoutOf("firstByteTimeout"),

  /** Source: `request-options.between-bytes-timeout`: "The timeout for receiving subsequent chunks of bytes in the Response body stream". */
  "[method]request-options.between-bytes-timeout": getTimeout("betweenBytesTimeout"),
  /** Source: `request-options.set-between-bytes-timeout`. */
  "[method]request-options.set-between-bytes-timeout": setTimeoutOf("betweenBytesTimeout"),
};

function getTimeout(name: Timeout): HostFunction<Host> {
  return define([self("request-options"), option(u64)], (_: Host, options: RequestOptions) => options[name]);
}

function setTimeoutOf(name: Timeout): HostFunction<Host> {
  return define(
    [{ ...self("request-options"), duration: option(u64) }, DONE],
    (_: Host, options: RequestOptions, duration: bigint | undefined) => {
      options[name] = duration;
    },
  );
}

function check(isValid: boolean): void {
  if (!isValid) throw new ResultError(undefined);
}
