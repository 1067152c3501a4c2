/**
 * The fixtures that ask for something of the host, on the imports. What becomes of the call is the Worker's part.
 */
import { describe, expect, test } from "bun:test";
import { guestPath } from "../../../fixtures/paths.ts";
import { type Started, startComponent } from "./component.ts";
import { Ended, Recorder } from "./recorder.ts";

async function start(name: string, call: Recorder): Promise<Started> {
  return startComponent(await Bun.file(guestPath(name)).bytes(), call);
}

describe("fixtures", () => {
  test("read-env finds neither variables nor arguments", async () => {
    const call = new Recorder();
    const guest = await start("read-env", call);
    expect(await guest.call("run", "{}")).toEqual({
      tag: "ok",
      value: '{"environment":0,"names":[],"arguments":[]}',
    });
    expect(call.ending).toBeUndefined();
  });

  test.each([
    ["exit", '{"status": "ok"}', "exit: 0"],
    ["exit", '{"status": "error"}', "exit: 1"],
    ["exit", '{"code": 42}', "exit: 42"],
    ["open-forged", "{}", "trap: it broke the component ABI: a handle that it does not have"],
  ])("%s with %s ends in `%s`", async (name, input, ending) => {
    const call = new Recorder();
    const guest = await start(name, call);
    expect(await call.endOfWait(() => guest.call("run", input))).toBe(ending);
  });

  test.each([
    ["connect", "1", '{"connect":1}', "tcp://127.0.0.1:1"],
    ["http-get", '"127.0.0.1:1"', '{"refused":"handle","code":15}', "http://127.0.0.1:1/"],
  ])("%s with %s is told that it may not, and the call goes on", async (name, input, value, target) => {
    const call = new Recorder();
    const guest = await start(name, call);
    expect(await guest.call("run", input)).toEqual({ tag: "ok", value });
    expect([call.ending, call.denials.map(([, denied]) => denied)]).toEqual([undefined, [target]]);
  });

  test.each([
    ["exit", "exit: 1"],
    ["door", "denied: an unknown host function (kami:fixture/door open)"],
  ])("catch-all swallows the exception of %s, but not the end of the call", async (asked, ending) => {
    const call = new Recorder();
    const guest = await start("catch-all", call);
    // What comes of a guest that goes on after a refusal is its own affair: the call has ended.
    const thrown = await Promise.try(() => guest.call("run", `{"call": "${asked}"}`)).catch((error: unknown) => error);
    expect(thrown).not.toBeInstanceOf(Ended);
    expect(call.ending).toBe(ending);
  });

  test.each([
    ["stdout-forger", "stdout", 8, '"method":"notifications/tools/list_changed"'],
    ["stderr-escape", "stderr", 1, "end of stderr"],
  ] as const)("%s writes to the call's %s only", async (name, stream, ...[count, excerpt]) => {
    const call = new Recorder();
    await (await start(name, call)).call("run", "{}");
    expect(call.pieces.map((piece) => piece.stream)).toEqual(Array.from({ length: count }, () => stream));
    expect(call.pieces.every((piece) => piece.text.includes(excerpt))).toBe(true);
  });

  test("log-flood logs every byte", async () => {
    const call = new Recorder();
    await (await start("log-flood", call)).call("run", "2");
    expect(call.pieces.every(({ stream, level }) => stream === "log" && level === "info")).toBe(true);
    expect(call.pieces.reduce((sum, piece) => sum + piece.text.length, 0)).toBe(2 * 1_048_576);
  });
});
