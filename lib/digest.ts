/**
 * The digest that names packages, components and artifacts.
 */

/** Computes the SHA-256 of bytes, or of a text's UTF-8, in lower-case hex. */
export function digestOf(bytes: Uint8Array | string): string {
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
}
