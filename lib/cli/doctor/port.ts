/**
 * Whether `kami serve --http` could listen where it does by default.
 */
import { createServer } from "node:net";
import { type Finding, good, odd } from "./finding.ts";

/** What `serve --http` listens on unless it is told otherwise. */
const DEFAULT_PORT = 3000;

/** Tries to listen for a moment. */
export async function checkPort(port: number = DEFAULT_PORT): Promise<Finding> {
  const server = createServer();
  const isFree = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => resolve(true));
  });
  server.close();
  if (isFree) return good("port", `port ${port} is free for kami serve --http`);
  return odd("port", `port ${port} is in use, maybe by KAMI itself`, "choose another: kami serve --http --port <port>");
}
