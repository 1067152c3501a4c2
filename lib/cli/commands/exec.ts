/**
 * `kami exec`: calls an installed tool once.
 */
import { adviseOn } from "../../policy/advice.ts";
import { deniedTool } from "../access.ts";
import { CALL_ARGS, CALL_NOTES, callAndPrint, explainInput } from "../call.ts";
import { type Command, command } from "../command.ts";
import { resolveTool } from "../names.ts";
import { runAtTerminal } from "../rounds.ts";

/** `kami exec <id>`. */
export const exec: Command = command({
  name: "exec",
  args: {
    id: { type: "positional", description: "Id of an installed tool, or its name when no other has it" },
    ...CALL_ARGS,
  },
  notes: CALL_NOTES,
  examples: [
    { line: `kami exec dev.example.csv-summary --input '{"csv": "a,b\\n1,2"}'`, meaning: "one call" },
    { line: "kami exec dev.example.csv-summary --input-file request.json --usage", meaning: "input from a file" },
    { line: "kami exec dev.example.csv-summary --input-file - --json < request.json", meaning: "for a script" },
  ],
  run: ({ id, ...flags }, session) =>
    callAndPrint(session, flags, async (runtime, input, options) => {
      const tool = resolveTool(runtime.registry, id);
      const ended = await runAtTerminal(session, tool, (answers) =>
        runtime.call(tool.id, input, { ...options, answers }),
      );
      const result = explainInput(ended, { tool: tool.id });
      return { ...result, advise: (denial) => adviseOn(deniedTool(tool), denial) };
    }),
});
