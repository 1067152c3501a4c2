import { describe, expect, test } from "bun:test";
import { readdirSync, readlinkSync } from "node:fs";
import { connect } from "node:net";
import { BUFFER_LIMIT_BYTES } from "../../../lib/worker/wasi/host.ts";
import type { SocketAddress } from "../../../lib/worker/net/address.ts";
import { SOCKET_LIMIT } from "../../../lib/worker/net/network.ts";
import type { Policy } from "../../../lib/policy/policy.ts";
import { SOCKETS_INSTANCE_NETWORK, SOCKETS_NETWORK } from "../../../lib/worker/wasi/sockets/network.ts";
import { SOCKETS_TCP, SOCKETS_TCP_CREATE } from "../../../lib/worker/wasi/sockets/tcp.ts";
import type { TcpSocket } from "../../../lib/worker/wasi/sockets/tcp-socket.ts";
import { STREAMS } from "../../../lib/worker/wasi/io.ts";
import type { InputStream, OutputStream } from "../../../lib/worker/wasi/streams.ts";
import {
  decode,
  encode,
  errorOf,
  pour,
  ready,
  rules,
  TestCall,
  type TestNetwork,
  Trapped,
  until,
} from "../net/support.ts";

type Streams = readonly [InputStream, OutputStream];

const LOOPBACK = [127, 0, 0, 1] as const;
const LOOPBACK6 = [0, 0, 0, 0, 0, 0, 0, 1] as const;

function v4(port: number, address: readonly number[] = LOOPBACK): SocketAddress {
  return { tag: "ipv4", value: [port, address] };
}

function v6(port: number, address: readonly number[] = LOOPBACK6): SocketAddress {
  return { tag: "ipv6", value: [port, 0, address, 0] };
}

/** One guest with one network. */
class Guest implements Disposable {
  readonly call: TestCall;
  readonly network: unknown;

  constructor(entries: readonly string[], network: TestNetwork = {}, policy: Partial<Policy> = {}) {
    this.call = new TestCall(entries, network, policy);
    this.network = this.call.call(SOCKETS_INSTANCE_NETWORK, "instance-network");
  }

  create(family: "ipv4" | "ipv6" = "ipv4"): TcpSocket {
    return this.call.call<TcpSocket>(SOCKETS_TCP_CREATE, "create-tcp-socket", family);
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  tcp<T = unknown>(name: string, socket: TcpSocket, ...values: readonly unknown[]): T {
    return this.call.call<T>(SOCKETS_TCP, `[method]tcp-socket.${name}`, socket, ...values);
  }

  async bind(socket: TcpSocket, to: SocketAddress): Promise<void> {
    this.tcp("start-bind", socket, this.network, to);
    await ready(socket.event);
    this.tcp("finish-bind", socket);
  }

  async connect(socket: TcpSocket, to: SocketAddress): Promise<Streams> {
    this.tcp("start-connect", socket, this.network, to);
    await ready(socket.event);
    return this.tcp<Streams>("finish-connect", socket);
  }

  async listen(port: number): Promise<TcpSocket> {
    const socket = this.create();
    await this.bind(socket, v4(port));
    this.tcp("start-listen", socket);
    this.tcp("finish-listen", socket);
    return socket;
  }

  async write(stream: OutputStream, text: string): Promise<void> {
    await this.call.wait(STREAMS, "[method]output-stream.blocking-write-and-flush", stream, encode(text));
  }

  async read(stream: InputStream): Promise<string> {
    const bytes = await this.call.wait(STREAMS, "[method]input-stream.blocking-read", stream, 65_536n);
    return bytes instanceof Uint8Array ? decode(bytes) : "";
  }

  [Symbol.dispose](): void {
    this.call[Symbol.dispose]();
  }
}

/** An echo server, which counts. */
class Echo implements Disposable {
  connections = 0;
  closed = 0;
  ended = 0;
  received = "";
  readonly #listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    allowHalfOpen: true,
    socket: {
      open: () => void (this.connections += 1),
      data: (socket, bytes) => {
        this.received += bytes.toString();
        socket.write(bytes);
      },
      end: (socket) => {
        this.ended += 1;
        socket.end();
      },
      close: () => void (this.closed += 1),
      error: () => undefined,
    },
  });

  get port(): number {
    return this.#listener.port;
  }

  [Symbol.dispose](): void {
    this.#listener.stop(true);
  }
}

function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

describe("a tcp-socket", () => {
  test("connects where a rule allows it, and moves bytes both ways until both ends are shut", async () => {
    using server = new Echo();
    using guest = new Guest([`tcp://127.0.0.1:${server.port}`]);
    const socket = guest.create();
    expect(guest.tcp("address-family", socket)).toBe("ipv4");
    const [input, output] = await guest.connect(socket, v4(server.port));
    expect(guest.tcp("remote-address", socket)).toEqual(v4(server.port));
    expect(guest.tcp<SocketAddress>("local-address", socket).value[0]).toBeGreaterThan(0);
    await guest.write(output, "hello");
    expect(await guest.read(input)).toBe("hello");
    guest.tcp("shutdown", socket, "send");
    expect(await errorOf(() => guest.write(output, "more"))).toEqual({ tag: "closed" });
    await until(() => server.ended === 1);
    expect(await errorOf(() => guest.read(input))).toEqual({ tag: "closed" });
    input[Symbol.dispose]();
    output[Symbol.dispose]();
    socket[Symbol.dispose]();
    await until(() => server.closed === 1);
    expect(guest.call.host.handles).toBe(1);
    expect(guest.call.host.takeBuffer(BUFFER_LIMIT_BYTES)).toBe(true);
  });

  test("connects over IPv6", async () => {
    using server = Bun.listen({
      hostname: "::1",
      port: 0,
      socket: { data: (socket, bytes) => void socket.write(bytes) },
    });
    using guest = new Guest([`tcp://[::1]:${server.port}`]);
    const socket = guest.create("ipv6");
    const [input, output] = await guest.connect(socket, v6(server.port));
    expect(guest.tcp("remote-address", socket)).toEqual(v6(server.port));
    await guest.write(output, "six");
    expect(await guest.read(input)).toBe("six");
  });

  test("connects to an address that a name was looked up for, and to no other one", async () => {
    using server = new Echo();
    using guest = new Guest(["tcp://db.test:5432"], {
      names: { "db.test": ["93.184.215.14"] },
      routes: { "93.184.215.14:5432": server.port },
    });
    const { SOCKETS_IP_NAME_LOOKUP: lookup } = await import("../../../lib/worker/wasi/sockets/ip-name-lookup.ts");
    const early = guest.create();
    const to = v4(5432, [93, 184, 215, 14]);
    expect(await errorOf(() => guest.tcp("start-connect", early, guest.network, to))).toBe("access-denied");
    guest.call.call(lookup, "resolve-addresses", guest.network, "db.test");
    await until(() => guest.call.lookups.length === 1);
    await Bun.sleep(1);
    await guest.connect(guest.create(), to);
    const other = v4(5433, [93, 184, 215, 14]);
    expect(await errorOf(() => guest.tcp("start-connect", guest.create(), guest.network, other))).toBe("access-denied");
    expect(guest.call.attempts).toEqual(["93.184.215.14:5432"]);
    expect(guest.call.context.denials).toEqual([
      ["net:tcp://93.184.215.14:5432", "tcp://93.184.215.14:5432"],
      ["net:tcp://db.test:5433", "tcp://db.test:5433"],
    ]);
  });

  test("makes the peer wait when it does not read", async () => {
    let sent = 0;
    using server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => {
          const timer = setInterval(() => {
            if (socket.readyState === 1) sent += pour(socket);
            else clearInterval(timer);
          }, 1);
        },
        data: () => undefined,
      },
    });
    using guest = new Guest([`tcp://127.0.0.1:${server.port}`]);
    await guest.connect(guest.create(), v4(server.port));
    await Bun.sleep(100);
    // What the system's own buffers hold, and no more.
    expect(sent).toBeGreaterThan(65_536);
    expect(sent).toBeLessThan(16_777_216);
  });

  test("waits when the peer does not read, and goes on when it does", async () => {
    let isPaused = true;
    let received = 0;
    using server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => socket.pause(),
        data: (socket, bytes) => {
          received += bytes.length;
          if (isPaused) socket.pause();
        },
      },
    });
    using guest = new Guest([`tcp://127.0.0.1:${server.port}`]);
    const socket = guest.create();
    const [, output] = await guest.connect(socket, v4(server.port));
    const check = (): bigint => guest.call.call<bigint>(STREAMS, "[method]output-stream.check-write", output);
    let written = 0;
    for (let room = check(); room > 0n && written < 50_000_000; room = check()) {
      guest.call.call(STREAMS, "[method]output-stream.write", output, new Uint8Array(Number(room)));
      written += Number(room);
      await Bun.sleep(0);
    }
    expect(check()).toBe(0n);
    expect(written).toBeLessThan(50_000_000);
    isPaused = false;
    void received;
  });

  test.each([
    ["connection-refused", v4(1), "tcp://127.0.0.1:1"],
    ["access-denied", v4(2), "tcp://127.0.0.1:1"],
    ["invalid-argument", v4(0), "tcp://127.0.0.1:1"],
    ["invalid-argument", v4(1, [0, 0, 0, 0]), "tcp://127.0.0.1:1"],
    ["invalid-argument", v4(1, [224, 0, 0, 1]), "tcp://127.0.0.1:1"],
    ["invalid-argument", v4(1, [255, 255, 255, 255]), "tcp://127.0.0.1:1"],
    ["invalid-argument", v6(1), "tcp://127.0.0.1:1"],
    ["access-denied", v4(1), "http://127.0.0.1:1"],
    ["access-denied", v4(1), "udp://127.0.0.1:1"],
    ["access-denied", v4(53, [8, 8, 8, 8]), "tcp://1.1.1.1:53"],
  ])("fails to connect with %s", async (code, to, rule) => {
    using guest = new Guest([rule]);
    const socket = guest.create();
    expect(await errorOf(() => guest.connect(socket, to))).toBe(code);
    expect(guest.call.context.denials).toHaveLength(code === "access-denied" ? 1 : 0);
    expect(guest.call.attempts).toHaveLength(code === "connection-refused" ? 1 : 0);
  });

  test("refuses IPv4 addresses that are mapped into IPv6", async () => {
    using guest = new Guest(["tcp://127.0.0.1:1", "tcp://[::ffff:7f00:1]:1"]);
    const mapped = v6(1, [0, 0, 0, 0, 0, 0xff_ff, 0x7f00, 1]);
    const socket = guest.create("ipv6");
    expect(await errorOf(() => guest.tcp("start-connect", socket, guest.network, mapped))).toBe("invalid-argument");
    expect(await errorOf(() => guest.tcp("start-bind", socket, guest.network, mapped))).toBe("invalid-argument");
  });

  test("is closed after a connection failed", async () => {
    using guest = new Guest(["tcp://127.0.0.1:1"]);
    const socket = guest.create();
    expect(await errorOf(() => guest.connect(socket, v4(1)))).toBe("connection-refused");
    expect(await errorOf(() => guest.tcp("finish-connect", socket))).toBe("not-in-progress");
    expect(await errorOf(() => guest.tcp("start-connect", socket, guest.network, v4(1)))).toBe("invalid-state");
    expect(socket.event.isReady()).toBe(true);
  });

  test("follows the states of the standard", async () => {
    using server = new Echo();
    using guest = new Guest([`tcp://127.0.0.1:${server.port}`]);
    const socket = guest.create();
    const fails = async (name: string, ...values: readonly unknown[]): Promise<unknown> =>
      await errorOf(() => guest.tcp(name, socket, ...values));
    expect(await fails("finish-bind")).toBe("not-in-progress");
    expect(await fails("finish-connect")).toBe("not-in-progress");
    expect(await fails("finish-listen")).toBe("not-in-progress");
    expect(await fails("start-listen")).toBe("invalid-state");
    expect(await fails("accept")).toBe("invalid-state");
    expect(await fails("local-address")).toBe("invalid-state");
    expect(await fails("remote-address")).toBe("invalid-state");
    expect(await fails("shutdown", "both")).toBe("invalid-state");
    guest.tcp("start-bind", socket, guest.network, v4(0));
    expect(await fails("start-bind", guest.network, v4(0))).toBe("concurrency-conflict");
    expect(await fails("start-connect", guest.network, v4(server.port))).toBe("concurrency-conflict");
    guest.tcp("finish-bind", socket);
    expect(await fails("start-bind", guest.network, v4(0))).toBe("invalid-state");
    guest.tcp("start-connect", socket, guest.network, v4(server.port));
    expect(await fails("finish-connect")).toBe("would-block");
    expect(await fails("start-listen")).toBe("concurrency-conflict");
    await ready(socket.event);
    guest.tcp("finish-connect", socket);
    expect(await fails("finish-connect")).toBe("not-in-progress");
    expect(await fails("start-connect", guest.network, v4(server.port))).toBe("invalid-state");
    expect(await fails("set-listen-backlog-size", 5n)).toBe("invalid-state");
    expect(guest.tcp("is-listening", socket)).toBe(false);
    expect(() => socket[Symbol.dispose]()).toThrow(Trapped);
  });

  test.each([
    ["keep-alive-enabled", true],
    ["keep-alive-idle-time", 1_000_000_000n],
    ["keep-alive-interval", 2_000_000_000n],
    ["keep-alive-count", 3],
    ["hop-limit", 12],
    ["receive-buffer-size", 4096n],
    ["send-buffer-size", 4096n],
  ])("tells the %s that was set", async (name, value) => {
    using guest = new Guest([]);
    const socket = guest.create();
    guest.tcp(`set-${name}`, socket, value);
    expect(guest.tcp(name, socket)).toBe(value);
    if (typeof value === "boolean") return;
    const zero = typeof value === "bigint" ? 0n : 0;
    expect(await errorOf(() => guest.tcp(`set-${name}`, socket, zero))).toBe("invalid-argument");
    expect(guest.tcp(name, socket)).toBe(value);
  });

  test("reports that its peer reset the connection", async () => {
    using server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { data: (socket) => socket.terminate() },
    });
    using guest = new Guest([`tcp://127.0.0.1:${server.port}`]);
    const [input, output] = await guest.connect(guest.create(), v4(server.port));
    await guest.write(output, "x");
    const error = await errorOf(() => guest.read(input));
    const code = guest.call.call(SOCKETS_NETWORK, "network-error-code", Reflect.get(Object(error), "value"));
    expect(code).toBe("connection-reset");
  });

  test("sends what was written before it was dropped", async () => {
    using server = new Echo();
    using guest = new Guest([`tcp://127.0.0.1:${server.port}`]);
    const socket = guest.create();
    const [input, output] = await guest.connect(socket, v4(server.port));
    guest.call.call(STREAMS, "[method]output-stream.check-write", output);
    guest.call.call(STREAMS, "[method]output-stream.write", output, encode("last words"));
    for (const each of [input, output, socket]) each[Symbol.dispose]();
    await until(() => server.received === "last words");
    await until(() => server.closed === 1);
  });
});

test("a connection that is dropped while its peer takes nothing is closed at the end of the call", async () => {
  using server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { open: (socket) => socket.pause(), data: () => undefined },
  });
  const before = sockets();
  const guest = new Guest([`tcp://127.0.0.1:${server.port}`]);
  const socket = guest.create();
  const [input, output] = await guest.connect(socket, v4(server.port));
  const check = (): bigint => guest.call.call<bigint>(STREAMS, "[method]output-stream.check-write", output);
  for (let room = check(); room > 0n; room = check()) {
    guest.call.call(STREAMS, "[method]output-stream.write", output, new Uint8Array(Number(room)));
    await Bun.sleep(0);
  }
  for (const each of [input, output, socket]) each[Symbol.dispose]();
  await Bun.sleep(20);
  expect(sockets()).toBe(before + 2);
  guest[Symbol.dispose]();
  await until(() => sockets() <= before + 1);
});

describe("a tcp-socket that listens", () => {
  test("gives its port back when it is dropped", async () => {
    const port = freePort();
    using guest = new Guest([], {}, { listen: rules([`tcp://127.0.0.1:${port}`]) });
    const socket = await guest.listen(port);
    socket[Symbol.dispose]();
    await guest.listen(port);
  });

  test("takes connections where a rule of listen allows it", async () => {
    const port = freePort();
    using guest = new Guest([], {}, { listen: rules([`tcp://127.0.0.1:${port}`]) });
    const listener = await guest.listen(port);
    expect(guest.tcp("is-listening", listener)).toBe(true);
    expect(guest.tcp("local-address", listener)).toEqual(v4(port));
    expect(await errorOf(() => guest.tcp("accept", listener))).toBe("would-block");
    const client = connect(port, "127.0.0.1");
    client.write("hello");
    await ready(listener.event);
    const [socket, input, output] = guest.tcp<readonly [TcpSocket, InputStream, OutputStream]>("accept", listener);
    await until(() => !client.connecting);
    expect(guest.tcp("remote-address", socket)).toEqual(v4(client.localPort ?? 0));
    expect(await guest.read(input)).toBe("hello");
    const heard: string[] = [];
    client.on("data", (bytes) => void heard.push(bytes.toString()));
    await guest.write(output, "bye");
    await until(() => heard.join("") === "bye");
    client.destroy();
  });

  test.each([
    ["no rule", []],
    ["a rule for another port", ["tcp://127.0.0.1:1"]],
    ["a rule for UDP", ["udp://127.0.0.1:PORT"]],
    ["a rule for another address", ["tcp://127.0.0.2:PORT"]],
  ])("is denied its port with %s, and nobody can connect", async (_, entries) => {
    const port = freePort();
    const listen = rules(entries.map((entry) => entry.replace("PORT", String(port))));
    using guest = new Guest([`tcp://127.0.0.1:${port}`], {}, { listen });
    const socket = guest.create();
    expect(await errorOf(() => guest.tcp("start-bind", socket, guest.network, v4(port)))).toBe("access-denied");
    expect(guest.call.context.denials[0]?.[0]).toBe(`listen:tcp://127.0.0.1:${port}`);
    const client = connect(port, "127.0.0.1");
    const code = await new Promise(
      (resolve) => void client.once("error", (error) => resolve(Reflect.get(error, "code"))),
    );
    expect(code).toBe("ECONNREFUSED");
  });

  test("is denied a port that the system chooses", async () => {
    using guest = new Guest(["tcp://127.0.0.1:1"]);
    const socket = guest.create();
    await guest.bind(socket, v4(0));
    expect(await errorOf(() => guest.tcp("start-listen", socket))).toBe("access-denied");
  });

  test("fails to bind to a port that is taken", async () => {
    using server = new Echo();
    using guest = new Guest([], {}, { listen: rules([`tcp://127.0.0.1:${server.port}`]) });
    expect(await errorOf(() => guest.bind(guest.create(), v4(server.port)))).toBe("address-in-use");
  });

  test("has at most its backlog wait, and resets the others", async () => {
    const port = freePort();
    using guest = new Guest([], {}, { listen: rules([`tcp://127.0.0.1:${port}`]) });
    const socket = guest.create();
    guest.tcp("set-listen-backlog-size", socket, 2n);
    expect(await errorOf(() => guest.tcp("set-listen-backlog-size", socket, 0n))).toBe("invalid-argument");
    await guest.bind(socket, v4(port));
    guest.tcp("start-listen", socket);
    guest.tcp("finish-listen", socket);
    expect(await errorOf(() => guest.tcp("set-listen-backlog-size", socket, 2n))).toBe("not-supported");
    let closed = 0;
    const clients = Array.from({ length: 5 }, () => {
      const client = connect(port, "127.0.0.1");
      client.on("error", () => undefined);
      client.on("close", () => void (closed += 1));
      return client;
    });
    await until(() => closed === 3);
    guest.call[Symbol.dispose]();
    await until(() => closed === 5);
    for (const client of clients) client.destroy();
  });
});

describe("the sockets of a call", () => {
  test(`are at most ${SOCKET_LIMIT}`, async () => {
    using guest = new Guest([]);
    const all = Array.from({ length: SOCKET_LIMIT }, () => guest.create());
    expect(await errorOf(() => guest.create())).toBe("new-socket-limit");
    all[0]?.[Symbol.dispose]();
    guest.create("ipv6");
    expect(await errorOf(() => guest.create())).toBe("new-socket-limit");
  });

  test("are closed at its end, whatever they are doing: counted in /proc/self/fd", async () => {
    using server = new Echo();
    const port = freePort();
    const before = sockets();
    const guest = new Guest([`tcp://127.0.0.1:${server.port}`], {}, { listen: rules([`tcp://127.0.0.1:${port}`]) });
    await guest.listen(port);
    for (let at = 0; at < 10; at++) await guest.connect(guest.create(), v4(server.port));
    for (let at = 0; at < 10; at++) guest.tcp("start-connect", guest.create(), guest.network, v4(server.port));
    expect(sockets()).toBeGreaterThan(before + 20);
    guest[Symbol.dispose]();
    await until(() => server.closed === server.connections && sockets() === before);
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
