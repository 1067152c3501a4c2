/**
 * Test support: an executor process that a guest has taken over. What it does to the host is the name of the "Worker's entry" that it is
 * started with: `hostile:garbage`.
 */
import { closeSync, readdirSync, readlinkSync } from "node:fs";
import { decodeOrder, type Letter } from "../../../lib/executor/frames.ts";
import { FrameReader } from "../../../lib/frame-reader.ts";
import { NO_OUTPUT, NO_USAGE } from "../../../lib/protocol/limits.ts";
import type { ExecutorOrder } from "../../../lib/protocol/messages.ts";

const stdout = Bun.stdout.writer();
const reader = new FrameReader(2 ** 32 - 1);
const stdin = Bun.stdin.stream().getReader();
const orders: Letter<ExecutorOrder>[] = [];

/** By what they do; each is given the first order, and is ready to begin with unless it is not to be. */
const BEHAVIOURS: Readonly<Record<string, () => unknown>> = {
  silent: () => Bun.sleep(1e8),
  "ends at once": () => process.exit(0),
  "ready twice": () => [say({ type: "ready" }), say({ type: "ready" })],
  garbage: () => raw(crypto.getRandomValues(new Uint8Array(65_536))),
  "no JSON": () => raw(frameOf("{")),
  "deep JSON": () => raw(frameOf("[".repeat(786_432))),
  null: () => say(null),
  prototype: () => raw(frameOf('{"__proto__":{"type":"ready"}}')),
  "too long": () => raw(lengthOf(1_835_009)),
  "a header that is too long": () => raw(frameOf(`{"type":"ready","more":"${"x".repeat(786_432)}"}`)),
  "a header beyond the frame": () => raw(Buffer.concat([lengthOf(4), lengthOf(1)])),
  "an empty frame": () => raw(lengthOf(0)),
  "a body where there is none": () => raw(frameOf('{"type":"ready"}', "x")),
  "endless output": async () => {
    const junk = new Uint8Array(1_048_576).fill(32);
    void raw(lengthOf(1_048_576));
    for (;;) await raw(junk);
  },
  "endless stderr": async () => {
    ready();
    for (;;) await Bun.write(Bun.stderr, "x".repeat(65_536));
  },
  "closes stdout": async () => {
    ready();
    await call();
    const own = readlinkSync("/proc/self/fd/1");
    for (const fd of readdirSync("/proc/self/fd").map(Number)) if (linkOf(fd) === own) closeSync(fd);
    await Bun.sleep(1e8);
  },
  "reads nothing": async () => {
    ready();
    await Bun.sleep(1e8);
  },
  spins: async () => {
    ready();
    await call();
    for (;;);
  },
  "stops reading": async () => {
    ready();
    await call();
    await Bun.sleep(1e8);
  },
  "another's answer": async () => {
    ready();
    answer((await call()) + 1);
  },
  "answers before it is asked": () => [answer(1), ready()],
  "answers twice": async () => {
    ready();
    const id = await call();
    answer(id);
    answer(id);
  },
  "tells unasked": async () => {
    ready();
    say({ type: "state", id: await call(), ageMs: 0, isBehind: false, usage: NO_USAGE });
  },
  "loses what it does not run": async () => {
    ready();
    say({ type: "lost", id: (await call()) + 1, reason: "x", usage: NO_USAGE });
  },
  "a reason without end": async () => {
    ready();
    say({ type: "lost", id: await call(), reason: "x".repeat(301), usage: NO_USAGE });
  },
  "a result that is too large": async () => {
    ready();
    answer(await call(), "x".repeat(1_048_577));
  },
  "a result that is no text, and too large as one": async () => {
    ready();
    const header = { type: "ended", id: await call(), usage: NO_USAGE, captured: NO_OUTPUT };
    const frame = frameOf(JSON.stringify(header), "x".repeat(1_048_576));
    return raw(frame.fill(0xff, frame.length - 1_048_576));
  },
  "says for ever that the call waits": () => lie(null),
  "says for ever that the call stands behind another": () => lie(null, true),
  "gives back what is not ahead": async () => {
    ready();
    say({ type: "returned", id: await call() });
  },
  /** Its first call waits until the others are over. It runs what it may not give back. */
  "gives back all that is ahead": () => giveBack(1),
  "gives back twice what is ahead": () => giveBack(2),
  "tells of room unasked": () => [ready(), say({ type: "room", lastId: 0, places: 1 })],
  "parks as a Worker does": () => [ready(), say({ type: "parked" })],
  "says for ever that the call has just begun": () => lie(0),
};

const start = await next();
if (start.header.type !== "start") throw new Error("BUG: the first order is no start");
await BEHAVIOURS[decodeURIComponent(start.header.entry?.replace("hostile:", "") ?? "")]?.();
setInterval(() => undefined, 60_000);

async function next(): Promise<Letter<ExecutorOrder>> {
  while (orders.length === 0) {
    const { value } = await stdin.read();
    if (value === undefined) throw new Error("the host is gone");
    orders.push(...(reader.push(value) ?? []).map(decodeOrder));
  }
  const [order] = orders.splice(0, 1);
  if (order === undefined) throw new Error("BUG: no order");
  return order;
}

/** Waits for a call. Returns its id. */
async function call(): Promise<number> {
  for (;;) {
    const { header: order } = await next();
    if (order.type === "call") return order.id;
  }
}

async function lie(ageMs: number | null, isBehind = false): Promise<never> {
  ready();
  for (;;) {
    const { header: order } = await next();
    if (order.type === "look") say({ type: "state", id: order.id, ageMs, isBehind, usage: NO_USAGE });
  }
}

async function giveBack(times: number): Promise<never> {
  ready();
  let run = 0;
  let first = 0;
  let last = 0;
  let isAsked = false;
  for (;;) {
    const { header: order } = await next();
    if (order.type === "ask") isAsked = true;
    if (order.type === "call") {
      last = order.id;
      if (order.isAhead) sayTimes(times, { type: "returned", id: last });
      else if (first === 0) first = last;
      else answer(last, `run ${(run += 1)}`);
      if (run === 12) answer(first);
    }
    if (!isAsked || first === 0) continue;
    isAsked = false;
    say({ type: "room", lastId: last, places: 1 });
  }
}

/** Bun keeps its output open under more than one number. */
function linkOf(fd: number): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined;
  }
}

function ready(): void {
  say({ type: "ready" });
}

function answer(id: number, output = "done"): void {
  void raw(frameOf(JSON.stringify({ type: "ended", id, usage: NO_USAGE, captured: NO_OUTPUT }), output));
}

function sayTimes(times: number, message: unknown): void {
  for (let time = 0; time < times; time++) say(message);
}

function say(message: unknown): void {
  void raw(frameOf(JSON.stringify(message)));
}

function frameOf(text: string, body = ""): Uint8Array {
  const header = Buffer.from(text);
  return Buffer.concat([lengthOf(4 + header.length + body.length), lengthOf(header.length), header, Buffer.from(body)]);
}

function lengthOf(bytes: number): Uint8Array {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes);
  return length;
}

async function raw(bytes: Uint8Array): Promise<void> {
  await stdout.write(bytes);
  await stdout.flush();
}
