/**
 * Runs a script of KAMI's own in a process that may be killed at any moment: empty environment, root directory, pipes only; bounded output,
 * time and memory for one that is run to its end. Ambient: starts a process with the user's rights, for code that is trusted with bytes
 * that are not.
 */
import { existsSync } from "node:fs";
import { CHILD_ENVIRONMENTS, type OwnProcess, roleWord, SHIPMENT } from "../roles.ts";

/** What a child is given, and the most that it may use. */
export interface ChildOptions {
  /** Absolute path of the script. */
  readonly script: string;
  /** Its standard input. */
  readonly input: Uint8Array;
  /** Milliseconds of wall time. */
  readonly timeoutMs: number;
  /** Bytes of resident memory. Enforced on Linux, where /proc tells. */
  readonly memoryBytes: number;
  /** Bytes of standard output. */
  readonly outputBytes: number;
  /** Aborting it kills the child. */
  readonly signal?: AbortSignal | undefined;
}

/** How a child ended. */
export interface ChildResult {
  readonly ending: "exit" | "timeout" | "memory" | "output" | "abort";
  /** Undefined when a signal ended it. */
  readonly exitCode: number | undefined;
  /** The signal that ended it, when one did. */
  readonly signal: string | undefined;
  readonly output: Uint8Array;
  /** What it wrote to standard error, at most {@link STDERR_BYTES}. Not cleaned. */
  readonly stderr: string;
}

/** Bytes of standard error that are kept. */
export const STDERR_BYTES = 65_536;

/** Between two looks at the child's memory. A child that allocates as fast as it can gains about 100 MiB in that time. */
export const MEMORY_POLL_MS = 25;

/**
 * Nothing that lies in a directory or a home changes how the child starts, it downloads nothing, loads no native code, and does
 * not outlive its parent.
 */
const BUN_FLAGS = [
  "--no-env-file",
  "--config=/dev/null",
  "--no-install",
  "--no-addons",
  "--no-macros",
  "--no-orphans",
] as const;

/** What all children have in common. */
const SURROUNDINGS = { cwd: "/", stdout: "pipe", stderr: "pipe" } as const;

/** The running binary by this name, even when another one has taken its place on the disk meanwhile. */
const LINUX_SELF = "/proc/self/exe";

type Child = Bun.Subprocess<Uint8Array, "pipe", "pipe">;
type Ending = ChildResult["ending"];

/**
 * Runs a child to its end.
 *
 * @returns How it ended. Never throws for what the child does.
 */
export async function runAmbientChild(options: ChildOptions): Promise<ChildResult> {
  const child: Child = Bun.spawn(commandOf(options.script), {
    ...SURROUNDINGS,
    env: CHILD_ENVIRONMENTS.compiler,
    stdin: options.input,
  });
  let ending: Ending = "exit";
  const kill = (reason: Ending): void => {
    if (ending === "exit") ending = reason;
    child.kill("SIGKILL");
  };
  const abort = (): void => kill("abort");
  if (options.signal?.aborted === true) abort();
  options.signal?.addEventListener("abort", abort, { once: true });
  const deadline = setTimeout(kill, options.timeoutMs, "timeout");
  const poll = setInterval(() => {
    void residentBytes(child.pid).then((bytes) => bytes > options.memoryBytes && kill("memory"));
  }, MEMORY_POLL_MS);
  try {
    const [output, stderr] = await Promise.all([
      collect(child.stdout, options.outputBytes, () => kill("output")),
      collect(child.stderr, STDERR_BYTES, () => undefined),
    ]);
    const exitCode = await child.exited;
    const signal = child.signalCode === null ? undefined : String(child.signalCode);
    return {
      ending,
      exitCode: signal === undefined ? exitCode : undefined,
      signal,
      output,
      stderr: new TextDecoder().decode(stderr),
    };
  } finally {
    clearTimeout(deadline);
    clearInterval(poll);
    options.signal?.removeEventListener("abort", abort);
  }
}

/** The last argument of a child that answers one request after the other. */
export const STANDING = "standing";

/**
 * Starts a child that lives on, and is spoken with over its pipes.
 *
 * @param script - Absolute path of the script.
 * @param role - What it is.
 * @throws {Error} when the system starts no process.
 */
export function startAmbientChild(script: string, role: OwnProcess): Bun.Subprocess<"pipe", "pipe", "pipe"> {
  // Detached: an interrupt from the terminal is meant for its parent, which ends it in order.
  return Bun.spawn([...commandOf(script), STANDING], {
    ...SURROUNDINGS,
    env: CHILD_ENVIRONMENTS[role],
    stdin: "pipe",
    detached: true,
  });
}

/** The binary is its own children: what it contains is started by a word, and never looked for on the disk. */
function commandOf(script: string): string[] {
  if (SHIPMENT !== "binary") return [process.execPath, ...BUN_FLAGS, script];
  return [existsSync(LINUX_SELF) ? LINUX_SELF : process.execPath, roleWord(script)];
}

/** Reads a stream to its end, and keeps its first `limit` bytes. @param overflow - Told when there are more. */
export async function collect(
  stream: ReadableStream<Uint8Array>,
  limit: number,
  overflow: () => void,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let kept = 0;
  for await (const chunk of stream) {
    const room = limit - kept;
    if (chunk.length > room) overflow();
    if (room > 0) chunks.push(chunk.subarray(0, room));
    kept += Math.min(chunk.length, room);
  }
  return Buffer.concat(chunks, kept);
}

/** Reads how much memory a process has resident. @returns Zero where the system does not tell. */
export async function residentBytes(pid: number): Promise<number> {
  try {
    const status = await Bun.file(`/proc/${pid}/status`).text();
    return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
