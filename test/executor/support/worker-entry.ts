/**
 * Test support: a Worker that does to the host what its call's input says. It stands for a Worker that a guest has taken over, or that the
 * engine has lost.
 */
import { ControlBlock } from "../../../lib/protocol/control.ts";
import { NO_OUTPUT, NO_USAGE } from "../../../lib/protocol/limits.ts";
import type { CallMessage, HostMessage } from "../../../lib/protocol/messages.ts";
import { ThreadBlock } from "../../../lib/protocol/thread.ts";
import { LiveCalls } from "../../../lib/worker/live-calls.ts";

declare const self: Worker;

/** What a Worker of this entry can be told to do. */
export type Behaviour =
  | "ok"
  | "said"
  | "environment"
  | "policy"
  | "denials"
  | "too many denials"
  | "throw"
  | "reject"
  | "exit"
  | "nonsense"
  | "ready again"
  | "unknown id"
  | "code of the host"
  | "text beyond the limit"
  | "twice"
  | "done, then dies"
  | "never starts"
  | "wedged"
  | "spins"
  | "answers an interrupt"
  | "answers late"
  | "starts late"
  | "takes 50 ms"
  | "names its Worker"
  | "waits 50 ms"
  | "waits 500 ms"
  | "waits until there are 3"
  | "waits until there are 20"
  | "waits until there are 1000"
  | "waits until interrupted"
  | "waits for ever"
  | "computes 600 ms"
  | "computes 600 ms, and says that it waits"
  | "parks unasked"
  | "tells 3 lines"
  | "tells 1025 lines"
  | "tells a long line"
  | "tells another's line";

type Act = (id: number, control: ControlBlock, message: CallMessage) => unknown;

/** What the host said beside calls, in order: `load a`, `unload b`. */
const said: string[] = [];
/** Which Worker this is. */
const NAME = crypto.randomUUID();
/** Calls that wait until there are so many. */
const crowd: (() => void)[] = [];
const live = new LiveCalls();
live.onParked = () => self.postMessage({ type: "parked" });

const BEHAVIOURS: Readonly<Record<Behaviour, Act>> = {
  ok: (id) => answer(id, "done"),
  said: (id) => answer(id, JSON.stringify(said)),
  environment: (id) => answer(id, JSON.stringify(process.env)),
  policy: (id, _, { policy }) => answer(id, JSON.stringify(policy)),
  denials: (id) => settle(id, { ok: true, output: "done" }, denials(32, 300)),
  "too many denials": (id) => settle(id, { ok: true, output: "done" }, denials(33, 1)),
  "tells 3 lines": (id) => tellLines(id, 3),
  "tells 1025 lines": (id) => tellLines(id, 1025),
  "tells a long line": (id) => tellLines(id, 1, "x".repeat(501)),
  "tells another's line": (id) => {
    tellLines(id + 1, 1);
  },
  throw: () => {
    throw new Error("/a/path/of/the/host");
  },
  reject: () => void Promise.reject(new Error("/a/path/of/the/host")),
  exit: () => process.exit(0),
  nonsense: () => self.postMessage({ type: "settled", id: "one" }),
  "ready again": () => self.postMessage({ type: "ready" }),
  "unknown id": (id) => answer(id + 1, "done"),
  "code of the host": (id) => fail(id, "BUSY", { retryAfterMs: 1 }),
  "text beyond the limit": (id) => fail(id, "TOOL_ERROR", { message: "x".repeat(4002) }),
  twice: (id) => {
    answer(id, "done");
    answer(id, "done");
  },
  "done, then dies": (id) => {
    answer(id, "done");
    setTimeout(() => process.exit(0), 1);
  },
  "never starts": () => undefined,
  wedged: (_, control) => {
    begin(control);
    sleepForever();
  },
  spins: (_, control) => {
    begin(control);
    for (;;);
  },
  "answers an interrupt": async (id, control) => {
    begin(control);
    await interruptOf(control);
    fail(id, "CANCELLED", {});
  },
  "answers late": async (id, control) => {
    begin(control);
    await interruptOf(control);
    control.settle();
    setTimeout(() => answer(id, "late"), 350);
  },
  "starts late": async (id, control) => {
    await Bun.sleep(300);
    begin(control);
    await Bun.sleep(50);
    answer(id, "done");
  },
  "takes 50 ms": async (id, control) => {
    begin(control);
    await Bun.sleep(50);
    answer(id, "done");
  },
  "names its Worker": (id) => answer(id, NAME),
  "waits 50 ms": (id, control) => wait(id, control, Bun.sleep(50)),
  "waits 500 ms": (id, control) => wait(id, control, Bun.sleep(500)),
  // Lets the host see that it runs, first.
  "waits until there are 3": async (id, control) => {
    await take(id, control);
    const endsAt = performance.now() + 200;
    while (performance.now() < endsAt);
    return suspend(id, control, gather(3));
  },
  "waits until there are 20": (id, control) => wait(id, control, gather(20)),
  "waits until there are 1000": (id, control) => wait(id, control, gather(1000)),
  "waits until interrupted": (id, control) => wait(id, control, never()),
  "waits for ever": async (id, control) => {
    await take(id, control);
    live.suspend(id);
    control.suspend();
  },
  "computes 600 ms": async (id, control) => {
    await take(id, control);
    compute(control);
    answer(id, NAME);
  },
  "computes 600 ms, and says that it waits": async (id, control) => {
    await take(id, control);
    live.thread.suspended = 1;
    if (live.thread.takeWant()) self.postMessage({ type: "parked" });
    compute(control);
    live.thread.suspended = 0;
    answer(id, NAME);
  },
  "parks unasked": () => self.postMessage({ type: "parked" }),
};

self.onmessage = (event: MessageEvent<HostMessage<unknown>>) => {
  const message = event.data;
  if (message.type === "call") act(message);
  else if (message.type === "thread") live.thread = new ThreadBlock(message.buffer);
  else if (message.type === "interrupt") live.interrupt(message.id);
  else if ("digest" in message) said.push(`${message.type} ${message.digest}`);
};
self.postMessage({ type: "ready" });

function act(message: CallMessage): void {
  const { id, input, control } = message;
  live.hold();
  if (!isBehaviour(input)) throw new Error(`BUG: unknown behaviour ${input}`);
  BEHAVIOURS[input](id, new ControlBlock(control), message);
}

function isBehaviour(input: string): input is Behaviour {
  return Object.hasOwn(BEHAVIOURS, input);
}

function begin(control: ControlBlock): void {
  control.begin();
  control.grantFuel(100);
  control.burnFuel(77);
  control.publishEffort(12.5, 3);
  control.publishMemory(65_536, 131_072);
}

/** Begins, when the thread is free. */
async function take(id: number, control: ControlBlock): Promise<void> {
  const turn = live.takeTurn(id);
  if (turn !== undefined) await turn;
  begin(control);
}

/** A call that waits once, as KAMI's own do, and says which Worker it was in. */
async function wait(id: number, control: ControlBlock, event: Promise<void>): Promise<void> {
  await take(id, control);
  await suspend(id, control, event);
}

async function suspend(id: number, control: ControlBlock, event: Promise<void>): Promise<void> {
  const broken = Promise.withResolvers<void>();
  live.add(id, { interrupt: broken.resolve });
  // Counted first: a test that sees the state may give the next call.
  live.suspend(id);
  control.suspend();
  await Promise.race([event, broken.promise]);
  const turn = live.takeTurn(id);
  if (turn !== undefined) await turn;
  live.resume();
  const mayGoOn = control.resume();
  live.remove(id);
  // What the call closes at its end: a test can see that it did.
  control.publishEffort(12.5, 4);
  control.settle();
  if (mayGoOn && control.interrupted === undefined) answer(id, NAME);
  else if (control.interrupted === "deadline") fail(id, "DEADLINE_EXCEEDED", { limitMs: 0 });
  else fail(id, "CANCELLED", {});
}

/** Resolves when so many wait here. */
function gather(size: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  crowd.push(resolve);
  if (crowd.length === size) for (const leave of crowd.splice(0)) leave();
  return promise;
}

function never(): Promise<void> {
  return new Promise(() => undefined);
}

/** Holds this thread for so long, or until the call is interrupted. */
function compute(control: ControlBlock): void {
  const endsAt = performance.now() + 600;
  while (performance.now() < endsAt && control.interrupted === undefined);
}

async function interruptOf(control: ControlBlock): Promise<void> {
  while (control.interrupted === undefined) await Bun.sleep(1);
}

/** Blocks this thread, and burns no CPU. */
function sleepForever(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

function answer(id: number, output: string): void {
  settle(id, { ok: true, output });
}

function fail(id: number, code: string, detail: object): void {
  settle(id, { ok: false, code, detail });
}

function settle(id: number, outcome: object, more: object = {}): void {
  self.postMessage({ type: "settled", id, outcome, usage: NO_USAGE, captured: NO_OUTPUT, ...more });
  live.release();
  live.endTurn(id);
}

/** The most that JSON makes of a code unit is six bytes. */
function denials(count: number, units: number): object {
  const text = "\u0001".repeat(units);
  return { denials: Array.from({ length: count }, () => ({ capability: text, target: text })) };
}

function tellLines(id: number, count: number, text = "line"): void {
  for (let line = 1; line <= count; line++) self.postMessage({ type: "said", id, text });
  answer(id, "done");
}
