import { afterEach, describe, expect, test } from "bun:test";
import { readdirSync, readlinkSync } from "node:fs";
import type { Policy } from "../../../lib/policy/policy.ts";
import type { IpAddress, SocketAddress } from "../../../lib/worker/net/address.ts";
import { SOCKET_LIMIT } from "../../../lib/worker/net/network.ts";
import { type ResolveAddressStream, SOCKETS_IP_NAME_LOOKUP } from "../../../lib/worker/wasi/sockets/ip-name-lookup.ts";
import type { Pollable } from "../../../lib/worker/wasi/poll.ts";
import { SOCKETS_INSTANCE_NETWORK } from "../../../lib/worker/wasi/sockets/network.ts";
import { SOCKETS_UDP, SOCKETS_UDP_CREATE } from "../../../lib/worker/wasi/sockets/udp.ts";
import type {
  IncomingDatagram,
  IncomingDatagramStream,
  OutgoingDatagramStream,
  UdpSocket,
} from "../../../lib/worker/wasi/sockets/udp-socket.ts";
import { decode, encode, errorOf, ready, rules, TestCall, type TestNetwork, Trapped, until } from "../net/support.ts";

type Streams = readonly [IncomingDatagramStream, OutgoingDatagramStream];

const LOOPBACK = [127, 0, 0, 1] as const;

function v4(port: number, address: readonly number[] = LOOPBACK): SocketAddress {
  return { tag: "ipv4", value: [port, address] };
}

/** One guest with one network. */
class Guest implements Disposable {
  readonly call: TestCall;
  readonly network: unknown;

  constructor(entries: readonly string[], network: TestNetwork = {}, policy: Partial<Policy> = {}) {
    this.call = new TestCall(entries, network, policy);
    this.network = this.call.call(SOCKETS_INSTANCE_NETWORK, "instance-network");
  }

  create(family: "ipv4" | "ipv6" = "ipv4"): UdpSocket {
    return this.call.call<UdpSocket>(SOCKETS_UDP_CREATE, "create-udp-socket", family);
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  udp<T = unknown>(name: string, self: unknown, ...values: readonly unknown[]): T {
    return this.call.call<T>(SOCKETS_UDP, `[method]${name}`, self, ...values);
  }

  async bind(socket: UdpSocket, to: SocketAddress = v4(0)): Promise<void> {
    this.udp("udp-socket.start-bind", socket, this.network, to);
    await ready(socket.event);
    this.udp("udp-socket.finish-bind", socket);
  }

  /** Makes a bound socket and its streams. */
  async open(peer?: SocketAddress): Promise<readonly [UdpSocket, ...Streams]> {
    const socket = this.create();
    await this.bind(socket);
    return [socket, ...this.udp<Streams>("udp-socket.stream", socket, peer)];
  }

  send(stream: OutgoingDatagramStream, ...datagrams: readonly (readonly [string, SocketAddress?])[]): bigint {
    this.udp("outgoing-datagram-stream.check-send", stream);
    const list = datagrams.map(([text, to]) => [encode(text), to]);
    return this.udp<bigint>("outgoing-datagram-stream.send", stream, list);
  }

  async receive(stream: IncomingDatagramStream, most = 16n): Promise<readonly IncomingDatagram[]> {
    await ready(stream.event);
    return this.udp<readonly IncomingDatagram[]>("incoming-datagram-stream.receive", stream, most);
  }

  [Symbol.dispose](): void {
    this.call[Symbol.dispose]();
  }
}

/** A UDP server of the test's. */
interface Server {
  readonly port: number;
  readonly received: string[];
  send(text: string | Uint8Array, port: number): void;
}

const opened: (() => void)[] = [];

afterEach(() => {
  for (const close of opened.splice(0)) close();
});

async function serve(reply?: (text: string) => string): Promise<Server> {
  const received: string[] = [];
  const socket = await Bun.udpSocket({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data: (...[self, bytes, port, address]) => {
        received.push(bytes.toString());
        if (reply !== undefined) self.send(reply(bytes.toString()), port, address);
      },
    },
  });
  opened.push(() => socket.close());
  return { port: socket.port, received, send: (text, port) => void socket.send(text, port, "127.0.0.1") };
}

function portOf(address: SocketAddress): number {
  return address.value[0];
}

describe("a udp-socket", () => {
  test("sends to and hears from where a rule allows it", async () => {
    const server = await serve((text) => text.toUpperCase());
    using guest = new Guest([`udp://127.0.0.1:${server.port}`]);
    const [socket, input, output] = await guest.open();
    expect(guest.udp("udp-socket.address-family", socket)).toBe("ipv4");
    expect(guest.send(output, ["hello", v4(server.port)], ["again", v4(server.port)])).toBe(2n);
    await until(() => server.received.length === 2);
    const first = await guest.receive(input, 1n);
    const [[data, from] = []] = first;
    expect([first.length, decode(data ?? new Uint8Array()), from]).toEqual([1, "HELLO", v4(server.port)]);
    expect((await guest.receive(input)).map(([bytes]) => decode(bytes))).toEqual(["AGAIN"]);
    expect(guest.udp("incoming-datagram-stream.receive", input, 5n)).toEqual([]);
  });

  test("tells by a pollable that it takes more, and sends then", async () => {
    const server = await serve();
    using guest = new Guest([`udp://127.0.0.1:${server.port}`]);
    const [, , output] = await guest.open();
    const pollable = guest.udp<Pollable>("outgoing-datagram-stream.subscribe", output);
    await ready(pollable.event);
    expect(guest.send(output, ["hello", v4(server.port)])).toBe(1n);
    await until(() => server.received.length === 1);
  });

  test("with a peer sends to it and hears it alone", async () => {
    const peer = await serve();
    const other = await serve();
    using guest = new Guest([`udp://127.0.0.1:${peer.port}`, `udp://127.0.0.1:${other.port}`]);
    const [socket, input, output] = await guest.open(v4(peer.port));
    expect(guest.udp("udp-socket.remote-address", socket)).toEqual(v4(peer.port));
    expect(guest.send(output, ["to the peer"], ["again", v4(peer.port)])).toBe(2n);
    expect(await errorOf(() => guest.send(output, ["elsewhere", v4(other.port)]))).toBe("invalid-argument");
    const port = portOf(guest.udp<SocketAddress>("udp-socket.local-address", socket));
    other.send("not for you", port);
    await Bun.sleep(5);
    peer.send("for you", port);
    expect((await guest.receive(input)).map(([bytes]) => decode(bytes))).toEqual(["for you"]);
    expect(other.received).toEqual([]);
  });

  test("neither sends to nor hears what no rule covers", async () => {
    const server = await serve();
    const other = await serve();
    using guest = new Guest([`udp://127.0.0.1:${server.port}`, `tcp://127.0.0.1:${other.port}`]);
    const [socket, input, output] = await guest.open();
    expect(await errorOf(() => guest.send(output, ["x", v4(other.port)]))).toBe("access-denied");
    expect(await errorOf(() => guest.send(output, ["x", v4(53, [8, 8, 8, 8])]))).toBe("access-denied");
    expect(guest.send(output, ["first", v4(server.port)], ["second", v4(other.port)])).toBe(1n);
    const port = portOf(guest.udp<SocketAddress>("udp-socket.local-address", socket));
    other.send("unasked", port);
    await Bun.sleep(5);
    server.send("asked", port);
    expect((await guest.receive(input)).map(([bytes]) => decode(bytes))).toEqual(["asked"]);
    expect(other.received).toEqual([]);
    expect(guest.call.attempts).toEqual([`127.0.0.1:${server.port}`]);
    expect(guest.call.context.denials.map(([capability]) => capability)).toEqual([
      `net:udp://127.0.0.1:${other.port}`,
      "net:udp://8.8.8.8:53",
      `net:udp://127.0.0.1:${other.port}`,
    ]);
  });

  test("has a port of its choice where a rule of listen allows it, and then hears everyone", async () => {
    const server = await serve();
    const free = await serve();
    const { port } = free;
    for (const close of opened.splice(1)) close();
    using guest = new Guest([], {}, { listen: rules([`udp://127.0.0.1:${port}`]) });
    const socket = guest.create();
    await guest.bind(socket, v4(port));
    const [input] = guest.udp<Streams>("udp-socket.stream", socket, undefined);
    server.send("from anyone", port);
    expect((await guest.receive(input)).map(([bytes]) => decode(bytes))).toEqual(["from anyone"]);
    const denied = guest.create();
    expect(await errorOf(() => guest.udp("udp-socket.start-bind", denied, guest.network, v4(1)))).toBe("access-denied");
    expect(guest.call.context.denials[0]?.[0]).toBe("listen:udp://127.0.0.1:1");
  });

  test("follows the states of the standard", async () => {
    using guest = new Guest(["udp://127.0.0.1:9"]);
    const socket = guest.create();
    const fails = async (name: string, ...values: readonly unknown[]): Promise<unknown> =>
      await errorOf(() => guest.udp(`udp-socket.${name}`, socket, ...values));
    expect(await fails("finish-bind")).toBe("not-in-progress");
    expect(await fails("local-address")).toBe("invalid-state");
    expect(await fails("remote-address")).toBe("invalid-state");
    expect(await fails("stream", undefined)).toBe("invalid-state");
    guest.udp("udp-socket.start-bind", socket, guest.network, v4(0));
    expect(await fails("start-bind", guest.network, v4(0))).toBe("concurrency-conflict");
    expect(await fails("finish-bind")).toBe("would-block");
    await ready(socket.event);
    guest.udp("udp-socket.finish-bind", socket);
    expect(await fails("start-bind", guest.network, v4(0))).toBe("invalid-state");
    expect(await fails("stream", v4(0))).toBe("invalid-argument");
    expect(await fails("stream", v4(9, [0, 0, 0, 0]))).toBe("invalid-argument");
    expect(await fails("stream", { tag: "ipv6", value: [9, 0, [0, 0, 0, 0, 0, 0, 0, 1], 0] })).toBe("invalid-argument");
    const [input, output] = guest.udp<Streams>("udp-socket.stream", socket, undefined);
    expect(() => guest.udp("udp-socket.stream", socket, undefined)).toThrow(Trapped);
    expect(() => socket[Symbol.dispose]()).toThrow(Trapped);
    expect(await errorOf(() => guest.send(output, ["x"]))).toBe("invalid-argument");
    expect(() => guest.udp("outgoing-datagram-stream.send", output, [[encode("x"), v4(9)]])).toThrow(Trapped);
    input[Symbol.dispose]();
    output[Symbol.dispose]();
    guest.udp("udp-socket.stream", socket, v4(9));
  });

  test("refuses a datagram that is too large", async () => {
    const server = await serve();
    using guest = new Guest([`udp://127.0.0.1:${server.port}`]);
    const [, , output] = await guest.open();
    expect(await errorOf(() => guest.send(output, ["x".repeat(65_508), v4(server.port)]))).toBe("datagram-too-large");
    expect(guest.send(output, ["x".repeat(60_000), v4(server.port)])).toBe(1n);
    await until(() => server.received.length === 1);
  });

  test.each([
    ["1000 bytes", 1000, 300, 131],
    ["1 byte", 1, 1100, 1024],
  ])("loses what has no room, and no more: %s", async (...[, size, count, kept]) => {
    const server = await serve();
    using guest = new Guest([`udp://127.0.0.1:${server.port}`]);
    const [socket, input] = await guest.open();
    const port = portOf(guest.udp<SocketAddress>("udp-socket.local-address", socket));
    for (let at = 0; at < count; at++) {
      server.send(new Uint8Array(size), port);
      if (at % 20 === 0) await Bun.sleep(1);
    }
    await Bun.sleep(20);
    let received = 0;
    for (let list = await guest.receive(input, 1000n); list.length > 0;) {
      received += list.length;
      list = guest.udp<readonly IncomingDatagram[]>("incoming-datagram-stream.receive", input, 1000n);
    }
    expect(received).toBe(kept);
  });

  test.each([
    ["unicast-hop-limit", 12, 0],
    ["receive-buffer-size", 4096n, 0n],
    ["send-buffer-size", 4096n, 0n],
  ])("tells the %s that was set", async (name, value, zero) => {
    using guest = new Guest([]);
    const socket = guest.create();
    guest.udp(`udp-socket.set-${name}`, socket, value);
    expect(guest.udp(`udp-socket.${name}`, socket)).toBe(value);
    expect(await errorOf(() => guest.udp(`udp-socket.set-${name}`, socket, zero))).toBe("invalid-argument");
  });

  test("is one of a bounded number, and closed at the end of the call", async () => {
    const before = sockets();
    const guest = new Guest([]);
    for (let at = 0; at < SOCKET_LIMIT; at++) await guest.bind(guest.create());
    expect(await errorOf(() => guest.create())).toBe("new-socket-limit");
    expect(sockets()).toBe(before + SOCKET_LIMIT);
    guest[Symbol.dispose]();
    await until(() => sockets() === before);
  });
});

async function lookUp(guest: Guest, name: string): Promise<readonly IpAddress[]> {
  const stream = guest.call.call<ResolveAddressStream>(
    SOCKETS_IP_NAME_LOOKUP,
    "resolve-addresses",
    guest.network,
    name,
  );
  const found: IpAddress[] = [];
  for (;;) {
    await ready(stream.event);
    const next = guest.call.call<IpAddress | undefined>(
      SOCKETS_IP_NAME_LOOKUP,
      "[method]resolve-address-stream.resolve-next-address",
      stream,
    );
    if (next === undefined) return found;
    found.push(next);
  }
}

describe("resolve-addresses", () => {
  test("answers for names that a rule covers, with the addresses that it lets be connected to", async () => {
    using guest = new Guest(["tcp://db.test:5432"], {
      names: { "db.test": ["10.0.0.1", "93.184.215.14", "127.0.0.1", "2606:4700::1111"] },
    });
    expect(await lookUp(guest, "DB.test.")).toEqual([
      { tag: "ipv4", value: [93, 184, 215, 14] },
      { tag: "ipv6", value: [0x2606, 0x4700, 0, 0, 0, 0, 0, 0x1111] },
    ]);
    await lookUp(guest, "db.test");
    expect(guest.call.lookups).toEqual(["db.test"]);
  });

  test.each([
    ["no rule covers", "other.test", "access-denied"],
    ["no rule covers: a parent", "test", "access-denied"],
    ["is another way to write it", "db.test.evil.test", "access-denied"],
    ["is none", "db test", "invalid-argument"],
    ["is empty", "", "invalid-argument"],
    ["is too long", "a".repeat(2000), "invalid-argument"],
    ["does not exist", "db.test", "name-unresolvable"],
  ])("fails for a name that %s: %p", async (_, name, code) => {
    using guest = new Guest(["tcp://db.test:5432"]);
    expect(await errorOf(() => lookUp(guest, name))).toBe(code);
    expect(guest.call.lookups).toEqual(code === "name-unresolvable" ? ["db.test"] : []);
    expect(guest.call.context.denials).toEqual(
      code === "access-denied" ? [[`net:${name}`, `the addresses of ${name}`]] : [],
    );
  });

  test("tells nothing of a name that leads into a private network", async () => {
    using guest = new Guest(["tcp://db.test:5432"], { names: { "db.test": ["10.0.0.1", "192.168.0.1"] } });
    expect(await errorOf(() => lookUp(guest, "db.test"))).toBe("name-unresolvable");
  });

  test("is ready when the answer is there, and would block before", async () => {
    using guest = new Guest(["tcp://db.test:5432"], { names: { "db.test": ["93.184.215.14"] } });
    const stream = guest.call.call<ResolveAddressStream>(
      SOCKETS_IP_NAME_LOOKUP,
      "resolve-addresses",
      guest.network,
      "db.test",
    );
    expect(stream.event.isReady()).toBe(false);
    expect(
      await errorOf(() =>
        guest.call.call(SOCKETS_IP_NAME_LOOKUP, "[method]resolve-address-stream.resolve-next-address", stream),
      ),
    ).toBe("would-block");
    await ready(stream.event);
  });

  test.each([
    ["127.0.0.1", [{ tag: "ipv4", value: [127, 0, 0, 1] }]],
    ["::1", [{ tag: "ipv6", value: [0, 0, 0, 0, 0, 0, 0, 1] }]],
  ] as const)("gives %s back without asking anyone", async (text, found) => {
    using guest = new Guest([]);
    expect(await lookUp(guest, text)).toEqual([...found]);
    expect(guest.call.lookups).toEqual([]);
  });

  test("knows localhost where a rule names it", async () => {
    using guest = new Guest(["tcp://localhost:5432"], { names: { localhost: ["127.0.0.1", "93.184.215.14"] } });
    expect(await lookUp(guest, "localhost")).toEqual([{ tag: "ipv4", value: [127, 0, 0, 1] }]);
  });
});

/** Sockets that this process has open. */
function sockets(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:");
    } catch {
      return false;
    }
  }).length;
}
