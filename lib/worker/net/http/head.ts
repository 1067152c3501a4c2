/**
 * Reads the head of a response, and trailers: strictly, within limits. The guest's side of the trust boundary: every byte may be hostile.
 *
 * Source: RFC 9112 §4, §5.
 */
import { HttpFailure } from "./failure.ts";
import { type Inflow, LineFault } from "./inflow.ts";
import {
  type Field,
  FIELD_COUNT_LIMIT,
  FIELD_LIMIT_BYTES,
  isFieldName,
  isFieldValue,
  isForbiddenName,
  SECTION_LIMIT_BYTES,
  sectionSize,
} from "./syntax.ts";

/** The head of a response. */
export interface Head {
  /** 100-599. */
  readonly status: number;
  /** All fields, those of the connection too. */
  readonly fields: readonly Field[];
}

/** Whether fields are those of a head or the trailers of a body. */
export type Section = "header" | "trailer";

/** Source: RFC 9112 §4: `status-line = HTTP-version SP status-code SP [ reason-phrase ]`. Some servers leave out the second space. */
const STATUS_LINE = /^HTTP\/1\.[01] ([1-5][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const STATUS_LINE_LIMIT = 1024;

/** Fields of a section. Those of a head are counted against the call's buffers, trailers are not. */
const COUNT_LIMITS: Readonly<Record<Section, number>> = { header: FIELD_COUNT_LIMIT, trailer: 64 };

/** Reads field lines until the empty one, as they come. */
export class SectionReader {
  readonly #section: Section;
  readonly #fields: Field[] = [];

  constructor(section: Section) {
    this.#section = section;
  }

  /** @returns The fields; undefined when their end has not come yet. @throws {HttpFailure} */
  read(inflow: Inflow): readonly Field[] | undefined {
    for (;;) {
      const line = readLine(inflow, FIELD_LIMIT_BYTES, () => sizeFailure(this.#section, FIELD_LIMIT_BYTES));
      if (line === undefined) return undefined;
      if (line === "") return this.#fields;
      this.#fields.push(parseField(line));
      if (this.#fields.length > COUNT_LIMITS[this.#section] || sectionSize(this.#fields) > SECTION_LIMIT_BYTES)
        throw new HttpFailure({ tag: `HTTP-response-${this.#section}-section-size`, value: SECTION_LIMIT_BYTES });
    }
  }
}

/** Reads a head as it comes. */
export class HeadReader {
  readonly #section = new SectionReader("header");
  #status: number | undefined;

  /** @returns The head; undefined when its end has not come yet. @throws {HttpFailure} */
  read(inflow: Inflow): Head | undefined {
    this.#status ??= readStatus(inflow);
    if (this.#status === undefined) return undefined;
    const fields = this.#section.read(inflow);
    return fields === undefined ? undefined : { status: this.#status, fields };
  }
}

/** The fields that a guest may see: not those of the connection. */
export function visibleFields(fields: readonly Field[]): readonly Field[] {
  return fields.filter(([name]) => !isForbiddenName(name));
}

/** Reads a line of a response. @throws {HttpFailure} `tooLong`, or HTTP-protocol-error. */
export function readLine(inflow: Inflow, limit: number, tooLong: () => HttpFailure): string | undefined {
  try {
    return inflow.line(limit);
  } catch (error) {
    if (!(error instanceof LineFault)) throw error;
    throw error.message === "too long" ? tooLong() : protocolError();
  }
}

/** A response that is not one. */
export function protocolError(): HttpFailure {
  return new HttpFailure({ tag: "HTTP-protocol-error" });
}

function readStatus(inflow: Inflow): number | undefined {
  const line = readLine(inflow, STATUS_LINE_LIMIT, protocolError);
  if (line === undefined) return undefined;
  const status = STATUS_LINE.exec(line)?.[1];
  if (status === undefined) throw protocolError();
  return Number(status);
}

/** Source: RFC 9112 §5.1: no space before the colon; §5.2: a line that continues another one is refused. */
function parseField(line: string): Field {
  const colon = line.indexOf(":");
  const name = line.slice(0, Math.max(colon, 0));
  const value = Buffer.from(trimWhitespace(line.slice(colon + 1)), "latin1");
  if (!isFieldName(name) || !isFieldValue(value)) throw protocolError();
  return [name, new Uint8Array(value)];
}

/** Source: RFC 9110 §5.6.3: optional whitespace is spaces and tabs. */
function trimWhitespace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text, start)) start += 1;
  while (end > start && isBlank(text, end - 1)) end -= 1;
  return text.slice(start, end);
}

function isBlank(text: string, at: number): boolean {
  return text[at] === " " || text[at] === "\t";
}

function sizeFailure(section: Section, limit: number): HttpFailure {
  return new HttpFailure({ tag: `HTTP-response-${section}-size`, value: [undefined, limit] });
}
