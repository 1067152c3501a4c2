/**
 * Test support: a component that gives back what it gets, by way of two instances of a component inside it and of the host.
 */
import { codecOf } from "../../../../lib/component/link/codecs.ts";
import { shapeOf } from "../../../../lib/component/link/shape.ts";
import type { Options } from "../../../../lib/component/link/plan.ts";
import type { ValueType } from "../../../../lib/schema/value-type.ts";
import { definitionText, namedTypes, typeText } from "./types.ts";

/** A memory, and an allocator that never frees: `memory`, `realloc`. */
export const LIBC: string = `
  (core module $libc
    (memory (export "memory") 1)
    (global $heap (mut i32) (i32.const 1024))
    (func (export "realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
      (local $at i32)
      (local.set $at
        (i32.and
          (i32.add (global.get $heap) (i32.sub (local.get $align) (i32.const 1)))
          (i32.sub (i32.const 0) (local.get $align))))
      (global.set $heap (i32.add (local.get $at) (local.get $size)))
      (loop $more
        (if (i32.gt_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536)))
          (then (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable)) (br $more))))
      (memory.copy (local.get $at) (local.get $old)
        (select (local.get $old_size) (local.get $size) (i32.lt_u (local.get $old_size) (local.get $size))))
      (local.get $at)))
`;

/** The encodings of the outer and of the inner one of the two instances. */
export type Encodings = readonly [outer: Options["encoding"], inner: Options["encoding"]];

/**
 * Writes a component that exports `f0`, `f1`, … of `func(x: T) -> T`, and imports `g0`, `g1`, … of the same types.
 *
 * `f` of the outer instance calls `f` of the inner one, and that calls `g` of the host's; nobody looks at the value.
 */
export function echoText(types: readonly ValueType[], encodings: Encodings): string {
  const named = [...new Set(types.flatMap(namedTypes))];
  const nameOf = (type: ValueType): string => `$t${named.indexOf(type)}`;
  const define = named.map(
    (type, index) =>
      `(type $d${index} ${definitionText(type, nameOf)}) (import "t${index}" (type $t${index} (eq $d${index})))`,
  );
  const imports = types.map((type, index) => `(import "g${index}" (func $g${index} ${functionText(type, nameOf)}))`);
  const withTypes = named.map((_, index) => `(with "t${index}" (type $t${index}))`).join(" ");
  const withHost = types.map((_, index) => `(with "g${index}" (func $g${index}))`).join(" ");
  const withInner = types.map((_, index) => `(with "g${index}" (func $inner "f${index}"))`).join(" ");
  const exports = types.map((_, index) => `(export "f${index}" (func $outer "f${index}"))`);
  return `${define.join("\n")}
    ${imports.join("\n")}
    ${leafText(types, named, { name: "$outer-leaf", encoding: encodings[0] })}
    ${leafText(types, named, { name: "$inner-leaf", encoding: encodings[1] })}
    (instance $inner (instantiate $inner-leaf ${withTypes} ${withHost}))
    (instance $outer (instantiate $outer-leaf ${withTypes} ${withInner}))
    ${exports.join("\n")}`;
}

function functionText(type: ValueType, nameOf: (type: ValueType) => string): string {
  return `(param "x" ${typeText(type, nameOf)}) (result ${typeText(type, nameOf)})`;
}

function leafText(
  types: readonly ValueType[],
  named: readonly ValueType[],
  { name, encoding }: { name: string; encoding: Options["encoding"] },
): string {
  const nameOf = (type: ValueType): string => `$l${named.indexOf(type)}`;
  const define = named.map(
    (type, index) =>
      `(type $d${index} ${definitionText(type, nameOf)}) (import "t${index}" (type $l${index} (eq $d${index})))`,
  );
  const imports = types.map((type, index) => `(import "g${index}" (func $g${index} ${functionText(type, nameOf)}))`);
  const options = `string-encoding=${encoding} (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))`;
  const lowered = types.map((_, index) => `(core func $c${index} (canon lower (func $g${index}) ${options}))`);
  const given = types.map((_, index) => `(export "g${index}" (func $c${index}))`).join(" ");
  const lifted = types.map(
    (type, index) => `(func $f${index} ${functionText(type, nameOf)} (canon lift (core func $m "f${index}") ${options}))
      (export "f${index}" (func $f${index}))`,
  );
  return `(component ${name}
    ${define.join("\n")}
    ${imports.join("\n")}
    ${LIBC}
    (core instance $libc (instantiate $libc))
    ${lowered.join("\n")}
    (core module $m
      (import "libc" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
      ${types.map((type, index) => coreImport(type, index)).join("\n")}
      ${types.map((type, index) => coreEcho(type, index)).join("\n")})
    (core instance $m (instantiate $m (with "libc" (instance $libc)) (with "host" (instance ${given}))))
    ${lifted.join("\n")})`;
}

/** The core parameters of a function of such a type, and its result when it is a core value. */
function coreTypes(type: ValueType): { parameters: readonly string[]; result: string | undefined } {
  const shape = shapeOf({ parameters: [{ name: "x", type }], result: type });
  return {
    parameters: shape.spilled === undefined ? (codecOf(type).flat ?? []) : ["i32"],
    result: shape.isResultStored ? undefined : codecOf(type).flat?.[0],
  };
}

function coreImport(type: ValueType, index: number): string {
  const { parameters, result } = coreTypes(type);
  const place = result === undefined ? " i32" : "";
  const returned = result === undefined ? "" : `(result ${result})`;
  return `(import "host" "g${index}" (func $g${index} (param ${parameters.join(" ")}${place}) ${returned}))`;
}

function coreEcho(type: ValueType, index: number): string {
  const { parameters, result } = coreTypes(type);
  const given = parameters.map((_, at) => `(local.get ${at})`).join(" ");
  const head = `(func (export "f${index}") (param ${parameters.join(" ")}) (result ${result ?? "i32"})`;
  if (result !== undefined) return `${head} (call $g${index} ${given}))`;
  const { size, align } = codecOf(type);
  return `${head} (local $at i32)
    (local.set $at (call $realloc (i32.const 0) (i32.const 0) (i32.const ${align}) (i32.const ${size})))
    (call $g${index} ${given} (local.get $at))
    (local.get $at))`;
}
