/**
 * Test support: a Worker that interrupts a call from outside, once the guest has settled its fuel for the first time.
 */
import { ControlBlock } from "../../lib/protocol/control.ts";

declare const self: Worker;

self.onmessage = (event: MessageEvent<WebAssembly.Memory>) => {
  const control = new ControlBlock(event.data);
  const before = control.fuelLeft;
  self.postMessage("watching");
  while (control.fuelLeft === before);
  control.interrupt("cancelled");
};
