/**
 * Test support: a host that counts what it is told, at once or after a wait.
 */
import { define, defineBlocking } from "../../../../lib/component/link/host.ts";
import { u32 } from "../../../../lib/schema/value-type.ts";
import type { Hosts, TestCall } from "./linking.ts";

/** Functions `tick` and `wait` of the host's: each adds to a list, the second one later. */
export function clockOf(ticks: number[]): Hosts {
  return {
    tick: { "": define([{ n: u32 }, u32], (_: TestCall, n: number) => ticks.push(n)) },
    wait: {
      "": defineBlocking([{ n: u32 }, u32], async (_: TestCall, n: number) => {
        await Bun.sleep(1);
        return ticks.push(n);
      }),
    },
  };
}

/** Imports `tick`, and lowers it. */
export const CLOCK: string = `
  (import "tick" (func $tick (param "n" u32) (result u32)))
  (core func $tick (canon lower (func $tick)))`;

/** A component that waits: all that is called in it may be suspended. */
export const WAITING_CLOCK: string = CLOCK.replaceAll("tick", "wait");
