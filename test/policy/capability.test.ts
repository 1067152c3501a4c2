import { describe, expect, test } from "bun:test";
import { grantCommand, nameOf, parseCapability, quoteWord } from "../../lib/policy/capability.ts";

describe("parseCapability()", () => {
  test.each([
    ["net:api.github.com", "net:api.github.com"],
    ["net:API.GitHub.com.", "net:api.github.com"],
    ["net:HTTPS://a.com:443/v1", "net:https://a.com:443/v1"],
    ["net:*.a.com", "net:*.a.com"],
    ["net:*", "net:*"],
    ["net:[0::1]", "net:[::1]"],
    ["net:tcp://a.com:5432", "net:tcp://a.com:5432"],
    ["listen:tcp://127.0.0.1:8080", "listen:tcp://127.0.0.1:8080"],
    ["env:API_KEY", "env:API_KEY"],
    ["fs:sandbox", "fs:sandbox"],
    ["clock:fine", "clock:fine"],
    ["elicitation:form", "elicitation:form"],
  ])("%s is %s", (text, name) => {
    const parsed = parseCapability(text);
    expect(parsed.ok && nameOf(parsed.capability)).toBe(name);
  });

  test.each([
    ["", /^must be one of net:/],
    ["net", /^must be one of net:/],
    ["NET:a.com", /^must be one of net:/],
    ["net:", /^must name a host$/],
    ["net:a.com@evil.com", /^must name a valid host or address$/],
    ["net:0x7f.1", /^must write this address as 127\.0\.0\.1$/],
    ["net:a.com\nnet:evil.com", /^must/],
    ["env:", /^must name a variable/],
    ["env:A-B", /^must name a variable/],
    ["env:A=B", /^must name a variable/],
    [`env:${"A".repeat(129)}`, /^must name a variable/],
    ["fs:read-only", /^needs a directory: --mount/],
    ["fs:/data", /^needs a directory: --mount/],
    ["fs:Sandbox", /^must be one of/],
    ["clock:finer", /^must be one of/],
    ["elicitation:url", /^must be one of/],
    ["listen:a.com", /^must name the address to listen on/],
    ["listen:tcp://*:80", /^must name the address to listen on/],
    ["listen:https://a.com", /^must name the address to listen on/],
    ["toString:x", /^must be one of/],
    ["__proto__", /^must be one of/],
  ])("refuses %p", (text, problem) => {
    const parsed = parseCapability(text);
    expect(parsed.ok ? "" : parsed.problem).toMatch(problem);
  });

  test("names a mount by where the guest sees it, never by where it is", () => {
    expect(nameOf({ kind: "mount", guestPath: "/data", hostPath: "/home/me/data", access: "read-only" })).toBe(
      "fs:/data",
    );
  });
});

describe("grantCommand()", () => {
  test("writes what can be pasted into a shell", () => {
    expect(grantCommand("dev.a.b", ["net:a.com", "net:*.a.com", "--all"])).toBe(
      "kami grant dev.a.b net:a.com 'net:*.a.com' --all",
    );
  });

  test.each(["net:[::1]", "net:*", "a b", "$(x)", "`x`", "a'b", "a;b", "a\nb", "!!", "~", ""])(
    "quotes %p so that a shell gives it back",
    (word) => {
      const { stdout } = Bun.spawnSync(["/bin/sh", "-c", `printf %s ${quoteWord(word)}`]);
      expect(stdout.toString()).toBe(word);
    },
  );
});
