/**
 * Variables. A file of its own, so that a tool which reads none does not import them.
 */
import { getEnvironment } from "wasi:cli/environment@0.2.12";

/** Reads a variable that the manifest asks for in `env_allow_list` and the user granted. @returns Undefined when there is none. */
export function env(name: string): string | undefined {
  return getEnvironment().find(([key]) => key === name)?.[1];
}
