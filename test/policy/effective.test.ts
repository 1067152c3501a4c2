import { describe, expect, test } from "bun:test";
import { formatNetworkRule } from "../../lib/network-rule.ts";
import { type Capability, parseCapability } from "../../lib/policy/capability.ts";
import { type CapabilityRequest, effectivePolicy, isIdle, requestNames, weigh } from "../../lib/policy/effective.ts";
import { DENY_ALL } from "../../lib/policy/policy.ts";

const NOTHING: CapabilityRequest = { netAllowList: [], fsAccess: "none", envAllowList: [], elicitation: "none" };
const MOUNT: Capability = { kind: "mount", guestPath: "/data", hostPath: "/srv/data", access: "read-write" };
const SURROUNDINGS = {
  sandboxPath: "/home/kami/sandboxes/a.b",
  environment: new Map([
    ["A", "1"],
    ["B", "2"],
    ["C", ""],
  ]),
};

function grantsOf(...names: readonly string[]): readonly Capability[] {
  return names.map((name) => {
    const parsed = parseCapability(name);
    if (!parsed.ok) throw new Error(`${name} ${parsed.problem}`);
    return parsed.capability;
  });
}

describe("weigh()", () => {
  test.each([
    { asks: [], grants: [], network: [], missing: [], idle: [], why: "nothing" },
    { asks: ["a.com"], grants: [], network: [], missing: ["net:a.com"], idle: [], why: "a request is no grant" },
    { asks: [], grants: ["net:a.com"], network: [], missing: [], idle: ["net:a.com"], why: "a grant is no request" },
    { asks: ["a.com"], grants: ["net:a.com"], network: ["a.com"], missing: [], idle: [], why: "both" },
    {
      asks: ["*"],
      grants: ["net:a.com"],
      network: ["a.com"],
      missing: ["net:*"],
      idle: [],
      why: "a grant that is narrower",
    },
    {
      asks: ["https://a.com/v1"],
      grants: ["net:*"],
      network: ["https://a.com/v1"],
      missing: [],
      idle: [],
      why: "a grant that is wider",
    },
    {
      asks: ["a.com"],
      grants: ["net:https://a.com"],
      network: ["https://a.com"],
      missing: ["net:a.com"],
      idle: [],
      why: "a part",
    },
    {
      asks: ["*"],
      grants: ["net:localhost"],
      network: [],
      missing: ["net:*"],
      idle: ["net:localhost"],
      why: "localhost, which nobody named",
    },
    {
      asks: ["localhost"],
      grants: ["net:*"],
      network: [],
      missing: ["net:localhost"],
      idle: ["net:*"],
      why: "localhost, by a wildcard",
    },
    {
      asks: ["localhost"],
      grants: ["net:localhost"],
      network: ["localhost"],
      missing: [],
      idle: [],
      why: "localhost, by name",
    },
    {
      asks: ["a.com", "A.com", "*.com"],
      grants: ["net:a.com"],
      network: ["a.com"],
      missing: ["net:*.com"],
      idle: [],
      why: "what is asked for twice",
    },
  ])("$why", ({ asks, grants, network, missing, idle }) => {
    const weighed = weigh({ ...NOTHING, netAllowList: asks }, grantsOf(...grants));
    expect([weighed.network.map(formatNetworkRule), weighed.missing, weighed.idle]).toEqual([network, missing, idle]);
  });

  test("gives variables that are asked for and granted, in the order of the request", () => {
    const weighed = weigh({ ...NOTHING, envAllowList: ["B", "A", "B", "D"] }, grantsOf("env:A", "env:B", "env:C"));
    expect([weighed.environment, weighed.missing, weighed.idle]).toEqual([["B", "A"], ["env:D"], ["env:C"]]);
    expect(effectivePolicy(weighed, SURROUNDINGS).environment).toEqual([
      ["B", "2"],
      ["A", "1"],
    ]);
  });

  test("leaves out variables that the host does not have: not even their absence is told by an empty value", () => {
    const weighed = weigh({ ...NOTHING, envAllowList: ["C", "D"] }, grantsOf("env:C", "env:D"));
    expect(effectivePolicy(weighed, SURROUNDINGS).environment).toEqual([["C", ""]]);
  });

  test.each([
    { fsAccess: "none", grants: ["fs:sandbox"], has: false, missing: [], idle: ["fs:sandbox"] },
    { fsAccess: "read-only", grants: ["fs:sandbox"], has: false, missing: ["fs:read-only"], idle: ["fs:sandbox"] },
    { fsAccess: "sandbox", grants: [], has: false, missing: ["fs:sandbox"], idle: [] },
    { fsAccess: "sandbox", grants: ["fs:sandbox"], has: true, missing: [], idle: [] },
  ] as const)("fs_access $fsAccess with $grants: $has", ({ fsAccess, grants, has, missing, idle }) => {
    const weighed = weigh({ ...NOTHING, fsAccess }, grantsOf(...grants));
    expect([weighed.hasSandbox, weighed.missing, weighed.idle]).toEqual([has, [...missing], [...idle]]);
  });

  test("gives a directory of the user's without a request, and to a tool that only reads only to read", () => {
    const accessFor = (fsAccess: CapabilityRequest["fsAccess"]): unknown =>
      weigh({ ...NOTHING, fsAccess }, [MOUNT]).mounts;
    const mount = { guestPath: "/data", hostPath: "/srv/data", quota: undefined };
    expect(accessFor("none")).toEqual([{ ...mount, access: "read-write" }]);
    expect(accessFor("sandbox")).toEqual([{ ...mount, access: "read-write" }]);
    expect(accessFor("read-only")).toEqual([{ ...mount, access: "read-only" }]);
    expect(weigh({ ...NOTHING, fsAccess: "read-only" }, [MOUNT]).missing).toEqual([]);
  });
});

describe("effectivePolicy()", () => {
  test("is nothing when nothing is granted, whatever is asked for", () => {
    const everything: CapabilityRequest = {
      netAllowList: ["*", "localhost"],
      fsAccess: "sandbox",
      envAllowList: ["A"],
      elicitation: "none",
    };
    expect(effectivePolicy(weigh(everything, []), SURROUNDINGS)).toEqual({ ...DENY_ALL });
  });

  test("is nothing when nothing is asked for, but for what is the user's own word", () => {
    const grants = grantsOf("net:*", "env:A", "fs:sandbox", "clock:fine", "listen:tcp://127.0.0.1:80");
    const policy = effectivePolicy(weigh(NOTHING, grants), SURROUNDINGS);
    expect({ ...policy, listen: policy.listen.map(formatNetworkRule) }).toEqual({
      ...DENY_ALL,
      listen: ["tcp://127.0.0.1:80"],
      clockTickNs: 1,
    });
  });

  test("puts the tool's own directory before those of the user, under its quota", () => {
    const { mounts } = effectivePolicy(
      weigh({ ...NOTHING, fsAccess: "sandbox" }, [MOUNT, ...grantsOf("fs:sandbox")]),
      SURROUNDINGS,
    );
    expect(mounts).toEqual([
      {
        guestPath: "/sandbox",
        hostPath: "/home/kami/sandboxes/a.b",
        access: "read-write",
        quota: { bytes: 67_108_864, files: 10_000 },
      },
      { guestPath: "/data", hostPath: "/srv/data", access: "read-write", quota: undefined },
    ]);
  });

  test("names what is in effect, as it is granted", () => {
    const request: CapabilityRequest = {
      netAllowList: ["*"],
      fsAccess: "sandbox",
      envAllowList: ["A"],
      elicitation: "form",
    };
    const names = ["net:a.com", "fs:sandbox", "env:A", "clock:fine", "elicitation:form"];
    const grants = [...grantsOf(...names, "env:B"), MOUNT];
    expect(weigh(request, grants).granted).toEqual([...names.slice(0, 2), "fs:/data", ...names.slice(2)]);
    expect(requestNames(request)).toEqual(["net:*", "fs:sandbox", "env:A", "elicitation:form"]);
  });

  test.each([
    ["form", ["elicitation:form"], { hasElicitation: true, missing: [], idle: [] }],
    ["form", [], { hasElicitation: false, missing: ["elicitation:form"], idle: [] }],
    ["none", ["elicitation:form"], { hasElicitation: false, missing: [], idle: ["elicitation:form"] }],
  ] as const)(
    "lets a tool ask its user where it asks for that (%s) and was granted it (%o)",
    (elicitation, names, is) => {
      expect(weigh({ ...NOTHING, elicitation }, grantsOf(...names))).toMatchObject(is);
    },
  );

  test("weighs the most that there can be in a moment", () => {
    const netAllowList = Array.from({ length: 256 }, (_, at) => `*.a${at}.com/x`);
    const grants = grantsOf(...Array.from({ length: 512 }, (_, at) => `net:*.b.a${at}.com/x/y`));
    const startedAt = performance.now();
    expect(weigh({ ...NOTHING, netAllowList }, grants).network).toHaveLength(256);
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });
});

describe("isIdle()", () => {
  test.each([
    ["net:a.com", true],
    ["env:A", true],
    ["fs:sandbox", true],
    ["clock:fine", false],
    ["elicitation:form", true],
    ["listen:udp://127.0.0.1:53", false],
  ])("%s for a tool that asks for nothing: %p", (name, idle) => {
    expect(grantsOf(name).map((grant) => isIdle(grant, NOTHING))).toEqual([idle]);
  });
});
