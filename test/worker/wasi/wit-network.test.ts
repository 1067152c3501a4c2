/**
 * Whether `wasi:http` and `wasi:sockets` are served whole, every function with the type that the standard gives it.
 */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { WasiInterface } from "../../../lib/worker/wasi/host.ts";
import { HTTP_OUTGOING_HANDLER } from "../../../lib/worker/wasi/http/outgoing-handler.ts";
import { HTTP_TYPES } from "../../../lib/worker/wasi/http/types.ts";
import { SOCKETS_IP_NAME_LOOKUP } from "../../../lib/worker/wasi/sockets/ip-name-lookup.ts";
import { SOCKETS_INSTANCE_NETWORK, SOCKETS_NETWORK } from "../../../lib/worker/wasi/sockets/network.ts";
import { SOCKETS_TCP, SOCKETS_TCP_CREATE } from "../../../lib/worker/wasi/sockets/tcp.ts";
import { SOCKETS_UDP, SOCKETS_UDP_CREATE } from "../../../lib/worker/wasi/sockets/udp.ts";
import { formatFunction, readWit } from "./wit.ts";

const directory = join(import.meta.dir, "../../../node_modules/@bytecodealliance/jco/lib/wit/builtin/0.2.12");
const standard = new Map<string, ReadonlyMap<string, string>>();
for (const name of ["wasi-http", "wasi-sockets"]) {
  const text = await Bun.file(join(directory, name, "package.wit")).text();
  for (const [each, functions] of readWit(text)) standard.set(each, functions);
}

const SERVED: readonly WasiInterface[] = [
  HTTP_TYPES,
  HTTP_OUTGOING_HANDLER,
  SOCKETS_NETWORK,
  SOCKETS_INSTANCE_NETWORK,
  SOCKETS_IP_NAME_LOOKUP,
  SOCKETS_TCP,
  SOCKETS_TCP_CREATE,
  SOCKETS_UDP,
  SOCKETS_UDP_CREATE,
];

describe.each(SERVED.map((served) => [served.name, served] as const))("%s", (name, served) => {
  test("has the functions of the standard, and their types", () => {
    const ours = [...served.functions].map(([each, { type }]) => [each, formatFunction(type)] as const);
    expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(standard.get(name) ?? []));
    expect(ours.length).toBeGreaterThan(0);
  });

  test("has the resources that its functions are of", () => {
    const named = [...served.functions.keys()].flatMap(
      (each) => /\](?<resource>[\w-]+)/.exec(each)?.groups?.["resource"] ?? [],
    );
    expect(name === "wasi:sockets/network" ? ["network"] : [...new Set(named)].toSorted()).toEqual(
      [...served.resources].toSorted(),
    );
  });
});

test("all interfaces of the standard are served but the one of servers", () => {
  const missing = [...standard.keys()].filter((name) => !SERVED.some((served) => served.name === name));
  expect(missing).toEqual(["wasi:http/incoming-handler"]);
});
