/**
 * Test support: a policy that has something of everything.
 */
import type { Policy } from "../../../lib/policy/policy.ts";

/** Each kind of rule, mount and value once. */
export const POLICY: Policy = {
  network: [
    { scheme: undefined, covers: "subdomains", host: "example.com", port: undefined, pathPrefix: undefined },
    { scheme: "https", covers: "host", host: "[::1]", port: 8443, pathPrefix: "/v1" },
    { scheme: undefined, covers: "any", host: "*", port: undefined, pathPrefix: undefined },
  ],
  listen: [{ scheme: "tcp", covers: "host", host: "127.0.0.1", port: 65_535, pathPrefix: undefined }],
  mounts: [
    { guestPath: "/data", hostPath: "/srv/data", access: "read-only", quota: undefined },
    { guestPath: "/sandbox", hostPath: "/srv/x", access: "read-write", quota: { bytes: 67_108_864, files: 10_000 } },
  ],
  environment: [["API_KEY", "secret \u0000 \u{1f511}"]],
  clockTickNs: 1,
};
