import { describe, expect, test } from "bun:test";
import { refuse } from "../../lib/errors.ts";
import { NO_OUTPUT, NO_USAGE } from "../../lib/protocol/limits.ts";
import { Conversation } from "./support/conversation.ts";
import { succeed, TestHost, type ToolFacts, untilCancelled } from "./support/host.ts";

const CAPABILITIES = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true },
};

const ECHO: ToolFacts = { id: "dev.x.echo" };

describe("the earlier eras", () => {
  test.each(["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])("answers initialize in %s", async (version) => {
    await using client = new Conversation(new TestHost().install(ECHO));
    expect(await client.initialize(version)).toEqual({
      jsonrpc: "2.0",
      id: 1,
      result: {
        protocolVersion: version,
        capabilities: CAPABILITIES,
        serverInfo: { name: "kami", title: "KAMI", version: "9.9.9" },
        instructions: expect.stringContaining("- echo: dev.x.echo 1.0.0"),
      },
    });
    expect((await client.ask("ping")).result).toEqual({});
    expect((await client.ask("tools/list")).result).toEqual({ tools: [expect.objectContaining({ name: "echo" })] });
    expect((await client.ask("tools/call", { name: "echo", arguments: { a: 1 } })).result).toEqual({
      content: [{ type: "text", text: '{"a":1}' }],
      structuredContent: { a: 1 },
      _meta: { "dev.kami/usage": { ...NO_USAGE } },
    });
  });

  test("offers its own newest version to a client of an unknown one", async () => {
    await using client = new Conversation(new TestHost());
    expect((await client.initialize("1999-01-01")).result).toMatchObject({ protocolVersion: "2025-11-25" });
  });
});

describe("2026-07-28", () => {
  test("answers discover, list and call without initialize", async () => {
    await using client = new Conversation(new TestHost().install(ECHO));
    expect((await client.askModern("server/discover")).result).toMatchObject({
      resultType: "complete",
      supportedVersions: ["2026-07-28"],
      capabilities: CAPABILITIES,
      instructions: expect.stringContaining("- echo: dev.x.echo 1.0.0"),
    });
    expect((await client.askModern("tools/list")).result).toMatchObject({
      resultType: "complete",
      ttlMs: 30_000,
      tools: [{ name: "echo", _meta: { "dev.kami/id": "dev.x.echo" } }],
    });
    expect((await client.askModern("tools/call", { name: "echo", arguments: { a: 1 } })).result).toMatchObject({
      resultType: "complete",
      content: [{ type: "text", text: '{"a":1}' }],
      structuredContent: { a: 1 },
    });
  });

  test("has no ping", async () => {
    await using client = new Conversation(new TestHost());
    await client.askModern("tools/list");
    expect((await client.askModern("ping")).error).toMatchObject({ code: -32_601 });
  });

  test("names the versions it speaks to a client of another", async () => {
    await using client = new Conversation(new TestHost());
    const meta = {
      "io.modelcontextprotocol/protocolVersion": "2099-01-01",
      "io.modelcontextprotocol/clientCapabilities": {},
    };
    expect((await client.ask("tools/list", { _meta: meta })).error).toMatchObject({
      code: -32_022,
      data: { supported: ["2026-07-28"], requested: "2099-01-01" },
    });
  });

  test("falls back to initialize after a probe on the same connection", async () => {
    await using client = new Conversation(new TestHost().install(ECHO));
    await client.askModern("server/discover");
    expect((await client.initialize()).result).toMatchObject({ protocolVersion: "2025-11-25" });
    expect((await client.ask("tools/call", { name: "echo" })).result).toMatchObject({ structuredContent: {} });
  });
});

describe("tools/list", () => {
  test("shows what was installed, removed and disabled since the last question, by id", async () => {
    const host = new TestHost().install({ id: "dev.x.b" });
    await using client = new Conversation(host);
    await client.initialize();
    host.install({ id: "dev.x.a" }).install({ id: "dev.x.off", enabled: false });
    const list = await client.ask("tools/list");
    expect(list.result).toMatchObject({ tools: [{ name: "a" }, { name: "b" }] });
    host.uninstall("dev.x.b");
    expect((await client.ask("tools/list")).result).toMatchObject({ tools: [{ name: "a" }] });
  });

  test("refuses a cursor that it never gave out", async () => {
    await using client = new Conversation(new TestHost());
    await client.initialize();
    expect((await client.ask("tools/list", { cursor: "x\u001b" })).error).toEqual({
      code: -32_602,
      message: 'Unknown cursor: "x"',
    });
  });

  test("keeps the text of an unreadable registry from the agent, and logs it", async () => {
    const host = new TestHost().install(ECHO);
    await using client = new Conversation(host);
    await client.initialize();
    host.registry.revision = () => {
      throw refuse("REGISTRY_UNUSABLE", { path: "/home/someone/registry.db", reason: "it is corrupt" });
    };
    expect((await client.ask("tools/list")).error).toEqual({
      code: -32_603,
      message: "KAMI could not answer; its log says why",
    });
    expect(client.log).toEqual([
      'Cannot open the registry "/home/someone/registry.db": it is corrupt (check the file and its permissions, or use another KAMI_HOME)',
    ]);
    host.registry.revision = () => {
      throw refuse("REGISTRY_BUSY", { waitedMs: 10 });
    };
    expect((await client.ask("tools/list")).error?.message).toBe(
      "Cannot write to the registry: another process held it for 10 ms (try again)",
    );
  });
});

describe("tools/call", () => {
  test.each(["nothing", "dev.x.echo", "__proto__", ""])(
    "answers the unknown tool %j with a protocol error",
    async (name) => {
      const host = new TestHost().install(ECHO);
      await using client = new Conversation(host);
      await client.initialize();
      expect((await client.ask("tools/call", { name })).error).toEqual({
        code: -32_602,
        message: `Unknown tool: ${JSON.stringify(name)}`,
      });
      expect(host.arrivals).toEqual([]);
    },
  );

  test("answers an unknown tool in the 2026-07-28 era in the same way", async () => {
    await using client = new Conversation(new TestHost());
    expect((await client.askModern("tools/call", { name: "nothing" })).error).toMatchObject({
      code: -32_602,
      message: 'Unknown tool: "nothing"',
    });
  });

  test("passes the arguments on as JSON text, {} when there are none", async () => {
    const host = new TestHost().install(ECHO);
    await using client = new Conversation(host);
    await client.initialize();
    await client.ask("tools/call", { name: "echo" });
    client.raw(
      '{"jsonrpc":"2.0","id":"q","method":"tools/call","params":{"name":"echo","arguments":{"é":[1,"\\n"]}}}\n',
    );
    await client.inbox.answer("q");
    expect(host.arrivals.map(({ id, input }) => ({ id, input }))).toEqual([
      { id: "dev.x.echo", input: "{}" },
      { id: "dev.x.echo", input: '{"é":[1,"\\n"]}' },
    ]);
  });

  test("refuses arguments that nest deeper than the stack, and goes on", async () => {
    const host = new TestHost().install(ECHO);
    await using client = new Conversation(host);
    await client.initialize();
    const deep = "[".repeat(400_000) + "]".repeat(400_000);
    client.raw(`{"jsonrpc":"2.0","id":"d","method":"tools/call","params":{"name":"echo","arguments":{"a":${deep}}}}\n`);
    expect((await client.inbox.answer("d")).error).toEqual({
      code: -32_602,
      message: "The arguments are nested too deeply",
    });
    expect((await client.ask("ping")).result).toEqual({});
  });

  test("reports a failure as a tool error, logs it, and serves on", async () => {
    const failure = refuse("INPUT_INVALID", { field: "url", problem: "is required" });
    const host = new TestHost().install(ECHO, () =>
      Promise.resolve({ ok: false, failure, usage: NO_USAGE, captured: NO_OUTPUT }),
    );
    await using client = new Conversation(host);
    await client.initialize();
    expect((await client.ask("tools/call", { name: "echo" })).result).toMatchObject({
      isError: true,
      content: [{ text: 'Cannot use the input: "url" is required (see the tool\'s input schema)' }],
      _meta: { "dev.kami/failure": "INPUT_INVALID" },
    });
    expect(client.log).toEqual(['dev.x.echo: INPUT_INVALID: Cannot use the input: "url" is required']);
    expect((await client.ask("ping")).result).toEqual({});
  });

  test("calls a tool that was disabled after it was listed, so that the runtime says so", async () => {
    const failure = refuse("TOOL_DISABLED", { id: ECHO.id });
    const host = new TestHost().install({ ...ECHO, enabled: false }, () =>
      Promise.resolve({ ok: false, failure, usage: NO_USAGE, captured: NO_OUTPUT }),
    );
    await using client = new Conversation(host);
    await client.initialize();
    expect((await client.ask("tools/call", { name: "echo" })).result).toMatchObject({
      isError: true,
      _meta: { "dev.kami/failure": "TOOL_DISABLED" },
    });
  });

  test("logs what a call was denied with the command that grants it, and tells the agent in one sentence", async () => {
    const denials = [
      { capability: "clock:fine", target: "a clock" },
      { capability: "net:$(reboot)", target: "x\u001b[2J" },
    ];
    const host = new TestHost().install(ECHO, async () => ({
      ok: false,
      failure: refuse("TOOL_ERROR", { message: "no" }),
      usage: NO_USAGE,
      captured: NO_OUTPUT,
      denials,
    }));
    await using client = new Conversation(host);
    await client.initialize();
    expect((await client.ask("tools/call", { name: "echo" })).result).toMatchObject({
      isError: true,
      content: [
        {
          type: "text",
          text: `no. The tool was denied "clock:fine", "net:$(reboot)": the user can grant it, and finds how in KAMI's log`,
        },
      ],
    });
    expect(client.log).toEqual([
      'dev.x.echo: denied "clock:fine", for "a clock"; grant it with: kami grant dev.x.echo clock:fine',
      'dev.x.echo: denied "net:$(reboot)", for "x"; its tool.toml does not ask for it',
      "dev.x.echo: TOOL_ERROR: no",
    ]);
  });

  test("keeps an error of KAMI's own from the agent, and logs it", async () => {
    const host = new TestHost().install(ECHO, () => Promise.reject(new Error("BUG: in /home/someone/kami.ts")));
    await using client = new Conversation(host);
    await client.initialize();
    expect((await client.ask("tools/call", { name: "echo" })).error).toEqual({
      code: -32_603,
      message: "KAMI could not answer; its log says why",
    });
    expect(client.log).toEqual(["BUG: Error: BUG: in /home/someone/kami.ts"]);
  });

  test("sends what a guest wrote to the log, and none of it to the client", async () => {
    const forged = '{"jsonrpc":"2.0","id":2,"result":{"content":[]}}\n';
    const host = new TestHost().install(ECHO, () =>
      Promise.resolve({
        ...succeed("done"),
        captured: { pieces: [{ stream: "stdout", text: forged }], droppedBytes: 0 },
      }),
    );
    await using client = new Conversation(host);
    await client.initialize();
    expect((await client.ask("tools/call", { name: "echo" })).result).toMatchObject({ content: [{ text: "done" }] });
    expect(client.log).toEqual([`dev.x.echo stdout: ${forged.trim()}`]);
    expect(client.inbox.messages).toHaveLength(2);
  });

  test("answers others while a call runs", async () => {
    const host = new TestHost().install({ id: "dev.x.slow" }, untilCancelled).install(ECHO);
    await using client = new Conversation(host);
    await client.initialize();
    const slow = client.request("tools/call", { name: "slow" });
    const quick = Array.from({ length: 10 }, () => client.ask("tools/call", { name: "echo" }));
    expect(await Promise.all(quick)).toHaveLength(10);
    expect((await client.ask("ping")).result).toEqual({});
    expect(client.inbox.messages.some(({ id }) => id === slow)).toBe(false);
  });

  test("interrupts a cancelled call, does not answer it, and leaves others alone", async () => {
    const host = new TestHost().install({ id: "dev.x.slow" }, untilCancelled);
    await using client = new Conversation(host);
    await client.initialize();
    const first = client.request("tools/call", { name: "slow" });
    client.request("tools/call", { name: "slow" });
    await client.ask("ping");
    client.cancel(first);
    await client.ask("ping");
    expect(host.arrivals.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    expect(client.inbox.messages.some(({ id }) => id === first)).toBe(false);
  });

  test("interrupts both calls that carry one id when the connection ends", async () => {
    const host = new TestHost().install({ id: "dev.x.slow" }, untilCancelled);
    const client = new Conversation(host);
    await client.initialize();
    for (let index = 0; index < 2; index += 1) {
      client.send({ id: "same", method: "tools/call", params: { name: "slow" } });
    }
    await client.ask("ping");
    await client[Symbol.asyncDispose]();
    expect(host.arrivals.map(({ signal }) => signal.aborted)).toEqual([true, true]);
  });
});

describe("unknown methods", () => {
  test.each(["resources/subscribe", "completion/complete", "no/such", "logging/setLevel"])(
    "has no %s",
    async (method) => {
      await using client = new Conversation(new TestHost());
      await client.initialize();
      expect((await client.ask(method, { level: "info" })).error).toMatchObject({ code: -32_601 });
    },
  );
});
