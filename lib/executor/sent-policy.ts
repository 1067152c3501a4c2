/**
 * What a call may touch, as an executor process reads it from the pipe. The host that sent it is trusted; what cannot be read exactly is
 * not guessed at: a call never runs under a policy that is not the one that was decided.
 */
import * as v from "valibot";
import type { NetworkRule } from "../network-rule.ts";
import type { Mount, Policy } from "../policy/policy.ts";

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const RuleSchema = v.pipe(
  v.strictObject({
    scheme: v.optional(v.picklist(["https", "http", "tcp", "udp"])),
    covers: v.picklist(["host", "subdomains", "any"]),
    host: v.pipe(v.string(), v.minLength(1)),
    port: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535))),
    pathPrefix: v.optional(v.pipe(v.string(), v.startsWith("/"))),
  }),
  // JSON leaves out what is undefined.
  v.transform(({ scheme, covers, host, port, pathPrefix }): NetworkRule => ({
    scheme,
    covers,
    host,
    port,
    pathPrefix,
  })),
);
const MountSchema = v.pipe(
  v.strictObject({
    guestPath: v.pipe(v.string(), v.startsWith("/")),
    hostPath: v.pipe(v.string(), v.minLength(1)),
    access: v.picklist(["read-only", "read-write"]),
    quota: v.optional(v.strictObject({ bytes: Count, files: Count })),
  }),
  v.transform(({ guestPath, hostPath, access, quota }): Mount => ({ guestPath, hostPath, access, quota })),
);
const PolicySchema = v.strictObject({
  network: v.array(RuleSchema),
  listen: v.array(RuleSchema),
  mounts: v.array(MountSchema),
  environment: v.array(v.strictTuple([v.string(), v.string()])),
  clockTickNs: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
});

/**
 * Reads a policy that was sent.
 *
 * @throws {Error} when it is none: nothing runs then.
 */
export function parsePolicy(input: unknown): Policy {
  const parsed = v.safeParse(PolicySchema, input);
  if (!parsed.success) throw new Error("BUG: the policy of a call cannot be read");
  return parsed.output;
}
