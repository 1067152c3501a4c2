/**
 * The entry of an executor process: runs calls in Workers as the host orders over standard input, and reports over standard output. The host
 * believes nothing of it, because a guest may have taken it over; this side does its best to keep the host's promises meanwhile.
 */
import { FrameReader } from "../frame-reader.ts";
import { decodeOrder, encodeFrame } from "./frames.ts";
import { Outbox } from "./outbox.ts";
import { Station } from "./station.ts";

const outbox = new Outbox(Bun.stdout.writer());
const station = new Station((report, body) => outbox.send(encodeFrame(report, body)));
// The host is trusted, and sends nothing larger than this.
const reader = new FrameReader(2 ** 32 - 1);

for await (const chunk of Bun.stdin.stream()) {
  for (const frame of reader.push(chunk) ?? []) station.obey(decodeOrder(frame));
}
// Not an ordinary end: Workers that spin would keep the process.
throw new Error("the host is gone");
