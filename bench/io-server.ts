/**
 * The server of the `io` suite, in a process of its own: it answers after a while, and tells its port on stdout.
 */
const server: ReturnType<typeof Bun.serve> = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  idleTimeout: 0,
  fetch: async (request) => {
    await Bun.sleep(Number(new URL(request.url).searchParams.get("ms") ?? 100));
    return new Response("done");
  },
});
console.log(server.port);
