/**
 * Test support: a call with a policy, and a network in which names and public addresses lead to servers of the test's on this machine.
 */
import { ResultError } from "../../../lib/component/link/host.ts";
import { type NetworkRule, parseNetworkEntry } from "../../../lib/network-rule.ts";
import { DENY_ALL, type Policy } from "../../../lib/policy/policy.ts";
import type { CallContext } from "../../../lib/worker/context.ts";
import { type Ambient, type AmbientOptions, ambientNetwork } from "../../../lib/worker/net/ambient.ts";
import { openNetwork } from "../../../lib/worker/net/network.ts";
import { Host, type WasiInterface } from "../../../lib/worker/wasi/host.ts";
import { type Event, waitFor } from "../../../lib/worker/wasi/poll.ts";

/** Thrown when a function ends the call by a trap. */
export class Trapped extends Error {}

/** A context that keeps what is done to it. */
export class FakeContext implements CallContext {
  readonly denials: (readonly [capability: string, target: string])[] = [];
  charged = 0;

  capture(): void {}

  charge(units: number): void {
    this.charged += units;
  }

  noteDenial(capability: string, target: string): void {
    this.denials.push([capability, target]);
  }

  takeInput(): Uint8Array {
    return new Uint8Array();
  }

  trap(reason: string): never {
    throw new Trapped(reason);
  }

  exit(): never {
    throw new Trapped("exit");
  }
}

/** What a test's network is made of. */
export interface TestNetwork {
  /** Addresses by name; a function is asked each time. */
  readonly names?: Readonly<Record<string, readonly string[] | (() => readonly string[])>>;
  /** A port of this machine by the address and port that it stands for: `93.184.215.14:443`. */
  readonly routes?: Readonly<Record<string, number>>;
  readonly certificates?: string;
}

/** One call. */
export class TestCall implements Disposable {
  readonly context: FakeContext = new FakeContext();
  readonly host: Host;
  /** Names that were looked up, in order. */
  readonly lookups: string[] = [];
  /** Where connections were begun to and datagrams sent to, in order. */
  readonly attempts: string[] = [];

  constructor(entries: readonly string[], network: TestNetwork = {}, policy: Partial<Policy> = {}) {
    this.host = new Host(this.context, { ...DENY_ALL, network: rules(entries), ...policy });
    openNetwork(this.host, this.#ambient(network));
  }

  /** Calls a function, and waits for it. */
  async wait(from: WasiInterface, name: string, ...values: readonly unknown[]): Promise<unknown> {
    return await this.call(from, name, ...values);
  }

  /** Calls a function. The test knows what that returns. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  call<T = unknown>(from: WasiInterface, name: string, ...values: readonly unknown[]): T {
    const found = from.functions.get(name);
    if (found === undefined) throw new Error(`there is no ${name}`);
    const value: T = Reflect.apply(found.run, undefined, [this.host, ...values]);
    return value;
  }

  [Symbol.dispose](): void {
    this.host[Symbol.dispose]();
  }

  #ambient({ names = {}, routes = {}, certificates }: TestNetwork): Ambient {
    const options: AmbientOptions = certificates === undefined ? {} : { certificates };
    const real = ambientNetwork(options);
    const record = (to: { readonly address: string; readonly port: number }): void => {
      this.attempts.push(`${to.address}:${to.port}`);
    };
    return {
      ...real,
      lookup: async (name) => {
        this.lookups.push(name);
        const found = names[name];
        if (found === undefined) throw Object.assign(new Error(), { code: "DNS_ENOTFOUND" });
        return typeof found === "function" ? found() : found;
      },
      connect: (how) => {
        record(how.to);
        return real.connect({ ...how, to: routed(routes, how.to) });
      },
      bindUdp: async (at, events) => {
        const socket = await real.bindUdp(at, events);
        return {
          ...socket,
          send: (data, to) => {
            record(to);
            return socket.send(data, to);
          },
        };
      },
    };
  }
}

/** Parses entries. */
export function rules(entries: readonly string[]): readonly NetworkRule[] {
  return entries.map((entry) => {
    const parsed = parseNetworkEntry(entry);
    if (!parsed.ok) throw new Error(`${entry} ${parsed.problem}`);
    return parsed.rule;
  });
}

/** The payload of the error that something gives the guest. */
export async function errorOf(action: () => unknown): Promise<unknown> {
  try {
    await action();
  } catch (error) {
    if (error instanceof ResultError) return error.payload;
    throw error;
  }
  throw new Error("it did not fail");
}

/** Waits for an event, as a guest does. */
export async function ready(event: Event): Promise<void> {
  await waitFor(event);
}

/** Waits until a condition holds. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error("it never happened");
    await Bun.sleep(1);
  }
}

/** Sends as much as a socket takes now. @returns Bytes. */
export function pour(socket: { write(bytes: Uint8Array): number }): number {
  const piece = new Uint8Array(65_536);
  let sent = 0;
  for (let wrote = 1; wrote > 0 && sent < 64_000_000; sent += wrote) wrote = Math.max(0, socket.write(piece));
  return sent;
}

export function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Nothing outside of this machine is ever connected to: a public address has a server of the test's, or none. */
function routed(
  routes: Readonly<Record<string, number>>,
  to: { readonly address: string; readonly port: number },
): { readonly address: string; readonly port: number } {
  const port = routes[`${to.address}:${to.port}`];
  if (port !== undefined) return { address: "127.0.0.1", port };
  if (to.address.startsWith("127.") || to.address === "::1") return to;
  return { address: "127.0.0.1", port: 1 };
}
