/**
 * `wasi:random`: all of it, the insecure part too, from the system's generator. The guest's side of the trust boundary.
 *
 * Source: wasi:random 0.2, wit/random.wit, wit/insecure.wit, wit/insecure-seed.wit.
 */
import { define } from "../../component/link/host.ts";
import { bytes, tuple, u64 } from "../../schema/value-type.ts";
import { type Host, serve, type WasiInterface } from "./host.ts";

/** Most bytes that one call of `get-random-bytes` gives, 1 MiB. */
export const RANDOM_LIMIT: number = 1_048_576;

/** Most bytes that one `getRandomValues` gives. Source: W3C Web Cryptography §10.1.1. */
const SYSTEM_LIMIT = 65_536;

/** The interfaces of `wasi:random`. */
export const RANDOM: readonly WasiInterface[] = [
  serve("wasi:random/random", {
    /**
     * Gives random bytes. Traps above {@link RANDOM_LIMIT}: the function has no error to return, and may not return fewer.
     *
     * Source: wit/random.wit `get-random-bytes`: "must produce data at least as cryptographically secure and fast as an adequately seeded
     * cryptographically-secure pseudo-random number generator".
     */
    "get-random-bytes": define([{ len: u64 }, bytes], takeBytes),

    /** Gives 64 random bits. Source: wit/random.wit `get-random-u64`: "the same type of random data as get-random-bytes". */
    "get-random-u64": define([{}, u64], () => takeWords()[0]),
  }),
  serve("wasi:random/insecure", {
    /** Gives random bytes. Traps above {@link RANDOM_LIMIT}. Source: wit/insecure.wit `get-insecure-random-bytes`. */
    "get-insecure-random-bytes": define([{ len: u64 }, bytes], takeBytes),

    /** Gives 64 random bits. Source: wit/insecure.wit `get-insecure-random-u64`. */
    "get-insecure-random-u64": define([{}, u64], () => takeWords()[0]),
  }),
  serve("wasi:random/insecure-seed", {
    /** Gives 128 random bits. Source: wit/insecure-seed.wit `insecure-seed`: "Return a 128-bit value". */
    "insecure-seed": define([{}, tuple(u64, u64)], takeWords),
  }),
];

function takeBytes(host: Host, length: bigint): Uint8Array {
  if (length > BigInt(RANDOM_LIMIT))
    return host.context.trap(`it asked for ${length} random bytes at once, the limit is ${RANDOM_LIMIT}`);
  const made = new Uint8Array(Number(length));
  for (let start = 0; start < made.length; start += SYSTEM_LIMIT) {
    crypto.getRandomValues(made.subarray(start, start + SYSTEM_LIMIT));
  }
  return made;
}

function takeWords(): [bigint, bigint] {
  const [low = 0n, high = 0n] = crypto.getRandomValues(new BigUint64Array(2));
  return [low, high];
}
