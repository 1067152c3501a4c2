import { describe, expect, test } from "bun:test";
import { commandFor } from "../../lib/policy/advice.ts";
import type { CapabilityRequest } from "../../lib/policy/effective.ts";

const request: CapabilityRequest = {
  netAllowList: ["api.a.com", "*.b.com", "*", "localhost:3000"],
  fsAccess: "sandbox",
  envAllowList: ["KEY"],
  elicitation: "none",
};

describe("commandFor()", () => {
  test.each([
    ["net:https://api.a.com", "kami grant x.y net:api.a.com", "as the user was shown it"],
    ["net:https://www.b.com", "kami grant x.y 'net:*.b.com'", "a wildcard, quoted"],
    ["net:https://c.com", "kami grant x.y net:https://c.com", "the least of what is asked as every host"],
    ["net:http://localhost:3000", "kami grant x.y net:localhost:3000", "what is named literally"],
    ["net:http://localhost:4000", undefined, "what nobody asked for: * does not stand for it"],
    ["net:http://169.254.169.254", undefined, "a metadata service"],
    ["net:tcp://c.com:5432", undefined, "a socket where only http is asked for"],
    ["fs:sandbox", "kami grant x.y fs:sandbox", "files of its own"],
    ["fs:/data", "kami grant x.y --mount <directory>:/data:ro", "a directory"],
    ["fs:/data;reboot", undefined, "a path that is none"],
    ["env:KEY", "kami grant x.y env:KEY", "a variable"],
    ["env:HOME", undefined, "a variable that is not asked for"],
    ["env:KEY;reboot", undefined, "a name that is none"],
    ["net:a.com; rm -rf ~", undefined, "a command in place of a name"],
    ["net:a.com\u001b[2J", undefined, "what steers a terminal"],
    ["net:$(reboot).b.com", undefined, "a substitution"],
    ["clock:fine", "kami grant x.y clock:fine", "the user's own word"],
    ["listen:tcp://127.0.0.1:80", "kami grant x.y listen:tcp://127.0.0.1:80", "a port"],
    ["wasi:http/types", undefined, "no capability"],
    ["", undefined, "nothing"],
  ])("of %p is %p: %s", (capability, command) => {
    expect(commandFor({ id: "x.y", request }, capability)).toBe(command);
  });
});
