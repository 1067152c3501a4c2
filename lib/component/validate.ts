/**
 * Has jco's validator look at a component: it checks all types and all that is linked. Only ever in the throw-away process: one panic spoils
 * jco for the rest of the process. What it generates is thrown away: KAMI links components itself.
 */
import { $init, generate, type GenerateOptions } from "@bytecodealliance/jco-transpile/component";
import { explainRejection } from "./rejection.ts";

const OPTIONS: GenerateOptions = {
  name: "tool",
  noTypescript: true,
  instantiation: { tag: "sync" },
  tlaCompat: false,
  noNodejsCompat: true,
  base64Cutoff: 0,
  multiMemory: true,
};

/**
 * Validates a component.
 *
 * @param component - One that has been inspected.
 * @throws {Failure} COMPONENT_INVALID, COMPONENT_UNSUPPORTED. Anything else that is thrown is a crash of jco.
 */
export async function validateComponent(component: Uint8Array): Promise<void> {
  await $init;
  try {
    generate(component, OPTIONS);
  } catch (error) {
    // What jco reports in an orderly way is thrown as a ComponentError, whose payload is the message; a panic is not.
    if (error instanceof Error && "payload" in error && typeof error.payload === "string")
      throw explainRejection(error.payload);
    throw error;
  }
}
