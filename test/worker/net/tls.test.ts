/**
 * Whether TLS is verified for the name of the URI, whatever address it is pinned to, with an authority of the tests' own.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { failureOf, fetchWhole } from "./http-guest.ts";
import { TestCall } from "./support.ts";

const directory = join(import.meta.dir, "certificates");
const certificates = await Bun.file(join(directory, "authority.pem")).text();
const opened: Disposable[] = [];

function serve(name: string, hostname = "127.0.0.1"): { readonly port: number; readonly requests: string[] } {
  const requests: string[] = [];
  const server = Bun.serve({
    hostname,
    port: 0,
    tls: { key: Bun.file(join(directory, `${name}.key`)), cert: Bun.file(join(directory, `${name}.pem`)) },
    fetch: (incoming) => {
      requests.push(incoming.url);
      return new Response(`hello ${incoming.headers.get("host")}`);
    },
  });
  opened.push({ [Symbol.dispose]: () => void server.stop(true) });
  return { port: server.port ?? 0, requests };
}

function callTo(port: number, trusted: string | undefined): TestCall {
  return new TestCall(["https://good.test", "https://bad.test"], {
    names: { "good.test": ["93.184.215.14"], "bad.test": ["93.184.215.14"] },
    routes: { "93.184.215.14:443": port },
    ...(trusted === undefined ? {} : { certificates: trusted }),
  });
}

afterAll(() => {
  for (const each of opened) each[Symbol.dispose]();
});

describe("TLS", () => {
  test("is pinned to the address that was checked, and verified for the name", async () => {
    const { port, requests } = serve("good");
    using call = callTo(port, certificates);
    expect((await fetchWhole(call, "https://good.test/path")).body).toBe("hello good.test");
    expect(call.attempts).toEqual(["93.184.215.14:443"]);
    expect(requests).toEqual(["https://good.test/path"]);
  });

  test("sends the name (SNI) and offers HTTP/1.1 alone", async () => {
    const hellos: string[] = [];
    using server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data: (socket, bytes) => {
          hellos.push(bytes.toString("latin1"));
          socket.end();
        },
      },
    });
    using call = callTo(server.port, certificates);
    await failureOf(fetchWhole(call, "https://good.test/"));
    expect(hellos[0]).toContain("\x00\x09good.test");
    expect(hellos[0]).toContain("\x00\x09\x08http/1.1");
  });

  test.each([
    { why: "another name than the certificate's", name: "good", url: "https://bad.test/", trusted: certificates },
    { why: "a certificate that signed itself", name: "self-signed", url: "https://good.test/", trusted: certificates },
    { why: "a certificate that has expired", name: "expired", url: "https://good.test/", trusted: certificates },
    { why: "an authority that nobody trusts", name: "good", url: "https://good.test/", trusted: undefined },
  ])("fails for $why, and no request is sent", async ({ name, url, trusted }) => {
    const { port, requests } = serve(name);
    using call = callTo(port, trusted);
    expect(await failureOf(fetchWhole(call, url))).toEqual({ tag: "TLS-certificate-error" });
    expect(requests).toEqual([]);
  });

  test("is verified for an address where the URI names one", async () => {
    const right = serve("good");
    const wrong = serve("good", "127.0.0.2");
    const targets = [`https://127.0.0.1:${right.port}`, `https://127.0.0.2:${wrong.port}`];
    using call = new TestCall(targets, { certificates });
    expect((await fetchWhole(call, `https://127.0.0.1:${right.port}/`)).status).toBe(200);
    expect(await failureOf(fetchWhole(call, `https://127.0.0.2:${wrong.port}/`))).toEqual({
      tag: "TLS-certificate-error",
    });
    expect(wrong.requests).toEqual([]);
  });

  test("to a server that speaks none fails", async () => {
    using server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { data: (socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n") },
    });
    using call = callTo(server.port, certificates);
    expect(await failureOf(fetchWhole(call, "https://good.test/"))).toEqual({ tag: "TLS-protocol-error" });
  });

  test.each([
    [40, "handshake_failure"],
    [70, "protocol_version"],
    [112, "unrecognized_name"],
  ])("tells the alert %d that a server sends", async (id, name) => {
    using server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { data: (socket) => void socket.end(Uint8Array.of(0x15, 3, 3, 0, 2, 2, id)) },
    });
    using call = callTo(server.port, certificates);
    const value = [id, name];
    expect(await failureOf(fetchWhole(call, "https://good.test/"))).toEqual({ tag: "TLS-alert-received", value });
  });

  test("is not switched off, and no proxy taken, by the environment", async () => {
    const { port, requests } = serve("self-signed");
    const child = Bun.spawn(
      [process.execPath, new URL("environment-child.ts", import.meta.url).pathname, String(port)],
      {
        env: {
          NODE_TLS_REJECT_UNAUTHORIZED: "0",
          HTTPS_PROXY: "http://127.0.0.1:1",
          HTTP_PROXY: "http://127.0.0.1:1",
          ALL_PROXY: "http://127.0.0.1:1",
        },
        stderr: "inherit",
      },
    );
    expect(await new Response(child.stdout).json()).toEqual({ tag: "TLS-certificate-error" });
    expect(requests).toEqual([]);
  });
});
