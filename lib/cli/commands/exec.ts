/**
 * `kami exec`: calls an installed tool once.
 */
import { CALL_ARGS, CALL_NOTES, callOptions, printCall, readLimits } from "../call.ts";
import { type Command, command } from "../command.ts";
import { readInput } from "../input.ts";
import { openRuntime } from "../open.ts";

/** `kami exec <id>`. */
export const exec: Command = command({
  name: "exec",
  summary: "Calls an installed tool in a fresh sandbox and prints its output.",
  args: { id: { type: "positional", description: "Id of an installed tool" }, ...CALL_ARGS },
  notes: CALL_NOTES,
  examples: [
    { line: `kami exec dev.example.csv-summary --input '{"csv": "a,b\\n1,2"}'`, meaning: "one call" },
    { line: "kami exec dev.example.csv-summary --input-file request.json --usage", meaning: "input from a file" },
    { line: "kami exec dev.example.csv-summary --input-file - --json < request.json", meaning: "for a script" },
  ],
  run: async ({ id, ...flags }, session) => {
    const limits = readLimits(flags);
    const settings = session.settings();
    const { INPUT_LIMIT_BYTES } = await import("../../runtime.ts");
    const input = await readInput(session, { text: flags.input, file: flags["input-file"] }, INPUT_LIMIT_BYTES);
    await using runtime = await openRuntime(session, settings);
    const result = await runtime.call(id, input, callOptions(session, limits));
    return printCall(session, result, flags.usage);
  },
});
