/**
 * Test support: a thread that swaps a directory for a link out of it and back, as fast as it can.
 */
import { renameSync } from "node:fs";
import { join } from "node:path";

declare const self: Worker;

self.onmessage = ({ data }: MessageEvent<string>) => {
  self.postMessage("swapping");
  const swapped = join(data, "swapped");
  for (;;) {
    for (const name of ["real", "false"]) {
      renameSync(join(data, name), swapped);
      renameSync(swapped, join(data, name));
    }
  }
};
