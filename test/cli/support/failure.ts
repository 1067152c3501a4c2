/**
 * What a failure says, for assertions on whole messages.
 */
import { Failure } from "../../../lib/errors.ts";

/** A failure's code, message and hint. */
export type Told = readonly [code: string, message: string, hint: string | undefined];

/** Runs what must fail, and tells how. Anything but a failure is thrown on. */
export async function told(work: () => unknown): Promise<Told> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Failure) return [error.code, error.message, error.hint];
    throw error;
  }
  throw new Error("it did not fail");
}
