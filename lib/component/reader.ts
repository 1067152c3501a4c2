/**
 * Reads the component binary format from untrusted bytes. Pure; every read is bounds-checked.
 *
 * Source: WebAssembly Component Model, Binary.md.
 */
import { quote, refuse } from "../errors.ts";
import { Reader } from "../wasm/reader.ts";

/**
 * The characters of names. jco, which validates components, makes code of them on the way: it puts the names of core imports and exports between
 * quotes without escaping them. None of it is run; a name that would be code there is refused all the same, and no message ever has
 * to carry one. Every toolchain in docs/ keeps within these.
 */
export const PLAIN_NAME: RegExp = /^[A-Za-z0-9_$.:#@/[\]<>=+,|~!^&%?;() -]{0,1000}$/;

/** A cursor over the bytes of a component. */
export class ComponentReader extends Reader {
  /** Opens a part of the same bytes, and passes over it. @throws {Failure} COMPONENT_INVALID when it goes beyond the end. */
  part(size: number): ComponentReader {
    const start = this.pos;
    this.skip(size);
    return new ComponentReader(this.bytes, start, this.pos);
  }

  /** Opens a part of the same bytes that has been read before. */
  between(start: number, end: number): ComponentReader {
    return new ComponentReader(this.bytes, start, end);
  }

  /** Reads a vector's length: never more than there are bytes. @throws {Failure} COMPONENT_INVALID */
  count(): number {
    const count = this.u32();
    if (count > this.end - this.pos) throw this.malformed("unexpected end");
    return count;
  }

  /** Reads a name of plain characters. @throws {Failure} COMPONENT_INVALID, COMPONENT_UNSUPPORTED */
  plainName(): string {
    const name = this.name();
    if (PLAIN_NAME.test(name)) return name;
    throw refuse("COMPONENT_UNSUPPORTED", { what: `the name ${quote(name.slice(0, 100))}` });
  }

  /** Reads the name of a component's import or export, with its leading byte. @throws {Failure} COMPONENT_INVALID, COMPONENT_UNSUPPORTED */
  externName(): string {
    // 0x01 is what older toolchains wrote for interface names.
    const form = this.u8();
    if (form > 1) throw refuse("COMPONENT_UNSUPPORTED", { what: "an import or export name with attributes" });
    return this.plainName();
  }

  override malformed(what: string): Error {
    return refuse("COMPONENT_INVALID", { reason: `malformed component: ${what} at byte ${this.pos}` });
  }
}
