/**
 * The machine's network, with all of the process's authority: nothing here asks whether something is allowed. The one file that touches it;
 * who uses it has asked lib/policy before. The guest's side of the trust boundary.
 *
 * Node's sockets, and not Bun's own, because a connection that is still being made can be given up (docs/rationale.md). No variable
 * of the environment names a proxy to them, and none may switch the verification off.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Endpoint } from "./address.ts";

/** A socket of the machine's, for those who move its bytes. */
export type AmbientSocket = Socket;

/** A listener of the machine's. */
export type AmbientServer = Server;

/** Bytes of a connection that are read before somebody wants them; one read of the engine's may bring 512 KiB beyond that. */
export const READ_AHEAD_BYTES: number = 65_536;

/** What is done with the bytes of a connection, however it is made. */
const STREAM = { allowHalfOpen: true, highWaterMark: READ_AHEAD_BYTES } as const;

/** How to connect. */
export interface AmbientConnect {
  readonly to: Endpoint;
  /** Where from; undefined: as the system likes. */
  readonly from: Endpoint | undefined;
  /** Speaks TLS, and verifies the certificate for this name or address; undefined: speaks nothing. */
  readonly secureName: string | undefined;
}

/** A UDP socket. */
export interface AmbientUdp {
  readonly local: Endpoint;
  /** @returns False when the system has no room for it now. @throws When the system refuses it. */
  send(data: Uint8Array, to: Endpoint): boolean;
  close(): void;
}

/** What a UDP socket tells. */
interface UdpEvents {
  received(data: Uint8Array, from: Endpoint): void;
  drained(): void;
  failed(error: unknown): void;
}

/** What the machine's network does for calls. */
export interface Ambient {
  /** Asks the system's resolver. @returns Addresses, canonical, without brackets. */
  lookup(name: string): Promise<readonly string[]>;
  /** Begins to connect. */
  connect(how: AmbientConnect): Socket;
  /** Begins to listen. */
  listen(at: Endpoint, backlog: number): Server;
  bindUdp(at: Endpoint, events: UdpEvents): Promise<AmbientUdp>;
}

/** The certificates that are trusted instead of the usual ones, in PEM; for tests. */
export interface AmbientOptions {
  readonly certificates?: string;
}

/** Makes the machine's network. */
export function ambientNetwork({ certificates }: AmbientOptions = {}): Ambient {
  return {
    lookup: ambientLookup,
    connect: (how) => (how.secureName === undefined ? ambientPlain(how) : ambientSecure(how, certificates)),
    listen: ambientListen,
    bindUdp: ambientBindUdp,
  };
}

/** No network at all. */
export const NO_NETWORK: Ambient = Object.freeze({
  lookup: async () => [],
  connect: absent,
  listen: absent,
  bindUdp: async () => absent(),
});

function absent(): never {
  throw Object.assign(new Error("there is no network"), { code: "ENETUNREACH" });
}

async function ambientLookup(name: string): Promise<readonly string[]> {
  const found = await Bun.dns.lookup(name);
  return [...new Set(found.map(({ address }) => address))];
}

function ambientPlain({ to, from }: AmbientConnect): Socket {
  const local = from === undefined ? {} : { localAddress: from.address, localPort: from.port };
  const options = { host: to.address, port: to.port, ...local, ...STREAM };
  return connect(options);
}

/** Source: RFC 9110 §4.3.4: the certificate has to be valid for the host of the URI; RFC 6066 §3: no SNI for addresses. */
function ambientSecure({ to, secureName = "" }: AmbientConnect, certificates: string | undefined): Socket {
  const options = {
    host: to.address,
    port: to.port,
    ...(secureName === to.address ? {} : { servername: secureName }),
    ...(certificates === undefined ? {} : { ca: certificates }),
    rejectUnauthorized: true,
    minVersion: "TLSv1.2" as const,
    ALPNProtocols: ["http/1.1"],
    ...STREAM,
  };
  return connectTls(options);
}

function ambientListen({ address, port }: Endpoint, backlog: number): Server {
  const server = createServer({ ...STREAM, pauseOnConnect: true });
  return server.listen({ host: address, port, backlog, ipv6Only: true });
}

async function ambientBindUdp(at: Endpoint, events: UdpEvents): Promise<AmbientUdp> {
  const socket = await Bun.udpSocket({
    hostname: at.address,
    port: at.port,
    socket: {
      data: (...[, data, port, address]) => events.received(new Uint8Array(data), { address, port }),
      drain: () => events.drained(),
      error: (_, error) => events.failed(error),
    },
  });
  return {
    local: { address: socket.address.address, port: socket.port },
    send: (data, to) => socket.send(data, to.port, to.address),
    close: () => socket.close(),
  };
}
