import { describe, expect, test } from "bun:test";
import { matchTemplate, mayOverlap, parseTemplate, resourceUri, templateUri } from "../../lib/manifest/uri.ts";

const RULE = "must be scheme://… in plain ASCII";

describe("resourceUri()", () => {
  test.each(["test://static-text", "notes://a/b/c.txt?x=1&y=(2)", "x+y.z-1://~", "a://b:1/c@d"])("takes %s", (uri) => {
    expect(resourceUri(uri)).toBeUndefined();
  });

  test.each([
    ["file:///etc/passwd", 'must not have the scheme "file"', "a client opens it"],
    ["https://evil.example/a", 'must not have the scheme "https"', "a client fetches it"],
    ["kami://tool/a.b/readme", 'must not have the scheme "kami"', "KAMI's own"],
    ["kami-x://a", 'must not have the scheme "kami-x"', "looks like KAMI's own"],
    ["ui://a", 'must not have the scheme "ui"', "a client runs it"],
    ["search-ms://query=x", 'must not have the scheme "search-ms"', "a system's: it opens a folder of somebody else's"],
    ["ms-officecmd://x", 'must not have the scheme "ms-officecmd"', "a system's: it starts programs"],
    ["vscode-insiders://x", 'must not have the scheme "vscode-insiders"', "an editor's: it installs extensions"],
    ["cursor://x", 'must not have the scheme "cursor"', "an editor's"],
    ["itms-services://x", 'must not have the scheme "itms-services"', "a system's: it installs programs"],
    ["skill://a", 'must not have the scheme "skill"', "a client follows it"],
    ["javascript://a/%0aalert()", RULE, "a browser runs it"],
    ["javascript://a", 'must not have the scheme "javascript"', "a browser runs it"],
    ["FILE:///etc/passwd", RULE, "the same in capitals"],
    ["Test://a", RULE, "not the one way to write it"],
    ["test:a", RULE, "no //"],
    ["test://", RULE, "nothing"],
    ["test://a/../b", RULE, "clients make it test://b"],
    ["test://a/.", RULE, "clients make it test://a/"],
    ["test://a/..?b", RULE, "the same with a query"],
    ["test://%61", RULE, "another way to write test://a"],
    ["test://a#b", RULE, "clients keep fragments to themselves"],
    ["test://a b", RULE, "a space"],
    ["test://a\u001b[2J", RULE, "steers a terminal"],
    ["test://\u0430", RULE, "a Cyrillic letter"],
    ["test://a\n", RULE, "a line end"],
    ["test://{a}", RULE, "a template"],
  ])("refuses %j: %s (%s)", (uri, rule) => {
    expect(resourceUri(uri)).toStartWith(rule);
  });
});

describe("templateUri()", () => {
  test.each(["test://template/{id}/data", "a://b/{x}", "a://b/{x}/{y}?z={z}"])("takes %s", (text) => {
    expect(templateUri(text)).toBeUndefined();
  });

  test.each([
    ["test://a", "must have a place for a variable", "none"],
    ["test://{id}", "must begin with a scheme and a name", "would be for all of the scheme"],
    ["{scheme}://a", "must begin with a scheme and a name", "would be for every URI"],
    ["file:///{path}", 'must not have the scheme "file"', "hostile"],
    ["a://b/{+path}", "must have plain variables", "reserved expansion reaches over /"],
    ["a://b/{x*}", "must have plain variables", "explodes"],
    ["a://b/{__proto__}", "must have plain variables", "the prototype"],
    ["a://b/{x}{y}", 'must have a "/" or another such character', "no end of x"],
    ["a://b/{x}y/z", 'must have a "/" or another such character', "no end of x"],
    ["a://b/{x}/{x}", "must have each variable once", "two values"],
    ["a://b/{x", "must have a place for a variable", "no end"],
    ["a://b/{x}/}", RULE, "an end too many"],
    ["a://b/{x}/../c", RULE, "a way out"],
  ])("refuses %j: %s (%s)", (text, rule) => {
    expect(templateUri(text)).toStartWith(rule);
  });
});

function match(template: string, uri: string): object | undefined {
  const values = matchTemplate(parseTemplate(template), uri);
  return values && Object.fromEntries(values);
}

describe("matchTemplate()", () => {
  test.each([
    ["t://a/{id}/data", "t://a/123/data", { id: "123" }],
    ["t://a/{id}", "t://a/b%2F..%2Fc%20", { id: "b/../c " }],
    ["t://a/{x}?y={y}", "t://a/1?y=2", { x: "1", y: "2" }],
    ["t://a/{id}/data", "t://a//data", undefined],
    ["t://a/{id}/data", "t://a/1/2/data", undefined],
    ["t://a/{id}/data", "t://a/1/data/", undefined],
    ["t://a/{id}/data", "t://A/1/data", undefined],
    ["t://a/{id}", "t://a/%", undefined],
    ["t://a/{id}", "t://a/%ff", undefined],
    ["t://a/{id}", "t://a/b c", undefined],
    ["t://a/{id}", `t://a/${"b".repeat(8192)}`, undefined],
  ])("%s, given %s", (template, uri, values) => {
    expect(match(template, uri)).toEqual(values);
  });
});

describe("mayOverlap()", () => {
  test.each([
    ["t://a/b", "t://a/b", true],
    ["t://a/b", "t://A/B", true],
    ["t://a/b", "t://a/b/", false],
    ["t://a/{x}", "t://a/b", true],
    ["t://a/{x}", "t://a/b/c", false],
    ["t://a/{x}", "t://b/{x}", false],
    ["t://a/{x}/c", "t://a/b/{y}", true],
    ["t://a/{x}/c", "t://a/{x}/d", false],
    ["t://a/p-{x}", "t://a/q-{x}", false],
    ["t://a/p-{x}", "t://a/p-q-{x}", true],
    ["t://a/p-{x}", "t://a/p-", false],
    ["t://a/p-{x}", "t://a/p-1", true],
    ["t://a/p-{x}", "t://a/{x}", true],
  ])("%s and %s: %s", (left, right, isBoth) => {
    expect([mayOverlap(left, right), mayOverlap(right, left)]).toEqual([isBoth, isBoth]);
  });
});
