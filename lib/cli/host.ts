/**
 * What the command line needs from the process around it. The only file of `lib/` that touches the ambient process;
 * everything else is given a {@link Host}.
 */
import { availableParallelism, homedir, release } from "node:os";
import { isAbsolute, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { isatty } from "node:tty";
import { refuse } from "../errors.ts";
import { SHIPMENT } from "../roles.ts";

/** A stream that the user reads. */
export interface Sink {
  /** Whether a person looks at it. */
  readonly isTerminal: boolean;
  /** Width in columns; present on a terminal. */
  readonly columns: number | undefined;
  /** Writes text; settles once it is written, or can no longer be because the reader has gone. */
  write(text: string): Promise<void>;
}

/** A signal that asks `kami` to end. */
export type EndSignal = "SIGINT" | "SIGTERM";

/** How a program starts `kami serve`, wherever it is itself. */
export interface Launch {
  /** Absolute path. */
  readonly command: string;
  readonly args: readonly string[];
}

/** The process, as the command line sees it. */
export interface Host {
  /** KAMI's version. */
  readonly version: string;
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly stdinIsTerminal: boolean;
  /** The bytes of standard input. */
  stdin(): Readable;
  /** Standard output as a bare stream, for the protocol alone: from then on, `console.log` of any library writes to stderr. */
  reserveStdout(): Writable;
  readonly environment: ReadonlyMap<string, string>;
  /** The user's home directory, absolute; empty when there is none. */
  readonly userHome: string;
  /** The system's name, as in `linux` and `darwin`. */
  readonly platform: string;
  /** Of Bun, and of the system's kernel. */
  readonly versions: { readonly bun: string; readonly kernel: string };
  /** Id of the user whom files belong to; undefined where there are none. */
  readonly userId: number | undefined;
  readonly launch: Launch;
  /** Processor cores that this process may use, at least 1. */
  readonly cores: number;
  /**
   * Finds the current directory.
   *
   * @throws {Failure} FILE_UNREADABLE when it has been removed.
   */
  currentDirectory(): string;
  /** Calls the listener for each signal to end, in place of ending at once. Returns how to stop that. */
  onEndSignal(listener: (signal: EndSignal) => void): () => void;
  /** Ends the process now. */
  exit(code: number): void;
}

/** Makes the host out of the process. */
export function ambientHost(version: string): Host {
  return {
    version,
    stdout: ambientSink(process.stdout),
    stderr: ambientSink(process.stderr),
    stdinIsTerminal: isatty(0),
    stdin: () => process.stdin,
    reserveStdout: reserveAmbientStdout,
    environment: ambientEnvironment(),
    userHome: ambientHome(),
    platform: process.platform,
    versions: { bun: Bun.version, kernel: release() },
    userId: process.getuid?.(),
    launch: ambientLaunch(),
    cores: availableParallelism(),
    currentDirectory: ambientDirectory,
    onEndSignal: onAmbientSignal,
    exit: (code) => process.exit(code),
  };
}

/** Bun obeys files of the current directory, and an agent's may be anybody's: hence the `--cwd`. A binary needs none. */
function ambientLaunch(): Launch {
  if (SHIPMENT === "binary") return { command: process.execPath, args: ["serve"] };
  const [root, main] =
    SHIPMENT === "package" ? [import.meta.dir, "kami.js"] : [join(import.meta.dir, "..", ".."), "bin/kami.ts"];
  return { command: process.execPath, args: [`--cwd=${root}`, main, "serve"] };
}

function ambientSink(stream: NodeJS.WriteStream): Sink {
  // A reader that leaves early (`kami list | head -1`) is no error of ours; unhandled, the event would end the process.
  stream.on("error", () => undefined);
  return {
    isTerminal: stream.isTTY,
    get columns(): number | undefined {
      // A terminal that does not know its width reports 0.
      return stream.isTTY && stream.columns > 0 ? stream.columns : undefined;
    },
    write: (text) =>
      new Promise((resolve) => {
        stream.write(text, () => {
          resolve();
        });
      }),
  };
}

function reserveAmbientStdout(): Writable {
  const toStderr = console.error.bind(console);
  for (const method of ["log", "info", "debug", "table", "dir", "dirxml", "group"] as const) console[method] = toStderr;
  return process.stdout;
}

function ambientEnvironment(): ReadonlyMap<string, string> {
  const entries = Object.entries(process.env);
  return new Map(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/** A user without a name (a container's) has none, and one that is relative would be in the current directory. */
function ambientHome(): string {
  try {
    const home = homedir();
    return isAbsolute(home) ? home : "";
  } catch {
    return "";
  }
}

function ambientDirectory(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw refuse("FILE_UNREADABLE", { path: ".", reason: "the current directory no longer exists" }, error);
  }
}

function onAmbientSignal(listener: (signal: EndSignal) => void): () => void {
  process.on("SIGINT", listener);
  process.on("SIGTERM", listener);
  return () => {
    process.off("SIGINT", listener);
    process.off("SIGTERM", listener);
  };
}
