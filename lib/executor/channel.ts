/**
 * A process and its pipes: orders go in, letters come out, each bounded, and nothing that it writes is kept beyond a limit.
 */
import { STDERR_BYTES, startAmbientChild } from "../component/child.ts";
import { clean } from "../errors.ts";
import { FrameReader } from "../frame-reader.ts";
import { RESULT_LIMIT_BYTES } from "../protocol/limits.ts";
import type { ExecutorOrder } from "../protocol/messages.ts";
import { decodeReport, encodeFrame, type Letter } from "./frames.ts";
import { Outbox } from "./outbox.ts";

/** Who listens to a process. */
export interface ChannelListener {
  /** Takes a letter. What it says is not checked. */
  readonly receive: (letter: Letter<unknown>) => void;
  /** Told that the process ended or broke a rule; maybe more than once. */
  readonly fail: (reason: string) => void;
}

/** Bytes of a letter: more than captured output of the limits takes when every character is escaped, and a result. */
const LETTER_LIMIT_BYTES = { header: 786_432, body: RESULT_LIMIT_BYTES } as const;
/** Most UTF-16 code units that are kept of what a process said last, for the log. */
const WORDS_LIMIT = 2000;

/** The pipes of one process. */
export class Channel {
  readonly #child: ReturnType<typeof startAmbientChild>;
  readonly #outbox: Outbox;
  readonly #listener: ChannelListener;
  #stderr = "";
  #isClosed = false;

  /**
   * Starts the process.
   *
   * @param script - Absolute path of its code.
   * @throws {Error} when the system starts no process.
   */
  constructor(script: string, listener: ChannelListener) {
    this.#listener = listener;
    this.#child = startAmbientChild(script, "executor");
    this.#outbox = new Outbox(this.#child.stdin);
    void this.#readLetters(this.#child.stdout);
    void this.#readStderr(this.#child.stderr);
  }

  /** What it wrote to standard error, when it wrote anything. */
  get lastWords(): Error | undefined {
    return this.#stderr === "" ? undefined : new Error(clean(this.#stderr, WORDS_LIMIT));
  }

  /** Sends an order behind all others. */
  send(order: ExecutorOrder, body?: Uint8Array): void {
    this.#outbox.send(encodeFrame(order, body));
  }

  /** Sends an order before all that have not begun. */
  sendUrgent(order: ExecutorOrder): void {
    this.#outbox.sendUrgent(encodeFrame(order));
  }

  /** Kills the process and listens no more. */
  kill(): void {
    this.#isClosed = true;
    this.#outbox.close();
    this.#child.kill("SIGKILL");
  }

  async #readLetters(stream: ReadableStream<Uint8Array>): Promise<void> {
    const reader = new FrameReader(LETTER_LIMIT_BYTES.header + LETTER_LIMIT_BYTES.body);
    try {
      for await (const chunk of stream) {
        const frames = reader.push(chunk);
        for (const frame of frames ?? []) this.#receive(frame);
        if (frames === undefined) this.#listener.fail("it sent a message that is too long");
        if (this.#isClosed) return;
      }
    } catch {
      // A pipe that breaks is one that ends.
    }
    if (!this.#isClosed) this.#listener.fail("it ended");
  }

  #receive(frame: Uint8Array): void {
    if (this.#isClosed) return;
    const letter = decodeReport(frame, LETTER_LIMIT_BYTES.header);
    if (letter === undefined) this.#listener.fail("it sent a message that makes no sense");
    else this.#listener.receive(letter);
  }

  async #readStderr(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of stream) {
        if (this.#stderr.length + chunk.length > STDERR_BYTES)
          this.#listener.fail("it wrote too much to standard error");
        if (this.#isClosed) return;
        this.#stderr += decoder.decode(chunk, { stream: true });
      }
    } catch {
      // What it said is lost with it.
    }
  }
}
