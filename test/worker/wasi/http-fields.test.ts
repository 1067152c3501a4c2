import { describe, expect, test } from "bun:test";
import { HANDLE_LIMIT } from "../../../lib/worker/wasi/host.ts";
import type { Fields } from "../../../lib/worker/wasi/http/fields.ts";
import type { OutgoingRequest, RequestOptions } from "../../../lib/worker/wasi/http/outgoing-request.ts";
import type { OutgoingResponse } from "../../../lib/worker/wasi/http/server.ts";
import { makeRequest, types } from "../net/http-guest.ts";
import { decode, encode, errorOf, TestCall, Trapped } from "../net/support.ts";

type Entries = readonly (readonly [string, Uint8Array])[];

function make(call: TestCall, ...entries: readonly (readonly [string, string])[]): Fields {
  return types<Fields>(
    call,
    "[static]fields.from-list",
    entries.map(([name, value]) => [name, encode(value)]),
  );
}

function entriesOf(call: TestCall, fields: Fields): readonly (readonly [string, string])[] {
  return types<Entries>(call, "[method]fields.entries", fields).map(([name, value]) => [name, decode(value)] as const);
}

function valuesOf(call: TestCall, fields: Fields, name: string): readonly string[] {
  return types<readonly Uint8Array[]>(call, "[method]fields.get", fields, name).map(decode);
}

describe("fields", () => {
  test("keep their order and their case, and are found in any case", () => {
    using call = new TestCall([]);
    const fields = make(call, ["X-B", "1"], ["x-a", "2"], ["X-b", "3"]);
    expect(entriesOf(call, fields)).toEqual([
      ["X-B", "1"],
      ["x-a", "2"],
      ["X-b", "3"],
    ]);
    expect(valuesOf(call, fields, "x-B")).toEqual(["1", "3"]);
    expect(types<boolean>(call, "[method]fields.has", fields, "X-A")).toBe(true);
    expect(types<boolean>(call, "[method]fields.has", fields, "X-C")).toBe(false);
  });

  test("set replaces, append adds, delete removes", () => {
    using call = new TestCall([]);
    const fields = types<Fields>(call, "[constructor]fields");
    types(call, "[method]fields.append", fields, "a", encode("1"));
    types(call, "[method]fields.append", fields, "A", encode("2"));
    expect(valuesOf(call, fields, "a")).toEqual(["1", "2"]);
    types(call, "[method]fields.set", fields, "a", [encode("3")]);
    expect(valuesOf(call, fields, "a")).toEqual(["3"]);
    types(call, "[method]fields.set", fields, "a", []);
    expect(valuesOf(call, fields, "a")).toEqual([]);
    types(call, "[method]fields.append", fields, "b", encode(""));
    types(call, "[method]fields.delete", fields, "B");
    types(call, "[method]fields.delete", fields, "never-there");
    expect(entriesOf(call, fields)).toEqual([]);
  });

  test("find nothing under a name that is none", async () => {
    using call = new TestCall([]);
    const fields = make(call, ["a", "1"]);
    expect(valuesOf(call, fields, "a b")).toEqual([]);
    expect(types<boolean>(call, "[method]fields.has", fields, "")).toBe(false);
    expect(await errorOf(() => types(call, "[method]fields.delete", fields, "a b"))).toEqual({ tag: "invalid-syntax" });
  });

  test("take every byte that a value may have", () => {
    using call = new TestCall([]);
    const bytes = Uint8Array.from({ length: 256 }, (_, at) => at).filter((at) => at === 9 || (at >= 32 && at !== 127));
    const fields = types<Fields>(call, "[static]fields.from-list", [["x", bytes]]);
    expect(types<Entries>(call, "[method]fields.entries", fields)[0]?.[1]).toEqual(bytes);
  });

  test("do not change when the guest's memory does, and clones not when the first does", () => {
    using call = new TestCall([]);
    const memory = encode("value");
    const fields = types<Fields>(call, "[static]fields.from-list", [["x", memory]]);
    memory.fill(0);
    const clone = types<Fields>(call, "[method]fields.clone", fields);
    types(call, "[method]fields.delete", fields, "x");
    expect(valuesOf(call, clone, "x")).toEqual(["value"]);
    types(call, "[method]fields.append", clone, "x", encode("more"));
    expect(entriesOf(call, fields)).toEqual([]);
  });

  test("of a request are immutable, and have to be dropped before it", async () => {
    using call = new TestCall([]);
    const request = makeRequest(call, "http://a.test/", { headers: [["x", "1"]] });
    const fields = types<Fields>(call, "[method]outgoing-request.headers", request);
    const immutable = { tag: "immutable" };
    expect(await errorOf(() => types(call, "[method]fields.append", fields, "a", encode("b")))).toEqual(immutable);
    expect(await errorOf(() => types(call, "[method]fields.set", fields, "a", [encode("b")]))).toEqual(immutable);
    expect(await errorOf(() => types(call, "[method]fields.delete", fields, "x"))).toEqual(immutable);
    expect(entriesOf(call, fields)).toEqual([["x", "1"]]);
    expect(() => request[Symbol.dispose]()).toThrow(Trapped);
    fields[Symbol.dispose]();
    request[Symbol.dispose]();
    expect(call.host.handles).toBe(0);
  });

  test("trap when they would take more than the call's buffers", () => {
    using call = new TestCall([]);
    const value = new Uint8Array(1_000_000).fill(97);
    const fields = types<Fields>(call, "[constructor]fields");
    for (let at = 0; at < 16; at++) types(call, "[method]fields.append", fields, "x", value);
    expect(() => types(call, "[method]fields.append", fields, "x", value)).toThrow(Trapped);
    fields[Symbol.dispose]();
    const again = types<Fields>(call, "[constructor]fields");
    for (let at = 0; at < 16; at++) types(call, "[method]fields.append", again, "x", value);
  });

  test("are handles, of which a call has a bounded number", () => {
    using call = new TestCall([]);
    for (let at = 0; at < HANDLE_LIMIT; at++) types(call, "[constructor]fields");
    expect(() => types(call, "[constructor]fields")).toThrow(Trapped);
  });

  test.each(["__proto__", "constructor", "hasOwnProperty", "toString"])("are no object: %s is a name", (name) => {
    using call = new TestCall([]);
    const fields = make(call, [name, "1"]);
    expect(valuesOf(call, fields, name)).toEqual(["1"]);
    expect(types<boolean>(call, "[method]fields.has", types<Fields>(call, "[constructor]fields"), name)).toBe(false);
  });
});

describe("an outgoing-request", () => {
  test("is GET of nothing until it is told otherwise", () => {
    using call = new TestCall([]);
    const request = types<OutgoingRequest>(call, "[constructor]outgoing-request", make(call));
    expect(types<unknown>(call, "[method]outgoing-request.method", request)).toEqual({ tag: "get" });
    expect(types<unknown>(call, "[method]outgoing-request.path-with-query", request)).toBeUndefined();
    expect(types<unknown>(call, "[method]outgoing-request.scheme", request)).toBeUndefined();
    expect(types<unknown>(call, "[method]outgoing-request.authority", request)).toBeUndefined();
  });

  test.each([
    ["method", { tag: "other", value: "PROPFIND" }, { tag: "other", value: "a b" }],
    ["scheme", { tag: "other", value: "coap+tcp" }, { tag: "other", value: "1a" }],
    ["authority", "[::1]:80", "user@a.test"],
    ["path-with-query", "/a?b=%20", "a"],
  ])("tells the %s that was set, and keeps it when another one is none", async (name, value, wrong) => {
    using call = new TestCall([]);
    const request = types<OutgoingRequest>(call, "[constructor]outgoing-request", make(call));
    types(call, `[method]outgoing-request.set-${name}`, request, value);
    expect(await errorOf(() => types(call, `[method]outgoing-request.set-${name}`, request, wrong))).toBeUndefined();
    expect(types<unknown>(call, `[method]outgoing-request.${name}`, request)).toEqual(value);
  });
});

test.each(["connect", "first-byte", "between-bytes"])("request-options tell the %s timeout that was set", (name) => {
  using call = new TestCall([]);
  const options = types<RequestOptions>(call, "[constructor]request-options");
  expect(types<unknown>(call, `[method]request-options.${name}-timeout`, options)).toBeUndefined();
  types(call, `[method]request-options.set-${name}-timeout`, options, 5n);
  expect(types<unknown>(call, `[method]request-options.${name}-timeout`, options)).toBe(5n);
  types(call, `[method]request-options.set-${name}-timeout`, options, undefined);
  expect(types<unknown>(call, `[method]request-options.${name}-timeout`, options)).toBeUndefined();
});

describe("the side of a server", () => {
  test("an outgoing-response can be made, and nobody takes it", async () => {
    using call = new TestCall([]);
    const response = types<OutgoingResponse>(call, "[constructor]outgoing-response", make(call, ["x", "1"]));
    expect(types<number>(call, "[method]outgoing-response.status-code", response)).toBe(200);
    types(call, "[method]outgoing-response.set-status-code", response, 404);
    expect(await errorOf(() => types(call, "[method]outgoing-response.set-status-code", response, 99))).toBeUndefined();
    expect(
      await errorOf(() => types(call, "[method]outgoing-response.set-status-code", response, 600)),
    ).toBeUndefined();
    expect(types<number>(call, "[method]outgoing-response.status-code", response)).toBe(404);
    const fields = types<Fields>(call, "[method]outgoing-response.headers", response);
    expect(entriesOf(call, fields)).toEqual([["x", "1"]]);
    fields[Symbol.dispose]();
    types(call, "[method]outgoing-response.body", response);
    expect(await errorOf(() => types(call, "[method]outgoing-response.body", response))).toBeUndefined();
    response[Symbol.dispose]();
  });

  test("what only a server gets ends the call, should it be called", () => {
    using call = new TestCall([]);
    for (const name of ["[method]incoming-request.method", "[static]response-outparam.set"])
      expect(() => types(call, name, undefined)).toThrow("it has no request to answer: tools are no servers");
  });
});
