/**
 * Test support: a guest that passes the host whatever core values it is told to.
 */
import { expect } from "bun:test";
import { define } from "../../../../lib/component/link/host.ts";
import type { ValueType } from "../../../../lib/schema/value-type.ts";
import { LIBC } from "./echo.ts";
import { type Instance, linkText, type TestCall } from "./linking.ts";
import { definitionText, namedTypes, typeText } from "./types.ts";

/** A component whose core code calls `g: func(x: T)` of the host's with whatever core values it is told to. */
export class Raw {
  readonly #seen: unknown[];
  readonly #instance: Instance;

  private constructor(instance: Instance, seen: unknown[]) {
    this.#instance = instance;
    this.#seen = seen;
  }

  /** @param core - The core parameters of `g`. */
  static async open(type: ValueType, core: string, encoding = "utf8"): Promise<Raw> {
    const named = [...new Set(namedTypes(type))];
    const nameOf = (each: ValueType): string => `$t${named.indexOf(each)}`;
    const definitions = named.map(
      (each, index) =>
        `(type $d${index} ${definitionText(each, nameOf)}) (import "t${index}" (type $t${index} (eq $d${index})))`,
    );
    const given = core
      .trim()
      .split(/\s+/)
      .map((_, index) => `(local.get ${index})`)
      .join(" ");
    const text = `${definitions.join(" ")}
      (import "g" (func $g (param "x" ${typeText(type, nameOf)})))
      ${LIBC}
      (core instance $libc (instantiate $libc))
      (core func $g (canon lower (func $g) string-encoding=${encoding} (memory (core memory $libc "memory"))))
      (core module $m (import "host" "g" (func $g (param ${core}))) (func (export "raw") (param ${core}) (call $g ${given})))
      (core instance $m (instantiate $m (with "host" (instance (export "g" (func $g))))))`;
    const seen: unknown[] = [];
    const component = await linkText(text, {
      g: { "": define([{ x: type }], (_: TestCall, value: unknown) => void seen.push(structuredClone(value))) },
    });
    expect(component.linker.functions.map(({ from }) => from)).toEqual(["host"]);
    return new Raw(await component.start(), seen);
  }

  /** All of its memory, now. */
  get memory(): Uint8Array {
    const memory: unknown = this.#instance.call.instances[0]?.exports["memory"];
    if (!(memory instanceof WebAssembly.Memory)) throw new Error("no memory");
    return new Uint8Array(memory.buffer);
  }

  /** What it was charged for, in all calls. */
  get chargedBytes(): number {
    return this.#instance.call.chargedBytes;
  }

  /** Calls `g`. @returns What it was given, or how the call ended. */
  pass(...core: readonly (number | bigint)[]): unknown {
    const run: unknown = this.#instance.call.instances[1]?.exports["raw"];
    if (typeof run !== "function") throw new Error("no function");
    this.#instance.call.ending = undefined;
    try {
      Reflect.apply(run, undefined, core);
    } catch (error) {
      if (this.#instance.call.ending === undefined) throw error;
      return this.#instance.call.ending;
    }
    return this.#seen.pop();
  }
}
