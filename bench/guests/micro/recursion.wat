;; Nothing but calls: Fibonacci numbers by double recursion. The check at each function's entry weighs most here.
(module
  (memory (export "memory") 1)
  (func $fibonacci (export "run") (param $n i32) (result i32)
    (if (result i32) (i32.lt_u (local.get $n) (i32.const 2))
      (then (local.get $n))
      (else
        (i32.add
          (call $fibonacci (i32.sub (local.get $n) (i32.const 1)))
          (call $fibonacci (i32.sub (local.get $n) (i32.const 2))))))))
