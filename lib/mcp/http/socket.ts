/**
 * The Unix socket of a server that was killed: it stays on the disk, answers nobody, and is in the way of the next server.
 */
import { lstatSync, rmSync } from "node:fs";
import { connect } from "node:net";

/**
 * Removes a socket that nobody listens on. One that somebody does, and anything that is no socket, is left alone.
 *
 * @param path - Absolute.
 */
export async function removeDeadSocket(path: string): Promise<void> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return;
  if (!(await isAnswered(path))) rmSync(path, { force: true });
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on("connect", () => settle(true));
    // A socket that may not be used is somebody's: it is not taken for a dead one.
    socket.on("error", (error) => settle(!("code" in error && error.code === "ECONNREFUSED")));
  });
}
