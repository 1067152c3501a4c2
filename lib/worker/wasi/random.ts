/**
 * `wasi:random`: all of it, the insecure part too, from the system's generator. The guest's side of the trust boundary.
 *
 * Source: wasi:random 0.2, wit/random.wit, wit/insecure.wit, wit/insecure-seed.wit.
 */
import type { Host, Interface, InterfaceFactory } from "./host.ts";

/** Most bytes that one call of `get-random-bytes` gives, 1 MiB. */
export const RANDOM_LIMIT: number = 1_048_576;

/** Most bytes that one `getRandomValues` gives. Source: W3C Web Cryptography §10.1.1. */
const SYSTEM_LIMIT = 65_536;

/** The interfaces of `wasi:random`, by name without version. */
export const RANDOM_INTERFACES: readonly (readonly [name: string, create: InterfaceFactory])[] = [
  ["wasi:random/random", createRandom],
  ["wasi:random/insecure", createInsecure],
  ["wasi:random/insecure-seed", createInsecureSeed],
];

function createRandom(host: Host): Interface {
  return {
    /**
     * Gives random bytes. Traps above {@link RANDOM_LIMIT}: the function has no error to return, and may not return fewer.
     *
     * Source: wit/random.wit `get-random-bytes`: "must produce data at least as cryptographically secure and fast as an
     * adequately seeded cryptographically-secure pseudo-random number generator".
     */
    getRandomBytes: (len: unknown): Uint8Array => takeBytes(host, len, "wasi:random/random get-random-bytes"),

    /** Gives 64 random bits. Source: wit/random.wit `get-random-u64`: "the same type of random data as get-random-bytes". */
    getRandomU64: (): bigint => takeWords(host)[0],
  };
}

function createInsecure(host: Host): Interface {
  return {
    /** Gives random bytes. Traps above {@link RANDOM_LIMIT}. Source: wit/insecure.wit `get-insecure-random-bytes`. */
    getInsecureRandomBytes: (len: unknown): Uint8Array =>
      takeBytes(host, len, "wasi:random/insecure get-insecure-random-bytes"),

    /** Gives 64 random bits. Source: wit/insecure.wit `get-insecure-random-u64`. */
    getInsecureRandomU64: (): bigint => takeWords(host)[0],
  };
}

function createInsecureSeed(host: Host): Interface {
  return {
    /** Gives 128 random bits. Source: wit/insecure-seed.wit `insecure-seed`: "Return a 128-bit value". */
    insecureSeed: (): [bigint, bigint] => takeWords(host),
  };
}

function takeBytes(host: Host, len: unknown, name: string): Uint8Array {
  host.context.enter();
  const wanted = host.takeU64(len, name);
  if (wanted > BigInt(RANDOM_LIMIT)) {
    return host.context.trap(`it asked for ${wanted} random bytes at once, the limit is ${RANDOM_LIMIT}`);
  }
  const bytes = new Uint8Array(Number(wanted));
  for (let start = 0; start < bytes.length; start += SYSTEM_LIMIT) {
    crypto.getRandomValues(bytes.subarray(start, start + SYSTEM_LIMIT));
  }
  return bytes;
}

function takeWords(host: Host): [bigint, bigint] {
  host.context.enter();
  const [low = 0n, high = 0n] = crypto.getRandomValues(new BigUint64Array(2));
  return [low, high];
}
