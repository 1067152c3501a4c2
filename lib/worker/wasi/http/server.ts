/**
 * `wasi:http/types` `incoming-request`, `outgoing-response` and `response-outparam`: the side of a server, which no tool is. A guest can make
 * responses, and nobody takes them; requests and outparams it cannot get, so that the functions of those are never called.
 * The guest's side of the trust boundary.
 *
 * Source: wasi:http 0.2, wit/types.wit.
 */
import { define, type HostFunction, ResultError } from "../../../component/link/host.ts";
import { option, result, string, u16, type ValueType } from "../../../schema/value-type.ts";
import type { Functions, Host } from "../host.ts";
import { Fields } from "./fields.ts";
import { OutgoingMessage } from "./outgoing-message.ts";
import { DONE, ERROR_CODE, METHOD, ownHttp, SCHEME, self, STATUS_CODE } from "./signature.ts";

/** `outgoing-response`. */
export class OutgoingResponse extends OutgoingMessage {
  statusCode = 200;
}

const OUTGOING_RESPONSE: Functions = {
  /** Source: `outgoing-response` constructor: "with a default `status-code` of `200`". */
  "[constructor]outgoing-response": define(
    [{ headers: ownHttp("fields") }, ownHttp("outgoing-response")],
    (host: Host, headers: Fields) => new OutgoingResponse(host, headers.consume()),
  ),

  /** Source: `outgoing-response.status-code`. */
  "[method]outgoing-response.status-code": define(
    [self("outgoing-response"), STATUS_CODE],
    (_: Host, response: OutgoingResponse) => response.statusCode,
  ),

  /** Source: `outgoing-response.set-status-code`: "Fails if the status-code given is not a valid http status code"; RFC 9110 §15. */
  "[method]outgoing-response.set-status-code": define(
    [{ ...self("outgoing-response"), "status-code": STATUS_CODE }, DONE],
    (_: Host, response: OutgoingResponse, statusCode: number) => {
      if (statusCode < 100 || statusCode > 599) throw new ResultError(undefined);
      response.statusCode = statusCode;
    },
  ),

  /** Source: `outgoing-response.headers`: "immutable … This headers resource is a child". */
  "[method]outgoing-response.headers": define(
    [self("outgoing-response"), ownHttp("fields")],
    (host: Host, response: OutgoingResponse) => new Fields(host, response.fields, { parent: response }),
  ),

  /** Source: `outgoing-response.body`: "Returns success on the first call". */
  "[method]outgoing-response.body": define(
    [self("outgoing-response"), result(ownHttp("outgoing-body"))],
    (_: Host, response: OutgoingResponse) => {
      const body = response.takeBody();
      if (body === undefined) throw new ResultError(undefined);
      return body;
    },
  ),
};

/** The functions of `incoming-request`, `outgoing-response` and `response-outparam`. */
export const SERVER: Functions = {
  ...OUTGOING_RESPONSE,
  "[method]incoming-request.method": unreachable(self("incoming-request"), METHOD),
  "[method]incoming-request.path-with-query": unreachable(self("incoming-request"), option(string)),
  "[method]incoming-request.scheme": unreachable(self("incoming-request"), option(SCHEME)),
  "[method]incoming-request.authority": unreachable(self("incoming-request"), option(string)),
  "[method]incoming-request.headers": unreachable(self("incoming-request"), ownHttp("fields")),
  "[method]incoming-request.consume": unreachable(self("incoming-request"), result(ownHttp("incoming-body"))),
  "[method]response-outparam.send-informational": unreachable(
    { ...self("response-outparam"), status: u16, headers: ownHttp("fields") },
    result(undefined, ERROR_CODE),
  ),
  "[static]response-outparam.set": unreachable({
    param: ownHttp("response-outparam"),
    response: result(ownHttp("outgoing-response"), ERROR_CODE),
  }),
};

/** A function of a resource that no guest of ours gets. */
function unreachable(parameters: Readonly<Record<string, ValueType>>, returned?: ValueType): HostFunction<Host> {
  const signature = returned === undefined ? ([parameters] as const) : ([parameters, returned] as const);
  return define(signature, (host: Host) => host.context.trap("it has no request to answer: tools are no servers"));
}
