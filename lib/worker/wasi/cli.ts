/**
 * `wasi:cli`: the granted environment, captured output, no terminal, and exit. The guest's side of the trust boundary.
 *
 * Source: wasi:cli 0.2, wit/environment.wit, wit/exit.wit, wit/stdio.wit, wit/terminal.wit.
 */
import { define } from "../../component/link/host.ts";
import { list, option, own, result, string, tuple, u8 } from "../../schema/value-type.ts";
import type { GuestStream } from "../../protocol/limits.ts";
import { type Host, serve, type WasiInterface } from "./host.ts";
import { READY } from "./poll.ts";
import { CHUNK_LIMIT, InputStream, OutputStream, type Sink, type Source, StreamEnd } from "./streams.ts";

const INPUT = own("wasi:io/streams/input-stream");
const OUTPUT = own("wasi:io/streams/output-stream");

/** The interfaces of `wasi:cli`. No terminal exists: `terminal-input` and `terminal-output` have no functions. */
export const CLI: readonly WasiInterface[] = [
  serve("wasi:cli/environment", {
    /** Lists the variables that were granted. Source: wit/environment.wit `get-environment`. */
    "get-environment": define([{}, list(tuple(string, string))], ({ policy }: Host) => policy.environment),

    /** Lists the arguments: none, not even a program name. Source: wit/environment.wit `get-arguments`. */
    "get-arguments": define([{}, list(string)], () => []),

    /** Gives the initial working directory: none. Source: wit/environment.wit `initial-cwd`. */
    "initial-cwd": define([{}, option(string)], () => undefined),
  }),
  serve("wasi:cli/exit", {
    /** Ends the call: `ok` is exit code 0, `error` is 1. Source: wit/exit.wit `exit`: "Exit the current instance and any linked instances". */
    exit: define([{ status: result() }], (host: Host, { tag }: { tag: string }) =>
      host.context.exit(tag === "ok" ? 0 : 1),
    ),

    /** Ends the call with an exit code. Source: wit/exit.wit `exit-with-code`: "with 0 usually meaning "success"". */
    "exit-with-code": define([{ "status-code": u8 }], (host: Host, code: number) => host.context.exit(code)),
  }),
  serve("wasi:cli/stdin", {
    /** Opens stdin: the input of a command, else empty. Source: wit/stdio.wit `get-stdin`. */
    "get-stdin": define([{}, INPUT], (host: Host) => new InputStream(host, stdin(host))),
  }),
  serve("wasi:cli/stdout", {
    /** Opens stdout, which the call captures. Source: wit/stdio.wit `get-stdout`. */
    "get-stdout": define([{}, OUTPUT], (host: Host) => new OutputStream(host, captured(host, "stdout"))),
  }),
  serve("wasi:cli/stderr", {
    /** Opens stderr, which the call captures. Source: wit/stdio.wit `get-stderr`. */
    "get-stderr": define([{}, OUTPUT], (host: Host) => new OutputStream(host, captured(host, "stderr"))),
  }),
  serve("wasi:cli/terminal-input", {}, ["terminal-input"]),
  serve("wasi:cli/terminal-output", {}, ["terminal-output"]),
  serve("wasi:cli/terminal-stdin", {
    /** Finds no terminal. Source: wit/terminal.wit `get-terminal-stdin`. */
    "get-terminal-stdin": define([{}, option(own("wasi:cli/terminal-input/terminal-input"))], () => undefined),
  }),
  serve("wasi:cli/terminal-stdout", {
    /** Finds no terminal. Source: wit/terminal.wit `get-terminal-stdout`. */
    "get-terminal-stdout": define([{}, option(own("wasi:cli/terminal-output/terminal-output"))], () => undefined),
  }),
  serve("wasi:cli/terminal-stderr", {
    /** Finds no terminal. Source: wit/terminal.wit `get-terminal-stderr`. */
    "get-terminal-stderr": define([{}, option(own("wasi:cli/terminal-output/terminal-output"))], () => undefined),
  }),
];

/** One position for the whole call: each handle goes on where the others stopped. */
function stdin({ context }: Host): Source {
  return {
    ...READY,
    read: (limit) => {
      const piece = context.takeInput(limit);
      if (piece.length === 0) throw new StreamEnd();
      return piece;
    },
  };
}

function captured({ context }: Host, stream: GuestStream): Sink {
  return {
    ...READY,
    capacity: () => CHUNK_LIMIT,
    write: (piece) => context.capture(stream, piece),
    flush: () => undefined,
  };
}
