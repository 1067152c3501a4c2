/**
 * The process that compiles untrusted components: throw-away, for one component, which is its standard input, its answer the output; or standing, for one
 * after the other in frames, each answered by a frame.
 *
 * Nothing of a component runs here: it is read, checked, validated by jco, planned, and metered. Whatever is thrown besides a
 * `Failure` (a panic of jco's above all) ends the process, and the parent reports a crash.
 */
import { Failure } from "../errors.ts";
import { FrameReader, lengthOf } from "../frame-reader.ts";
import { STANDING } from "./child.ts";
import { compileHere } from "./compile-here.ts";
import { ModuleReader } from "./module-reader.ts";
import { encodeCompiled, encodeFailure } from "./reply.ts";

interface Answer {
  readonly isRefusal: boolean;
  readonly pieces: readonly Uint8Array[];
}

const output = Bun.stdout.writer();
const reader = new ModuleReader();

if (Bun.argv.at(-1) === STANDING) await stand();
else await write((await answer(await Bun.stdin.bytes())).pieces);
await output.end();

/** Answers until there is nothing more to read, or a component was refused: who knows what that left behind. */
async function stand(): Promise<void> {
  // Before there is anything to do: it takes 0.2 s.
  await import("./validate.ts");
  const frames = new FrameReader(2 ** 32 - 1);
  for await (const chunk of Bun.stdin.stream()) {
    for (const frame of frames.push(chunk) ?? []) {
      const { isRefusal, pieces } = await answer(frame);
      await write([lengthOf(pieces.reduce((sum, { length }) => sum + length, 0)), ...pieces]);
      if (isRefusal) return;
    }
  }
}

async function write(pieces: readonly Uint8Array[]): Promise<void> {
  for (const piece of pieces) {
    await output.write(piece);
    await output.flush();
  }
}

async function answer(component: Uint8Array): Promise<Answer> {
  try {
    return { isRefusal: false, pieces: encodeCompiled(await compileHere(component, reader)) };
  } catch (error) {
    if (error instanceof Failure) return { isRefusal: true, pieces: encodeFailure(error) };
    throw error;
  }
}
