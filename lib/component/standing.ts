/**
 * A child that answers one request after the other, in frames: what it has loaded, and remembers, serves the next one too. Ambient, as `child.ts` is.
 */
import { FrameReader, lengthOf } from "../frame-reader.ts";
import {
  type ChildOptions,
  type ChildResult,
  collect,
  MEMORY_POLL_MS,
  residentBytes,
  startAmbientChild,
  STDERR_BYTES,
} from "./child.ts";

type Bounds = Omit<ChildOptions, "script">;
type Ending = ChildResult["ending"];

/** A child, asked for one thing at a time. */
export class StandingChild implements Disposable {
  readonly #child: ReturnType<typeof startAmbientChild>;
  readonly #stderr: Promise<Uint8Array>;
  /** Takes what is answered; undefined while nothing is asked. */
  #take: ((chunk: Uint8Array) => void) | undefined;
  #isOver = false;

  /**
   * Starts the child.
   *
   * @param script - Absolute path.
   * @throws {Error} when the system starts no process.
   */
  constructor(script: string) {
    this.#child = startAmbientChild(script, "compiler");
    this.#stderr = collect(this.#child.stderr, STDERR_BYTES, () => undefined);
    void this.#read();
    void this.#child.exited.then(() => (this.#isOver = true));
  }

  /** Whether it can be asked no more: it has ended, or was killed. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Reads how much memory it has resident, in bytes. */
  residentBytes(): Promise<number> {
    return residentBytes(this.#child.pid);
  }

  /**
   * Asks for something, and waits for the answer. A child that goes beyond a bound, or whose signal is aborted, is killed.
   *
   * @returns As of a child that is run to its end: an answer is an output, with exit code 0.
   */
  async ask({ input, timeoutMs, memoryBytes, outputBytes, signal }: Bounds): Promise<ChildResult> {
    let ending: Ending = "exit";
    const kill = (reason: Ending): void => {
      if (ending === "exit") ending = reason;
      this[Symbol.dispose]();
    };
    const abort = (): void => kill("abort");
    if (signal?.aborted === true) abort();
    signal?.addEventListener("abort", abort, { once: true });
    const deadline = setTimeout(kill, timeoutMs, "timeout");
    const poll = setInterval(() => {
      void this.residentBytes().then((bytes) => bytes > memoryBytes && kill("memory"));
    }, MEMORY_POLL_MS);
    try {
      const answered = this.#answer(outputBytes, () => kill("output"));
      // A child that has ended takes nothing more: its end tells.
      void Promise.resolve(this.#send(input)).catch(() => undefined);
      const output = await Promise.race([answered, this.#child.exited.then(() => undefined)]);
      if (output !== undefined && ending === "exit")
        return { ending, exitCode: 0, signal: undefined, output, stderr: "" };
      return { ending, ...(await this.#end()), output: new Uint8Array() };
    } finally {
      this.#take = undefined;
      clearTimeout(deadline);
      clearInterval(poll);
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Kills the child. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#child.kill("SIGKILL");
  }

  async #send(input: Uint8Array): Promise<void> {
    const { stdin } = this.#child;
    await stdin.write(lengthOf(input.length));
    await stdin.write(input);
    await stdin.flush();
  }

  #answer(limitBytes: number, overflow: () => void): Promise<Uint8Array> {
    const { promise, resolve } = Promise.withResolvers<Uint8Array>();
    const frames = new FrameReader(limitBytes);
    this.#take = (chunk) => {
      const [first] = frames.push(chunk) ?? (overflow(), []);
      if (first !== undefined) resolve(first);
    };
    return promise;
  }

  async #read(): Promise<void> {
    try {
      // What nobody asked for is no answer.
      for await (const chunk of this.#child.stdout)
        if (this.#take === undefined) this[Symbol.dispose]();
        else this.#take(chunk);
    } catch {
      // A pipe that breaks is one that ends.
    }
  }

  async #end(): Promise<Pick<ChildResult, "exitCode" | "signal" | "stderr">> {
    const [exitCode, stderr] = await Promise.all([this.#child.exited, this.#stderr]);
    const signal = this.#child.signalCode === null ? undefined : String(this.#child.signalCode);
    return { exitCode: signal === undefined ? exitCode : undefined, signal, stderr: new TextDecoder().decode(stderr) };
  }
}
