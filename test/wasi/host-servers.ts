/**
 * Test support: the servers that the conformance guest talks to, on this machine only, and what they saw.
 */
import type { Socket, TCPSocketListener } from "bun";

/** Servers that are running. */
export interface Servers extends AsyncDisposable {
  /** `127.0.0.1:port` of the HTTP server. */
  readonly authority: string;
  /** Answers every request with a body that breaks off. */
  readonly cutAuthority: string;
  /** Echoes what it gets over TCP. */
  readonly tcpPort: number;
  /** Echoes what it gets over UDP. */
  readonly udpPort: number;
  /** Nobody listens there. */
  readonly closedPort: number;
  /** May be listened on. */
  readonly freePort: number;
  /** What was asked of the servers so far: connections, requests and datagrams. */
  readonly seen: { count: number };
}

/** Starts them. */
export async function startServers(): Promise<Servers> {
  const seen = { count: 0 };
  const http = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    fetch: (request) => (seen.count++, answer(request)),
  });
  const tcp = Bun.listen<{ left: Uint8Array[] }>({
    port: 0,
    hostname: "127.0.0.1",
    allowHalfOpen: true,
    socket: {
      open: (socket) => {
        seen.count++;
        socket.data = { left: [] };
      },
      data: (socket, bytes) => push(socket, Uint8Array.from(bytes)),
      drain: (socket) => push(socket),
      end: (socket) => {
        if (socket.data.left.length === 0) socket.end();
      },
    },
  });
  const udp = await Bun.udpSocket({
    hostname: "127.0.0.1",
    socket: {
      data: (socket, bytes, ...[port, address]) => {
        seen.count++;
        socket.send(bytes, port, address);
      },
    },
  });
  const cut = serveCut();
  return {
    cutAuthority: `127.0.0.1:${cut.port}`,
    authority: `127.0.0.1:${http.port}`,
    tcpPort: tcp.port,
    udpPort: udp.port,
    closedPort: takePort(),
    freePort: takePort(),
    seen,
    async [Symbol.asyncDispose](): Promise<void> {
      await http.stop(true);
      tcp.stop(true);
      cut.stop(true);
      udp.close();
    },
  };
}

/** Finds a port that nobody listens on. */
function takePort(): number {
  const server = Bun.listen({ port: 0, hostname: "127.0.0.1", socket: { data: () => undefined } });
  const { port } = server;
  server.stop(true);
  return port;
}

function push(socket: Socket<{ left: Uint8Array[] }>, bytes?: Uint8Array): void {
  if (bytes !== undefined) socket.data.left.push(bytes);
  while (socket.data.left.length > 0) {
    const [next = new Uint8Array()] = socket.data.left;
    const written = socket.write(next);
    if (written < next.length) {
      socket.data.left[0] = next.subarray(written);
      return;
    }
    socket.data.left.shift();
  }
}

async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/hello" || pathname === "/") return new Response("hello", { headers: { "x-from": "server" } });
  if (pathname === "/echo") return new Response(await request.bytes());
  if (pathname === "/headers") return Response.json(Object.fromEntries(request.headers));
  if (pathname === "/big") return new Response(new Uint8Array(3_000_000));
  if (pathname === "/redirect")
    return new Response(null, { status: 302, headers: { location: "http://127.0.0.1:1/" } });
  if (pathname === "/never") return await new Promise<Response>(() => undefined);
  if (pathname.startsWith("/status/")) return new Response("", { status: Number(pathname.slice("/status/".length)) });
  if (pathname === "/slow") await Bun.sleep(100);
  return new Response("slow");
}

/** Serves one answer that breaks off: the length that it says, and less. */
function serveCut(): TCPSocketListener {
  return Bun.listen({
    port: 0,
    hostname: "127.0.0.1",
    socket: {
      data: (socket) => {
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\ncut");
        socket.end();
      },
    },
  });
}
