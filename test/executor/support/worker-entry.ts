/**
 * Test support: a Worker that does to the host what its call's input says. It stands for a Worker that a guest has taken over, or that the
 * engine has lost.
 */
import { ControlBlock } from "../../../lib/protocol/control.ts";
import { NO_OUTPUT, NO_USAGE } from "../../../lib/protocol/limits.ts";
import type { CallMessage, HostMessage } from "../../../lib/protocol/messages.ts";

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
  | "takes 50 ms";

type Act = (id: number, control: ControlBlock, message: CallMessage) => unknown;

/** What the host said beside calls, in order: `load a`, `unload b`. */
const said: string[] = [];

const BEHAVIOURS: Readonly<Record<Behaviour, Act>> = {
  ok: (id) => answer(id, "done"),
  said: (id) => answer(id, JSON.stringify(said)),
  environment: (id) => answer(id, JSON.stringify(process.env)),
  policy: (id, _, { policy }) => answer(id, JSON.stringify(policy)),
  denials: (id) => settle(id, { ok: true, output: "done" }, denials(32, 300)),
  "too many denials": (id) => settle(id, { ok: true, output: "done" }, denials(33, 1)),
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
};

self.onmessage = (event: MessageEvent<HostMessage<unknown>>) => {
  const message = event.data;
  if (message.type === "call") act(message);
  else if ("digest" in message) said.push(`${message.type} ${message.digest}`);
};
self.postMessage({ type: "ready" });

function act(message: CallMessage): void {
  const { id, input, control } = message;
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
}

/** The most that JSON makes of a code unit is six bytes. */
function denials(count: number, units: number): object {
  const text = "\u0001".repeat(units);
  return { denials: Array.from({ length: count }, () => ({ capability: text, target: text })) };
}
