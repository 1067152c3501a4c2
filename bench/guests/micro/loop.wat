;; Nothing but arithmetic in registers: xorshift, `rounds` times. The check in each round of the loop weighs most here.
(module
  (memory (export "memory") 1)
  (func (export "run") (param $rounds i32) (result i32)
    (local $state i32)
    (local.set $state (i32.const 0x9e3779b9))
    (loop $round
      (local.set $state (i32.xor (local.get $state) (i32.shl (local.get $state) (i32.const 13))))
      (local.set $state (i32.xor (local.get $state) (i32.shr_u (local.get $state) (i32.const 17))))
      (local.set $state (i32.xor (local.get $state) (i32.shl (local.get $state) (i32.const 5))))
      (br_if $round (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (local.get $state)))
