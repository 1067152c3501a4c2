import { describe, expect, test } from "bun:test";
import { Outbox, type Sink } from "../../lib/executor/outbox.ts";

/** A pipe that takes a piece only when the test lets it. */
class SlowSink implements Sink {
  readonly written: string[] = [];
  #taken = Promise.withResolvers<void>();

  write(bytes: Uint8Array): Promise<void> {
    this.written.push(Buffer.from(bytes).toString());
    return this.#taken.promise;
  }

  flush(): void {}

  async take(problem?: Error): Promise<void> {
    const { resolve, reject } = this.#taken;
    this.#taken = Promise.withResolvers();
    if (problem === undefined) resolve();
    else reject(problem);
    await Bun.sleep(0);
  }
}

const bytes = (text: string): Uint8Array[] => [Buffer.from(text)];

describe("Outbox", () => {
  test("writes in one piece what is sent in one turn, and holds the rest back from a pipe that is full", async () => {
    const sink = new SlowSink();
    const outbox = new Outbox(sink);
    for (const text of ["a", "b"]) outbox.send(bytes(text));
    await Bun.sleep(0);
    for (const text of ["c", "d"]) outbox.send(bytes(text));
    outbox.sendUrgent(bytes("!"));
    await Bun.sleep(0);
    expect(sink.written).toEqual(["ab"]);
    await sink.take();
    expect(sink.written).toEqual(["ab", "!cd"]);
  });

  test("gives a large frame to the pipe in parts of 256 KiB", async () => {
    const sink = new SlowSink();
    new Outbox(sink).send(bytes("x".repeat(262_145)));
    await Bun.sleep(0);
    await sink.take();
    expect(sink.written.map(({ length }) => length)).toEqual([262_144, 1]);
  });

  test("drops what waits when it closes, or the pipe breaks", async () => {
    for (const end of ["closes", "breaks"] as const) {
      const sink = new SlowSink();
      const outbox = new Outbox(sink);
      outbox.send(bytes("a"));
      await Bun.sleep(0);
      outbox.send(bytes("b"));
      if (end === "closes") outbox.close();
      await sink.take(end === "breaks" ? new Error("EPIPE") : undefined);
      outbox.send(bytes("c"));
      await Bun.sleep(0);
      expect(sink.written).toEqual(["a"]);
    }
  });
});
