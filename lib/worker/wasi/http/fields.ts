/**
 * `wasi:http/types` `fields`: headers and trailers. The guest's side of the trust boundary.
 *
 * Source: wasi:http 0.2, wit/types.wit; RFC 9110 §5.
 */
import { define, ResultError } from "../../../component/link/host.ts";
import { bool, list, result } from "../../../schema/value-type.ts";
import { type Field, isFieldName, isFieldValue, isForbiddenName, memorySize } from "../../net/http/syntax.ts";
import type { Functions, Host } from "../host.ts";
import { Resource } from "../resource.ts";
import { ENTRIES, FIELD_NAME, FIELD_VALUE, HEADER_ERROR, ownHttp, self } from "./signature.ts";

/** What fields are part of. */
export interface FieldsOf {
  /** The guest has to drop the fields before this. */
  readonly parent: Resource;
}

/** `fields`. With a parent they are immutable. */
export class Fields extends Resource {
  #entries: readonly Field[];
  #takenBytes = 0;
  readonly isImmutable: boolean;

  constructor(host: Host, entries: readonly Field[], of?: FieldsOf) {
    super(host, of?.parent);
    this.#entries = [];
    this.isImmutable = of !== undefined;
    if (this.isImmutable) this.#entries = entries;
    else this.replace(entries);
  }

  get entries(): readonly Field[] {
    return this.#entries;
  }

  /** Has other entries from now on; traps when the call has no room for them. */
  replace(entries: readonly Field[]): void {
    const bytes = memorySize(entries);
    const more = bytes - this.#takenBytes;
    if (!this.host.takeBuffer(more)) this.host.context.trap("its header fields and streams hold too many bytes");
    this.#takenBytes = bytes;
    this.#entries = entries;
  }

  /** Gives the entries to what they become part of, and ends. */
  consume(): readonly Field[] {
    const entries = this.#entries;
    this[Symbol.dispose]();
    return entries;
  }

  protected override close(): void {
    this.host.giveBuffer(this.#takenBytes);
    this.#entries = [];
  }
}

/** The functions of `fields`. */
export const FIELDS: Functions = {
  /** Makes empty fields. Source: `fields` constructor: "The resulting fields is mutable". */
  "[constructor]fields": define([{}, ownHttp("fields")], (host: Host) => new Fields(host, [])),

  /** Makes fields. Source: `fields.from-list`: "An error result will be returned if any field-name or field-value is syntactically invalid, or forbidden". */
  "[static]fields.from-list": define(
    [{ entries: ENTRIES }, result(ownHttp("fields"), HEADER_ERROR)],
    (host: Host, entries: readonly Field[]) =>
      new Fields(
        host,
        entries.map(([name, value]) => makeField(name, value)),
      ),
  ),

  /** Gives the values of a name. Source: `fields.get`: "If the field name is not present or is syntactically invalid, an empty list is returned". */
  "[method]fields.get": define(
    [{ ...self("fields"), name: FIELD_NAME }, list(FIELD_VALUE)],
    (host: Host, fields: Fields, name: string) => valuesOf(host, fields, name),
  ),

  /** Tells whether a name is there. Source: `fields.has`: "If the field name is syntactically invalid, this returns false". */
  "[method]fields.has": define(
    [{ ...self("fields"), name: FIELD_NAME }, bool],
    (host: Host, fields: Fields, name: string) => valuesOf(host, fields, name).length > 0,
  ),

  /** Sets all values of a name. Source: `fields.set`: "Clears any existing values for that name, if they have been set". */
  "[method]fields.set": define(
    [{ ...self("fields"), name: FIELD_NAME, value: list(FIELD_VALUE) }, result(undefined, HEADER_ERROR)],
    (host: Host, fields: Fields, ...[name, values]: readonly [string, readonly Uint8Array[]]) => {
      change(host, fields, name);
      const added = values.map((value) => makeField(name, value));
      fields.replace([...without(fields, name), ...added]);
    },
  ),

  /** Removes all values of a name. Source: `fields.delete`: "Does nothing if no values for the name exist". */
  "[method]fields.delete": define(
    [{ ...self("fields"), name: FIELD_NAME }, result(undefined, HEADER_ERROR)],
    (host: Host, fields: Fields, name: string) => {
      change(host, fields, name);
      fields.replace(without(fields, name));
    },
  ),

  /** Adds a value. Source: `fields.append`: "Does not change or delete any existing values for that name". */
  "[method]fields.append": define(
    [{ ...self("fields"), name: FIELD_NAME, value: FIELD_VALUE }, result(undefined, HEADER_ERROR)],
    (host: Host, fields: Fields, ...[name, value]: readonly [string, Uint8Array]) => {
      change(host, fields, name);
      fields.replace([...fields.entries, makeField(name, value)]);
    },
  ),

  /** Gives all. Source: `fields.entries`: "the list represents each name-value pair … in the order in which they will be serialized for transport". */
  "[method]fields.entries": define([self("fields"), ENTRIES], (host: Host, { entries }: Fields) => {
    host.context.charge(entries.length);
    return entries;
  }),

  /** Copies all. Source: `fields.clone`: "The resulting `fields` is mutable". */
  "[method]fields.clone": define([self("fields"), ownHttp("fields")], (host: Host, { entries }: Fields) => {
    host.context.charge(entries.length);
    return new Fields(host, entries);
  }),
};

function valuesOf(host: Host, { entries }: Fields, name: string): readonly Uint8Array[] {
  host.context.charge(entries.length);
  const wanted = name.toLowerCase();
  return entries.filter(([each]) => each.toLowerCase() === wanted).map(([, value]) => value);
}

function without({ entries }: Fields, name: string): readonly Field[] {
  const unwanted = name.toLowerCase();
  return entries.filter(([each]) => each.toLowerCase() !== unwanted);
}

/** Checks what every change asks for. Source: `header-error`: in the order `immutable`, `invalid-syntax`, `forbidden`. */
function change(host: Host, fields: Fields, name: string): void {
  host.context.charge(fields.entries.length);
  if (fields.isImmutable) throw new ResultError({ tag: "immutable" });
  checkName(name);
}

function checkName(name: string): void {
  if (!isFieldName(name)) throw new ResultError({ tag: "invalid-syntax" });
  if (isForbiddenName(name)) throw new ResultError({ tag: "forbidden" });
}

/** Copies a field out of the guest's memory. `Content-Length` has to be one number: RFC 9110 §8.6. */
function makeField(name: string, value: Uint8Array): Field {
  checkName(name);
  const copy = value.slice();
  const isLength = name.toLowerCase() === "content-length";
  if (!isFieldValue(copy) || (isLength && !/^[0-9]{1,15}$/.test(Buffer.from(copy).toString("latin1"))))
    throw new ResultError({ tag: "invalid-syntax" });
  return [name, copy];
}
