/**
 * `kami doctor`: what is wrong with this installation, and how to mend it. It looks, and changes nothing.
 */
import { clean, Failure } from "../../errors.ts";
import { type Command, command, JSON_ERROR_NOTE } from "../command.ts";
import { checkClients } from "../doctor/clients.ts";
import { bad, type Finding } from "../doctor/finding.ts";
import { checkMachine } from "../doctor/machine.ts";
import { checkPort } from "../doctor/port.ts";
import { checkState } from "../doctor/state.ts";
import { EXIT } from "../exit-codes.ts";
import type { Session } from "../session.ts";
import { wrap } from "../table.ts";

/** Most code units of one text. */
const TEXT_LIMIT = 1000;

const MARKS = { good: "ok", odd: "odd", bad: "BAD", none: "-" } as const;
const STYLES = { good: "green", odd: "yellow", bad: "red", none: "dim" } as const;

/** `kami doctor`. */
export const doctor: Command = command({
  name: "doctor",
  args: { json: { type: "boolean", description: "Print { ok, findings: [{ id, state, text, mend }] }" } },
  notes: [
    'A state is "good", "odd" (may not work, or is not safe), "bad" (does not work) or',
    '"none" (nothing to judge). The exit code is 8 when anything is bad.',
    JSON_ERROR_NOTE,
  ],
  examples: [
    { line: "kami doctor", meaning: "look at everything" },
    { line: "kami doctor --json", meaning: "for a script" },
  ],
  run: async (_args, session) => {
    const findings = [...checkMachine(session.host), ...(await checkConfigured(session)), await checkPort()];
    const isWell = findings.every(({ state }) => state !== "bad");
    const lines = findings.flatMap((finding) => describe(finding, session));
    await session.result(lines.join("\n"), {
      ok: isWell,
      findings: findings.map(({ id, state, text, mend }) => ({
        id,
        state,
        text: clean(text, TEXT_LIMIT),
        mend: mend === undefined ? null : clean(mend, TEXT_LIMIT),
      })),
    });
    return isWell ? EXIT.ok : EXIT.badState;
  },
});

/** What depends on the settings: when they cannot be read, that is the finding. */
async function checkConfigured(session: Session): Promise<readonly Finding[]> {
  try {
    const settings = session.settings();
    return [...(await checkState(session, settings)), ...checkClients(session)];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [bad("settings", error.message, error.hint ?? "see the settings with: kami config")];
  }
}

function describe({ state, text, mend }: Finding, session: Session): readonly string[] {
  const { columns } = session.host.stdout;
  const mark = session.paint(STYLES[state], MARKS[state].padEnd(4));
  const [first = "", ...rest] = wrap(clean(text, TEXT_LIMIT), columns, "     ").split("\n");
  const lines = [`${mark} ${first.trimStart()}`, ...rest];
  return mend === undefined ? lines : [...lines, wrap(`→ ${clean(mend, TEXT_LIMIT)}`, columns, "     ")];
}
