/**
 * A process for the command line's tests: what it prints is kept, and nothing of the real one is read.
 */
import { Readable, Writable } from "node:stream";
import type { EndSignal, Host, Sink } from "../../../lib/cli/host.ts";

/** What a test says of its process. */
export interface HostOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly directory?: string;
  readonly userHome?: string;
  readonly platform?: string;
  readonly versions?: Partial<Host["versions"]>;
  readonly stdin?: readonly Uint8Array[];
  readonly isTerminal?: boolean;
  readonly columns?: number;
}

/** A host that can be looked at. */
export interface TestHost extends Host {
  /** What was printed so far. */
  readonly printed: { stdout: string; stderr: string };
  /** Exit codes that the process would have ended with at once. */
  readonly exits: number[];
  /** Sends a signal to end. */
  send(signal: EndSignal): void;
}

/** Makes a host. Its home and directory are places that do not exist, unless the test names some. */
export function testHost(options: HostOptions = {}): TestHost {
  const printed = { stdout: "", stderr: "" };
  const exits: number[] = [];
  const listeners = new Set<(signal: EndSignal) => void>();
  const sink = (name: "stdout" | "stderr"): Sink => ({
    isTerminal: options.isTerminal ?? false,
    columns: options.columns,
    write: (text) => {
      printed[name] += text;
      return Promise.resolve();
    },
  });
  return {
    version: "1.2.3",
    stdout: sink("stdout"),
    stderr: sink("stderr"),
    stdinIsTerminal: options.isTerminal ?? false,
    stdin: () => Readable.from(options.stdin ?? []),
    reserveStdout: () => new Writable(),
    environment: new Map(Object.entries(options.environment ?? {})),
    userHome: options.userHome ?? "/nonexistent/user",
    platform: options.platform ?? "linux",
    versions: { bun: "1.4.5", kernel: "6.8.0-test", ...options.versions },
    userId: process.getuid?.(),
    launch: { command: "/opt/bun/bin/bun", args: ["--cwd=/opt/kami", "bin/kami.ts", "serve"] },
    cores: 4,
    currentDirectory: () => options.directory ?? "/nonexistent/directory",
    onEndSignal: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    exit: (code) => exits.push(code),
    printed,
    exits,
    send: (signal) => {
      for (const listener of listeners) listener(signal);
    },
  };
}
