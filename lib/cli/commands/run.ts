/**
 * `kami run`: calls a component file that is not installed.
 */
import { CALL_ARGS, CALL_NOTES, callAndPrint } from "../call.ts";
import { type Command, command } from "../command.ts";

/** `kami run <file.wasm>`. */
export const run: Command = command({
  name: "run",
  args: { file: { type: "positional", description: "A WebAssembly component (.wasm)" }, ...CALL_ARGS },
  notes: CALL_NOTES,
  examples: [
    { line: `kami run echo.wasm --input '{"text": "hello"}'`, meaning: "one call" },
    { line: "kami run echo.wasm --fuel 5000000 --memory-mb 16 --timeout-ms 1000 --usage", meaning: "with limits" },
    { line: "generate | kami run echo.wasm --input-file -", meaning: "input from another program" },
  ],
  run: ({ file, ...flags }, session) =>
    callAndPrint(session, flags, (runtime, input, options) => runtime.runFile(file, input, options)),
});
