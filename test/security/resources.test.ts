/**
 * Attack: a package whose resources lead an agent to what is not the package's, to what nobody sees, or to a call that nobody bounded.
 */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { chmodSync, cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { conformanceDirectory, guestPath } from "../../fixtures/paths.ts";
import { packProject } from "../../lib/author/pack.ts";
import { readProject } from "../../lib/author/project.ts";
import { readPackage } from "../../lib/registry/package.ts";
import { readZip } from "../../lib/zip/read.ts";
import { writeZip } from "../../lib/zip/write.ts";
import { told } from "../cli/support/failure.ts";
import { Conversation, type Message } from "../mcp/support/conversation.ts";
import { TestRuntime } from "../support/runtime.ts";
import { TemporaryDirectory } from "../support/temporary.ts";

const LIMITS = { entries: 16, totalBytes: 1_048_576 };

const ID = "dev.kami.conformance.test-documents";

/** Copies the package of documents, changed: each pair of its manifest's text, and each of its files. */
function copyPackage(
  at: { readonly path: string },
  changes: readonly (readonly [string, string])[] = [],
  files: Readonly<Record<string, string | Uint8Array>> = {},
): string {
  const directory = join(at.path, `package-${Bun.hash(JSON.stringify([changes, Object.keys(files)]))}`);
  cpSync(conformanceDirectory("test-documents"), directory, { recursive: true });
  const path = join(directory, "tool.toml");
  const text = changes.reduce(
    (manifest, [from, to]) => {
      if (!manifest.includes(from)) throw new Error(`the fixture has no ${from}`);
      return manifest.replace(from, to);
    },
    readFileSync(path, "utf8"),
  );
  writeFileSync(path, text);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
  return directory;
}

/** Another package, with a single resource or template. */
function otherPackage(at: { readonly path: string }, table: string): string {
  const directory = join(at.path, `other-${Bun.hash(table)}`);
  cpSync(guestPath("upper"), join(directory, "tool.wasm"));
  const head =
    '[tool]\nid = "dev.evil.other"\nname = "other"\nversion = "1.0.0"\nwasm = "tool.wasm"\n[mcp]\ndescription = "d"\n';
  writeFileSync(join(directory, "tool.toml"), head + table);
  writeFileSync(join(directory, "a.txt"), "evil");
  return directory;
}

function resource(uri: string): string {
  return `[[mcp.resources]]\nuri = "${uri}"\nname = "n"\nmime_type = "text/plain"\nfile = "a.txt"\n`;
}

function template(uri: string): string {
  return `[[mcp.resource_templates]]\nuri_template = "${uri}"\nname = "n"\n`;
}

async function read(client: Conversation, uri: string): Promise<unknown> {
  const { result, error } = await client.ask("resources/read", { uri });
  return error ?? result?.["contents"];
}

describe("the files of a package", () => {
  test.each([
    [{ "static.txt": new Uint8Array([0xff]) }, "static.txt is not UTF-8, and its type is text/plain"],
    [{ "static.txt": "a\u202eb" }, "static.txt must not contain the control or invisible character U+202E"],
    [{ "static.txt": "a\u001b[2J" }, "static.txt must not contain the control or invisible character U+001B"],
    [{ "static.txt": "\u{e0041}" }, "static.txt must not contain the control or invisible character U+E0041"],
    [{ "red.png": new Uint8Array(1_048_577) }, "red.png has 1048577 bytes, the limit is 1048576"],
  ])("are refused when they are not what agents may read: %#", async (files, reason) => {
    using temporary = new TemporaryDirectory();
    const [code, message] = await told(() => readPackage(copyPackage(temporary, [], files)));
    expect([code, message]).toEqual(["RESOURCE_REFUSED", expect.stringContaining(reason)]);
  });

  test("are taken up to 1 MiB each and 4 MiB together", async () => {
    using temporary = new TemporaryDirectory();
    const full = new Uint8Array(1_048_576);
    const fits = { "red.png": full, "static.txt": "a".repeat(full.length), "watched.txt": "b".repeat(full.length) };
    expect((await readPackage(copyPackage(temporary, [], fits))).files?.size).toBe(4);
    const more = '[[mcp.resources]]\nuri = "test://more"\nname = "n"\nmime_type = "image/png"\nfile = "more.png"\n';
    const beyond = { ...fits, "example.txt": "c".repeat(full.length), "more.png": new Uint8Array(1) };
    const directory = copyPackage(
      temporary,
      [["[[mcp.resource_templates]]", `${more}[[mcp.resource_templates]]`]],
      beyond,
    );
    expect((await told(() => readPackage(directory)))[1]).toContain(
      "the package's files have 4194305 bytes, the limit is 4194304",
    );
  });

  test("lead nowhere out of it: no link, no way up, no file that is not there", async () => {
    using temporary = new TemporaryDirectory();
    const linked = copyPackage(temporary);
    rmSync(join(linked, "static.txt"));
    expect((await told(() => readPackage(linked)))[0]).toBe("FILE_NOT_FOUND");
    symlinkSync("/etc/passwd", join(linked, "static.txt"));
    expect((await told(() => readPackage(linked)))[0]).toBe("PACKAGE_PATH");
    for (const [file, rule] of [
      ["../static.txt", 'no ".." segment'],
      ["/etc/passwd", "must be a relative path"],
      ["tool.toml", "not the manifest or the component"],
      ["test-documents.wasm", "not the manifest or the component"],
    ] as const) {
      const directory = copyPackage(temporary, [['file = "static.txt"', `file = "${file}"`]]);
      expect((await told(() => readPackage(directory)))[1]).toContain(rule);
    }
  });

  test("come out of an archive, and only those that it has", async () => {
    using temporary = new TemporaryDirectory();
    const directory = conformanceDirectory("test-documents");
    const names = ["tool.toml", "test-documents.wasm", "static.txt", "watched.txt", "example.txt", "red.png"];
    const files = names.map((name) => ({ name, bytes: new Uint8Array(readFileSync(join(directory, name))) }));
    const path = join(temporary.path, "a.zip");
    writeFileSync(path, writeZip(files));
    expect((await readPackage(path)).packageDigest).toBe((await readPackage(directory)).packageDigest);
    writeFileSync(path, writeZip(files.slice(0, -1)));
    expect((await told(() => readPackage(path)))[1]).toContain("the archive has no such file");
  });

  test("are part of what the package is, and are not served when they are no longer what was installed", async () => {
    await using kami = new TestRuntime();
    const { runtime, home } = kami;
    const before = await runtime.install(copyPackage(home));
    const { tool } = await runtime.install(copyPackage(home, [], { "static.txt": "another" }));
    expect(tool.packageDigest).not.toBe(before.tool.packageDigest);
    await using client = new Conversation(runtime);
    await client.initialize();
    expect(await read(client, "test://static-text")).toEqual([
      { uri: "test://static-text", mimeType: "text/plain", text: "another" },
    ]);
    const path = join(dirname(tool.componentPath), "static.txt");
    chmodSync(path, 0o600);
    writeFileSync(path, "changed");
    expect(await read(client, "test://static-text")).toMatchObject({ code: -32_603 });
    rmSync(path);
    symlinkSync("/etc/passwd", path);
    expect(await read(client, "test://static-text")).toMatchObject({ code: -32_603 });
    // The same package again puts it right.
    await runtime.install(copyPackage(home, [], { "static.txt": "another" }));
    expect(await read(client, "test://static-text")).toMatchObject([{ text: "another" }]);
  });
});

describe("a registry that somebody has written to", () => {
  test("has no package whose files have other digests than it was made from", async () => {
    await using kami = new TestRuntime();
    const { runtime, home } = kami;
    await runtime.install(copyPackage(home));
    using database = new Database(join(home.path, "registry.db"));
    for (const digests of ["[]", '[["static.txt","00"]]', "[null]", "{", null]) {
      database.query("UPDATE tools SET file_digests = ?").run(digests);
      expect(runtime.registry.find(ID)).toMatchObject({ enabled: false, manifest: { mcp: { arguments: [] } } });
    }
  });
});

describe("packProject()", () => {
  test("takes the files along, and nothing else", async () => {
    using temporary = new TemporaryDirectory();
    const directory = copyPackage(temporary, [], { "README.md": "# Documents", "tool.js": "", "secret.txt": "s" });
    const path = await packProject(readProject(directory));
    const names = readZip(new Uint8Array(readFileSync(path)), path, LIMITS).map(({ name }) => name);
    expect(names.toSorted()).toEqual([
      "README.md",
      "example.txt",
      "red.png",
      "static.txt",
      "test-documents.wasm",
      "tool.toml",
      "watched.txt",
    ]);
    expect((await readPackage(path)).packageDigest).toBe((await readPackage(directory)).packageDigest);
  });
});

describe("a URI of two packages", () => {
  test("is refused at install, whatever it looks like, and stays its first owner's", async () => {
    await using kami = new TestRuntime();
    const { runtime, home } = kami;
    await runtime.install(copyPackage(home));
    runtime.registry.setEnabled(ID, false);
    const uris = ["test://static-text", "test://STATIC-text", "test://template/1/data"];
    const templates = ["test://template/{other}/data", "test://template/1/{what}"];
    const tables = [...uris.map(resource), ...templates.map(template)];
    for (const [index, uri] of [...uris, ...templates].entries()) {
      expect(await told(() => runtime.install(otherPackage(home, tables[index] ?? "")))).toEqual([
        "RESOURCE_REFUSED",
        `Cannot take the resource "${uri}": it is, or may be, one of the tool "${ID}" as well`,
        `give it another URI, or run: kami uninstall ${ID}`,
      ]);
    }
    expect(runtime.registry.list().map(({ id }) => id)).toEqual([ID]);
    // An update of its own is none.
    await runtime.install(copyPackage(home, [["1.0.0", "1.0.1"]]));
    runtime.registry.uninstall(ID);
    for (const table of tables) await runtime.install(otherPackage(home, table));
  });

  test("is refused within one package, and where a component has no run to make its content", async () => {
    await using kami = new TestRuntime();
    const { runtime, home } = kami;
    const twice = otherPackage(home, resource("test://a/b") + template("test://a/{x}"));
    expect((await told(() => runtime.install(twice)))[1]).toContain("may be, the URI of resources 0 as well");
    const several = otherPackage(home, template("test://a/{x}"));
    cpSync(guestPath("functions"), join(several, "tool.wasm"));
    expect((await told(() => runtime.install(several)))[1]).toContain("the component has functions of its own");
  });
});

describe("what a tool makes of a URI", () => {
  test("is a call of it: its variables arrive decoded, as the arguments that it declares", async () => {
    await using kami = new TestRuntime();
    const { runtime, home } = kami;
    await runtime.install(copyPackage(home));
    await using client = new Conversation(runtime);
    await client.initialize();
    const uri = "test://template/a%2F..%22%00/data";
    expect(await read(client, uri)).toEqual([
      {
        uri,
        mimeType: "application/json",
        text: JSON.stringify({ id: 'a/.."\u0000', templateTest: true, data: 'Data for ID: a/.."\u0000' }),
      },
    ]);
    expect(runtime.registry.calls(1)[0]).toMatchObject({ toolId: ID, outcome: "OK" });
    for (const unknown of ["test://template/1/data/", "test://template//data", "TEST://template/1/data"])
      expect(await read(client, unknown)).toMatchObject({ code: -32_602, message: `Unknown resource: ${unknown}` });
  });

  test("is bounded as every call is", async () => {
    await using kami = new TestRuntime();
    const { runtime, home } = kami;
    const directory = otherPackage(home, template("test://spin/{x}"));
    cpSync(guestPath("spin"), join(directory, "tool.wasm"));
    await runtime.install(directory);
    await using client = new Conversation(runtime);
    await client.initialize();
    expect(await read(client, "test://spin/1")).toMatchObject({
      code: -32_603,
      message: expect.stringContaining("all 1000000 fuel is used up"),
    });
  });

  test("is under the URI that was read, whatever the tool calls it", async () => {
    await using kami = new TestRuntime();
    const { runtime, home } = kami;
    const directory = otherPackage(home, template("other://a/{x}"));
    const name = "test-embedded-resource";
    cpSync(join(conformanceDirectory(name), `${name}.wasm`), join(directory, "tool.wasm"));
    await runtime.install(directory);
    await using client = new Conversation(runtime);
    await client.initialize();
    expect(await read(client, "other://a/1")).toMatchObject([{ uri: "other://a/1", text: expect.any(String) }]);
  });

  test("waits for the user's word where a call would", async () => {
    await using kami = new TestRuntime();
    const { runtime, home } = kami;
    await runtime.install(copyPackage(home));
    runtime.registry.setAsks(ID, "always");
    const uri = "test://template/1/data";
    await using silent = new Conversation(runtime);
    await silent.initialize();
    expect(await read(silent, uri)).toMatchObject({ code: -32_603, message: expect.stringContaining("approv") });
    await using client = new Conversation(runtime);
    const meta = { "io.modelcontextprotocol/clientCapabilities": { elicitation: { form: {} } } };
    const asked = (await client.askModern("resources/read", { uri, _meta: meta })).result;
    expect(asked).toMatchObject({ resultType: "input_required" });
    const requestState = asked?.["requestState"];
    const answer = (action: string): Promise<Message> =>
      client.askModern("resources/read", {
        uri,
        _meta: meta,
        requestState,
        inputResponses: { approve: { action, content: { allow: true } } },
      });
    expect((await answer("accept")).result?.["contents"]).toMatchObject([{ uri }]);
    // The word was good once.
    expect((await answer("accept")).error).toMatchObject({ code: -32_603 });
    expect(runtime.registry.calls(9)).toHaveLength(1);
  });
});

describe("a prompt", () => {
  test("embeds resources of its own package and no others, and no more of them than a message holds", async () => {
    await using kami = new TestRuntime();
    const { runtime, home } = kami;
    await runtime.install(copyPackage(home));
    await runtime.install(otherPackage(home, resource("evil://a")));
    await using client = new Conversation(runtime);
    await client.initialize();
    const get = async (resourceUri: string): Promise<Message> =>
      client.ask("prompts/get", { name: "test_prompt_with_embedded_resource", arguments: { resourceUri } });
    expect((await get("test://example-resource")).result?.["messages"]).toEqual([
      {
        role: "user",
        content: {
          type: "resource",
          resource: {
            uri: "test://example-resource",
            mimeType: "text/plain",
            text: "Embedded resource content for testing.\n",
          },
        },
      },
      { role: "user", content: { type: "text", text: "Please process the embedded resource above." } },
    ]);
    for (const uri of ["evil://a", "file:///etc/passwd", `kami://tool/${ID}/readme`, "test://template/1/data"])
      expect((await get(uri)).error).toEqual({ code: -32_602, message: `Unknown resource: "${uri}"` });
    const many = '[[mcp.prompts.messages]]\nresource = "{{resourceUri}}"\n';
    await runtime.install(
      copyPackage(home, [[many.trimEnd(), many.repeat(7)]], { "example.txt": "x".repeat(1_048_576) }),
    );
    expect((await get("test://example-resource")).error?.message).toBe("The prompt embeds more than 6291456 bytes");
  });
});
