import { describe, expect, test } from "bun:test";
import { parsePolicy } from "../../lib/executor/sent-policy.ts";
import { DENY_ALL } from "../../lib/policy/policy.ts";
import { POLICY } from "./support/policy.ts";

const sent = (policy: object): unknown => JSON.parse(JSON.stringify(policy));
const [rule] = POLICY.network;
const [mount] = POLICY.mounts;

describe("parsePolicy()", () => {
  test.each([
    { policy: DENY_ALL, why: "nothing granted" },
    { policy: POLICY, why: "something of everything, with what JSON leaves out" },
  ])("gives back $why", ({ policy }) => {
    expect(parsePolicy(sent(policy))).toStrictEqual({ ...policy });
  });

  test.each([
    { input: undefined, why: "no policy" },
    { input: null, why: "null" },
    { input: {}, why: "an empty one: what is not said is not guessed" },
    { input: { ...DENY_ALL, network: undefined }, why: "a part that is missing" },
    { input: { ...DENY_ALL, more: [] }, why: "a part that it does not know" },
    {
      input: { ...DENY_ALL, network: [{ ...rule, covers: "everything" }] },
      why: "a rule that covers what it does not know",
    },
    { input: { ...DENY_ALL, network: [{ ...rule, scheme: "ftp" }] }, why: "a scheme that it does not know" },
    { input: { ...DENY_ALL, network: [{ ...rule, port: 65_536 }] }, why: "a port over the limit" },
    { input: { ...DENY_ALL, network: [{ ...rule, path: "/x" }] }, why: "a rule that says more than it knows" },
    { input: { ...DENY_ALL, network: ["*"] }, why: "a rule that is text" },
    { input: { ...DENY_ALL, mounts: [{ ...mount, access: "all" }] }, why: "an access that it does not know" },
    { input: { ...DENY_ALL, mounts: [{ ...mount, quota: { bytes: 1 } }] }, why: "half a quota" },
    { input: { ...DENY_ALL, mounts: [{ ...mount, quota: { bytes: -1, files: 1 } }] }, why: "a quota below 0" },
    { input: { ...DENY_ALL, mounts: [{ ...mount, guestPath: "data" }] }, why: "a relative path" },
    { input: { ...DENY_ALL, environment: [["A"]] }, why: "a variable without a value" },
    { input: { ...DENY_ALL, environment: { A: "b" } }, why: "variables that are no list" },
    { input: { ...DENY_ALL, clockTickNs: 0 }, why: "a clock without a tick" },
  ])("throws for $why", ({ input }) => {
    expect(() => parsePolicy(input)).toThrow("BUG: the policy of a call cannot be read");
  });
});
