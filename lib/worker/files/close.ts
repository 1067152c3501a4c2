/**
 * Closes descriptors. The guest's side of the trust boundary.
 */
import { closeSync } from "node:fs";

/**
 * Closes a descriptor.
 *
 * What a network's filesystem says then about bytes that it could not write is not told: the descriptor is closed in any case, and who wants to know
 * asks with `sync` before.
 *
 * Source: close(2), "Dealing with error returns from close()".
 */
export function closeDescriptor(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // See above.
  }
}
