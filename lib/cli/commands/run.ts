/**
 * `kami run`: calls a component file that is not installed.
 */
import { CALL_ARGS, CALL_NOTES, callOptions, printCall, readLimits } from "../call.ts";
import { type Command, command } from "../command.ts";
import { readInput } from "../input.ts";
import { openRuntime } from "../open.ts";

/** `kami run <file.wasm>`. */
export const run: Command = command({
  name: "run",
  summary: "Calls a component file in a fresh sandbox and prints its output. It is not installed.",
  args: { file: { type: "positional", description: "A WebAssembly component (.wasm)" }, ...CALL_ARGS },
  notes: CALL_NOTES,
  examples: [
    { line: `kami run echo.wasm --input '{"text": "hello"}'`, meaning: "one call" },
    { line: "kami run echo.wasm --fuel 5000000 --memory-mb 16 --timeout-ms 1000 --usage", meaning: "with limits" },
    { line: "generate | kami run echo.wasm --input-file -", meaning: "input from another program" },
  ],
  run: async ({ file, ...flags }, session) => {
    const limits = readLimits(flags);
    const settings = session.settings();
    const { INPUT_LIMIT_BYTES } = await import("../../runtime.ts");
    const input = await readInput(session, { text: flags.input, file: flags["input-file"] }, INPUT_LIMIT_BYTES);
    await using runtime = await openRuntime(session, settings);
    const result = await runtime.runFile(file, input, callOptions(session, limits));
    return printCall(session, result, flags.usage);
  },
});
