/**
 * `kami exec`: calls an installed tool once.
 */
import { CALL_ARGS, CALL_NOTES, callAndPrint } from "../call.ts";
import { type Command, command } from "../command.ts";

/** `kami exec <id>`. */
export const exec: Command = command({
  name: "exec",
  args: { id: { type: "positional", description: "Id of an installed tool" }, ...CALL_ARGS },
  notes: CALL_NOTES,
  examples: [
    { line: `kami exec dev.example.csv-summary --input '{"csv": "a,b\\n1,2"}'`, meaning: "one call" },
    { line: "kami exec dev.example.csv-summary --input-file request.json --usage", meaning: "input from a file" },
    { line: "kami exec dev.example.csv-summary --input-file - --json < request.json", meaning: "for a script" },
  ],
  run: ({ id, ...flags }, session) =>
    callAndPrint(session, flags, (runtime, input, options) => runtime.call(id, input, options)),
});
