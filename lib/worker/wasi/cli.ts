/**
 * `wasi:cli`: an empty environment, captured output, no terminal, and exit. The guest's side of the trust boundary.
 *
 * Source: wasi:cli 0.2, wit/environment.wit, wit/exit.wit, wit/stdio.wit, wit/terminal.wit.
 */
import type { Host, Interface, InterfaceFactory } from "./host.ts";
import { Input, InputStream, OutputStream } from "./streams.ts";

/** The interfaces of `wasi:cli`, by name without version. `terminal-input` and `terminal-output` are denied: none exists. */
export const CLI_INTERFACES: readonly (readonly [name: string, create: InterfaceFactory])[] = [
  ["wasi:cli/environment", createEnvironment],
  ["wasi:cli/exit", createExit],
  ["wasi:cli/stdin", createStdin],
  ["wasi:cli/stdout", createStdout],
  ["wasi:cli/stderr", createStderr],
  ["wasi:cli/terminal-stdin", (host) => ({ getTerminalStdin: () => findTerminal(host) })],
  ["wasi:cli/terminal-stdout", (host) => ({ getTerminalStdout: () => findTerminal(host) })],
  ["wasi:cli/terminal-stderr", (host) => ({ getTerminalStderr: () => findTerminal(host) })],
];

function createEnvironment(host: Host): Interface {
  return {
    /** Lists the environment variables: none. Source: wit/environment.wit `get-environment`. */
    getEnvironment(): [] {
      host.context.enter();
      return [];
    },

    /** Lists the arguments: none, not even a program name. Source: wit/environment.wit `get-arguments`. */
    getArguments(): [] {
      host.context.enter();
      return [];
    },

    /** Gives the initial working directory: none. Source: wit/environment.wit `initial-cwd`. */
    initialCwd(): undefined {
      host.context.enter();
    },
  };
}

function createExit(host: Host): Interface {
  return {
    /**
     * Ends the call: `ok` is exit code 0, `err` is 1.
     *
     * Source: wit/exit.wit `exit`: "Exit the current instance and any linked instances".
     */
    exit(status: unknown): never {
      host.context.enter();
      const ok = typeof status === "object" && status !== null && "tag" in status && status.tag === "ok";
      return host.context.exit(ok ? 0 : 1);
    },

    /**
     * Ends the call with an exit code, 0 to 255.
     *
     * Source: wit/exit.wit `exit-with-code`: "with 0 usually meaning "success", and other values indicating various types of failure".
     */
    exitWithCode(code: unknown): never {
      host.context.enter();
      const valid = typeof code === "number" && Number.isInteger(code) && code >= 0 && code <= 255;
      return valid ? host.context.exit(code) : host.trapType("wasi:cli/exit exit-with-code");
    },
  };
}

function createStdin(host: Host): Interface {
  // One position for the whole call: each handle goes on where the others stopped.
  const input = new Input(host.context.stdin);
  return {
    /** Opens stdin: the input of a command, else empty. Source: wit/stdio.wit `get-stdin`. */
    getStdin(): InputStream {
      host.context.enter();
      return new InputStream(host, input);
    },
  };
}

function createStdout(host: Host): Interface {
  return {
    /** Opens stdout, which the call captures. Source: wit/stdio.wit `get-stdout`. */
    getStdout(): OutputStream {
      host.context.enter();
      return new OutputStream(host, "stdout");
    },
  };
}

function createStderr(host: Host): Interface {
  return {
    /** Opens stderr, which the call captures. Source: wit/stdio.wit `get-stderr`. */
    getStderr(): OutputStream {
      host.context.enter();
      return new OutputStream(host, "stderr");
    },
  };
}

/** Finds no terminal. Source: wit/terminal.wit `get-terminal-stdin` and its like. */
function findTerminal(host: Host): undefined {
  host.context.enter();
}
