import { describe, expect, test } from "bun:test";
import { wordsOf } from "../../lib/cli/capability-words.ts";

describe("wordsOf()", () => {
  test.each([
    ["net:api.a.com", "medium", "send requests to api.a.com"],
    ["net:http://a.com/v1", "medium", "send requests to a.com, below /v1, without encryption"],
    ["net:a.com:8443", "medium", "send requests to a.com, port 8443"],
    ["net:*", "high", "send requests to any public host: it can send what it gets to anybody"],
    ["net:https://*:8443", "high", "send requests to any public host, port 8443: it can send what it gets to anybody"],
    ["net:*.a.com", "medium", "send requests to every host below a.com"],
    ["net:*.com", "high", "send requests to every host below com"],
    ["net:localhost:3000", "high", "send requests to localhost, port 3000: this machine or your own network"],
    ["net:10.0.0.1", "high", "send requests to 10.0.0.1: this machine or your own network"],
    ["net:169.254.169.254", "high", "send requests to 169.254.169.254: this machine or your own network"],
    ["net:[::1]", "high", "send requests to [::1]: this machine or your own network"],
    ["net:8.8.8.8", "medium", "send requests to 8.8.8.8"],
    [
      "net:xn--pi-6kc.github.com",
      "high",
      "send requests to xn--pi-6kc.github.com (a name in another script: look twice)",
    ],
    ["net:tcp://db.a.com:5432", "medium", "connect by tcp to db.a.com, port 5432"],
    ["listen:tcp://127.0.0.1:80", "high", "take connections from other programs"],
    ["env:HOME", "medium", "read the variable HOME"],
    ["env:GITHUB_TOKEN", "high", "read the variable GITHUB_TOKEN, which looks like a secret"],
    ["env:aws_secret", "high", "read the variable aws_secret, which looks like a secret"],
    ["fs:sandbox", "low", "keep files in a directory of its own, up to 64 MiB"],
    ["fs:read-only", "medium", "read files in directories that you name with kami grant --mount"],
    ["fs:/data", "medium", "use a directory of yours"],
    ["elicitation:form", "medium", "ask you questions in forms, and read your answers"],
    ["clock:fine", "medium", "measure time finer than a millisecond, which helps to spy on other programs"],
  ] as const)("says of %s: %s risk", (name, risk, words) => {
    expect(wordsOf(name)).toEqual({ words, risk });
  });
});
