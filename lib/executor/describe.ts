/**
 * What a `kami:tool/tool` component says of itself: asked once, when it is installed, under limits and without any access, and checked. Later the
 * record of it is read: an agent's list of tools must not wait for guests, and they cannot say something else then.
 */
import type { Artifact } from "../component/artifact.ts";
import { refuse } from "../errors.ts";
import { DENY_ALL } from "../policy/policy.ts";
import type { Limits } from "../protocol/limits.ts";
import { readDescription } from "../schema/described.ts";
import type { Described } from "../schema/foreign.ts";
import type { CallRequest, Calls } from "./calls.ts";

/** Fuel and milliseconds that `describe` gets: a script's engine may have to start first. */
const DESCRIBE_LIMITS: Pick<Limits, "fuel" | "timeoutMs"> = Object.freeze({
  fuel: 200_000_000,
  timeoutMs: 10_000,
});

/**
 * Asks a component to describe itself.
 *
 * @param artifact - The compiled component.
 * @param calls - Runs it.
 * @param memoryBytes - What its calls may use.
 * @returns Undefined for components that have no `describe`.
 * @throws {Failure} `DESCRIBE_REFUSED` when it fails, or says what KAMI does not take.
 */
export async function describeItself(
  artifact: Artifact,
  calls: Calls,
  memoryBytes: number,
): Promise<Described | undefined> {
  if (artifact.kind !== "tool") return undefined;
  const limits: Limits = { ...DESCRIBE_LIMITS, memoryBytes };
  const request: CallRequest = {
    artifact,
    entry: "describe",
    input: "{}",
    limits,
    policy: DENY_ALL,
    client: "describe",
  };
  const settled = await calls.call(request);
  if (settled.ok) return readDescription(settled.output);
  if (settled.failure.code === "CANCELLED") throw settled.failure;
  throw refuse("DESCRIBE_REFUSED", { reason: `it failed: ${settled.failure.message}` }, settled.failure);
}
