/**
 * `kami run`: calls a component file that is not installed.
 */
import { MOUNT_ARG, readGrants } from "../grant-flags.ts";
import { CALL_ARGS, CALL_NOTES, callAndPrint } from "../call.ts";
import { quote } from "../../errors.ts";
import { parseCapability, nameOf, quoteWord } from "../../policy/capability.ts";
import type { Denial } from "../../protocol/limits.ts";
import { type Command, command } from "../command.ts";

/** `kami run <file.wasm>`. */
export const run: Command = command({
  name: "run",
  args: {
    file: { type: "positional", description: "A WebAssembly component (.wasm)" },
    "allow-net": {
      type: "string",
      valueHint: "rule",
      description: "Let it connect: [scheme://]host[:port][/path]. More than once",
    },
    "allow-env": { type: "string", valueHint: "NAME", description: "Let it read a variable of yours. More than once" },
    mount: MOUNT_ARG,
    ...CALL_ARGS,
  },
  many: ["allow-net", "allow-env", "mount"],
  notes: ["The file gets what the flags allow for this one call, and nothing else.", ...CALL_NOTES],
  examples: [
    { line: `kami run echo.wasm --input '{"text": "hello"}'`, meaning: "one call" },
    { line: "kami run echo.wasm --fuel 5000000 --memory-mb 16 --timeout-ms 1000 --usage", meaning: "with limits" },
    { line: "kami run fetch.wasm --allow-net api.github.com --mount ./data:/data:ro", meaning: "with access" },
    { line: "generate | kami run echo.wasm --input-file -", meaning: "input from another program" },
  ],
  run: async ({ file, "allow-net": net, "allow-env": env, mount, ...flags }, session) => {
    const read = (own: readonly string[]): ReturnType<typeof readGrants> =>
      readGrants({ net, env, mount }, { host: session.host, own });
    // The command line is checked before anything is read or opened.
    await read([]);
    return callAndPrint(session, flags, async (runtime, input, options) => {
      const grants = await read(runtime.registry.grants.own);
      const result = await runtime.runFile(file, input, { ...options, grants });
      return { ...result, advise: adviseOnRun };
    });
  },
});

/** Says which flag would have allowed what a file was denied. */
function adviseOnRun({ capability, target }: Denial): string {
  const parsed = parseCapability(capability);
  const [kind = "", rest = ""] = parsed.ok ? nameOf(parsed.capability).split(/:(.*)/s) : [];
  const isFlag = kind === "net" || kind === "env";
  const advice = isFlag ? `; allow it with: --allow-${kind} ${quoteWord(rest)}` : "";
  return `denied ${quote(capability)}, for ${quote(target)}${advice}`;
}
