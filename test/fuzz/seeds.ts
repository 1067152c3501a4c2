/**
 * Test support: small modules, each for one section or one proposal, as text.
 */

/** The seeds by name. */
export const SEEDS: Readonly<Record<string, string>> = {
  empty: "(module)",
  numeric: `(module (func (export "f") (param i32 i64 f32 f64) (result i32)
    (i32.add (local.get 0) (i32.wrap_i64 (i64.mul (local.get 1) (i64.const 77))))
    (i32.trunc_sat_f32_s (f32.add (local.get 2) (f32.const 1.5)))
    (i32.trunc_sat_f64_u (f64.sqrt (local.get 3))) i32.xor i32.sub (i32.const 9) i32.rotl i32.extend8_s))`,
  control: `(module (func $f (export "f") (param i32) (result i32) (local i32 i64)
    (block $a (block $b (loop $c (br_if $b (i32.eqz (local.get 0)))
      (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br_table $a $b $c $c (local.get 0)))))
    (if (result i32) (local.get 0) (then (call $f (i32.const 0))) (else (i32.const 3)))
    (loop (param i32) (result i32) (i32.const 1) (i32.add))))`,
  imports: `(module (type $t (func (param i32) (result i32)))
    (import "env" "f" (func $f (type $t))) (import "env" "g" (global $g i32)) (import "env" "m" (global $m (mut i64)))
    (import "env" "t" (table $t 1 funcref)) (import "env" "mem" (memory 1 4))
    (func $run (export "run") (type $t) (call $f (i32.add (local.get 0) (global.get $g))) (global.set $m (i64.const 3)))
    (export "f" (func $f)) (export "t" (table $t)) (export "mem" (memory 0)) (export "g" (global $g)))`,
  start: `(module (global $n (mut i32) (i32.const 0)) (func $s (global.set $n (i32.const 1))) (start $s)
    (func (export "n") (result i32) (global.get $n)))`,
  memory: `(module (memory (export "memory") 1 10) (data "abc") (data (i32.const 8) "hello")
    (func (export "f") (param i32) (result i32) (i32.store offset=4 (local.get 0) (i32.load8_u (i32.const 8)))
      (i64.store16 (i32.const 0) (i64.load32_s align=1 (i32.const 2)))
      (memory.fill (i32.const 0) (i32.const 1) (local.get 0)) (memory.copy (i32.const 0) (i32.const 9) (i32.const 3))
      (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 2)) (data.drop 0) (memory.grow (i32.const 1)) (memory.size) i32.add))`,
  memories: `(module (memory $a 1) (memory $b (export "b") 1 2) (memory $c 0) (data (memory $b) (i32.const 0) "x")
    (func (export "f") (result i32) (i32.store $b (i32.const 0) (i32.load $a (i32.const 0)))
      (memory.copy $a $b (i32.const 0) (i32.const 0) (i32.const 4)) (memory.fill $b (i32.const 0) (i32.const 0) (i32.const 4))
      (memory.grow $c (i32.const 1)) (memory.size $b) i32.add))`,
  tables: `(module (table $t 4 10 funcref) (table $e 2 externref) (elem (table $t) (i32.const 0) func $f $g) (elem $p funcref (ref.func $f) (ref.null func))
    (elem declare func $f) (func $f) (func $g (param i32) (result i32) (local.get 0))
    (func (export "f") (param i32) (result i32) (table.set $t (i32.const 1) (ref.func $f)) (drop (table.get $e (i32.const 0)))
      (table.fill $t (i32.const 0) (ref.null func) (i32.const 1)) (table.copy $t $t (i32.const 0) (i32.const 1) (i32.const 1))
      (table.init $t $p (i32.const 0) (i32.const 0) (i32.const 1)) (elem.drop $p)
      (table.grow $e (ref.null extern) (i32.const 1)) (table.size $t) i32.add
      (call_indirect $t (param i32) (result i32) (i32.const 1)) (ref.is_null (ref.func $f)) i32.add))`,
  globals: `(module (global $a (export "a") i32 (i32.const 5)) (global $b (mut f64) (f64.const 1)) (global $c i32 (i32.add (global.get $a) (i32.const 2)))
    (global $d funcref (ref.func $f)) (global $v v128 (v128.const i64x2 1 2))
    (func $f (export "f") (result f64) (global.set $b (f64.const 2)) (global.get $b)))`,
  multi: `(module (type $two (func (param i32 i32) (result i32 i32))) (func $swap (type $two) (local.get 1) (local.get 0))
    (func (export "f") (result i32 i32) (i32.const 1) (i32.const 2) (call $swap) (block (type $two) (call $swap)) (loop (type $two) (br 1))))`,
  simd: `(module (memory 1) (func (export "f") (param i32 v128) (result v128)
    (v128.store (i32.const 0) (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 31 (local.get 1) (i32x4.splat (local.get 0))))
    (v128.store8_lane 3 (i32.const 5) (local.get 1)) (drop (i16x8.extract_lane_s 2 (local.get 1)))
    (f32x4.relaxed_madd (local.get 1) (v128.load64_zero (i32.const 0)) (i32x4.dot_i16x8_s (local.get 1) (v128.const i32x4 1 2 3 4)))))`,
  tail: `(module (type $t (func (param i32) (result i32))) (table 1 funcref) (elem (i32.const 0) $f)
    (func $f (export "f") (type $t) (if (i32.eqz (local.get 0)) (then (return (i32.const 7)))) (return_call $g (i32.sub (local.get 0) (i32.const 1))))
    (func $g (type $t) (return_call_indirect (type $t) (local.get 0) (i32.const 0)))
    (func $h (type $t) (return_call_ref $t (local.get 0) (ref.func $f))) (elem declare func $f))`,
  exceptions: `(module (import "env" "t" (tag $c (param i32 i64))) (tag $a) (tag $b (export "b") (param i32))
    (func $t (throw $b (i32.const 3)))
    (func (export "f") (result i32) (drop (block $h (result i32) (try_table (catch $b $h) (call $t)) (i32.const 0)))
      (block $all (try_table (catch_all $all) (throw $a)))
      (drop (block $ref (result exnref) (try_table (catch_all_ref $ref) (catch_ref $a $ref) (call $t)) (ref.null exn))) (i32.const 1))
    (func (param exnref) (throw_ref (local.get 0))))`,
  legacy: `(module (tag $a) (tag $b (param i32)) (func $t (throw $b (i32.const 3)))
    (func (export "f") (result i32)
      try (result i32) call $t i32.const 0 catch $b i32.const 1 i32.add catch_all i32.const 2 end
      try $x try call $t delegate $x catch_all rethrow $x end
      loop try nop catch $a br 1 end end))`,
  references: `(module (type $t (func (param i32) (result i32))) (func $f (type $t) (local.get 0)) (elem declare func $f)
    (func (export "f") (param (ref null $t)) (result i32) (local (ref null $t))
      (block $n (result i32) (block $null (drop (br_on_null $null (local.get 0))) ) (i32.const 1))
      (drop) (local.set 1 (ref.func $f)) (call_ref $t (i32.const 5) (ref.as_non_null (local.get 1)))
      (drop (block $nn (result (ref $t)) (br_on_non_null $nn (local.get 1)) (ref.func $f)))))`,
  struct: `(module (rec (type $s (sub (struct (field $x (mut i32)) (field i8) (field (ref null $u))))) (type $u (sub $s (struct (field (mut i32)) (field i8) (field (ref null $u)) (field f64)))))
    (func (export "f") (result i32) (local $l (ref null $s)) (local.set $l (struct.new $s (i32.const 1) (i32.const 2) (ref.null $u)))
      (struct.set $s $x (local.get $l) (i32.const 4)) (drop (struct.new_default $u)) (drop (struct.get_s $s 1 (local.get $l)))
      (drop (ref.cast (ref null $u) (ref.null $s))) (block $b (drop (br_on_cast_fail 0 (ref null $s) (ref null $s) (local.get $l))) ) (ref.test (ref $u) (local.get $l))))`,
  array: `(module (type $a (array (mut i32))) (type $b (array i8)) (type $r (array (mut funcref))) (data $d "0123456789") (elem $e func $g) (func $g)
    (func (export "f") (param i32) (result i32) (local $l (ref null $a)) (local.set $l (array.new $a (i32.const 7) (local.get 0)))
      (array.set $a (local.get $l) (i32.const 0) (i32.const 1)) (array.fill $a (local.get $l) (i32.const 0) (i32.const 1) (i32.const 2))
      (array.copy $a $a (local.get $l) (i32.const 0) (local.get $l) (i32.const 1) (i32.const 1))
      (drop (array.new_data $b $d (i32.const 0) (i32.const 4))) (drop (array.new_elem $r $e (i32.const 0) (i32.const 1)))
      (drop (array.new_fixed $a 2 (i32.const 1) (i32.const 2))) (drop (array.new_default $b (local.get 0)))
      (drop (i31.get_u (ref.i31 (i32.const 4)))) (drop (extern.convert_any (any.convert_extern (ref.null extern))))
      (i32.add (array.get $a (local.get $l) (i32.const 0)) (array.len (local.get $l)))))`,
  nested: `(module (func (export "f") (param i32) ${"block ".repeat(60)} local.get 0 br_table ${Array.from({ length: 60 }, (_, index) => index).join(" ")} ${"end ".repeat(60)}))`,
  names: `(module $module (func $first (export "first") (param $p i32) (local $l i64)) (func $second (call $first (i32.const 1)))
    (@custom "producers" "\\00") (@custom ".debug_info" "xyz") (@custom "target_features" "\\00"))`,
  threads: "(module (memory 1 2 shared) (func (i32.atomic.store (i32.const 0) (i32.const 1))))",
  wide: "(module (memory i64 1) (func (result i32) (i32.load (i64.const 0))))",
  many: `(module ${Array.from({ length: 40 }, (_, index) => `(func $f${index} (export "f${index}") (param i32) (result i32) (i32.add (local.get 0) (i32.const ${index})))`).join("\n")})`,
};

/** Components as text, beside the fixtures. */
export const COMPONENT_SEEDS: Readonly<Record<string, string>> = {
  "empty-component": "(component)",
  types: `(component (type $r (record (field "a" u8) (field "b" (list string)))) (type $v (variant (case "x") (case "y" (option $r))))
    (type $e (enum "p" "q")) (type $f (flags "one" "two")) (type $t (tuple $v $e $f char f32)) (type $i (instance (export "f" (func (param "x" $t) (result (result $r (error $e)))))))
    (import "a:b/c" (instance (type $i))) (import "d" (func (param "x" string))) (type $res (resource (rep i32))) (export "res" (type $res)))`,
  nested: `(component (component $a (component $b (core module $m (func (export "f") (result i32) i32.const 1)) (core instance $i (instantiate $m))
      (func (export "f") (result u32) (canon lift (core func $i "f")))) (instance $b (instantiate $b)) (export "b" (instance $b)))
    (instance $x (instantiate $a)) (alias export $x "b" (instance $y)) (alias export $y "f" (func $f)) (export "run" (func $f))
    (component $o (alias outer 1 $a (component $c)) (export "c" (component $c))))`,
  resources: `(component (import "t" (type $t (sub resource))) (core module $m (memory (export "m") 1) (func (export "r") (param i32 i32 i32 i32) (result i32) i32.const 0)
      (func (export "f") (param i32 i32) (result i32) i32.const 8)) (core instance $i (instantiate $m)) (core func $d (canon resource.drop $t))
    (core instance $x (instantiate $m (with "a" (instance (export "d" (func $d))))))
    (func (export "f") (param "s" string) (result string) (canon lift (core func $i "f") (memory (core memory $i "m")) (realloc (core func $i "r")) string-encoding=utf8)))`,
};
