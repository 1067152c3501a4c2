;; Branches: the sieve of Eratosthenes over one byte a number. Gives how many primes are below `limit`, at most 65,536.
(module
  (memory (export "memory") 1)
  (func (export "run") (param $limit i32) (result i32)
    (local $number i32) (local $multiple i32) (local $primes i32)
    (memory.fill (i32.const 0) (i32.const 0) (local.get $limit))
    (local.set $number (i32.const 2))
    (loop $numbers
      (if (i32.eqz (i32.load8_u (local.get $number)))
        (then
          (local.set $primes (i32.add (local.get $primes) (i32.const 1)))
          (local.set $multiple (i32.shl (local.get $number) (i32.const 1)))
          (block $done
            (loop $multiples
              (br_if $done (i32.ge_u (local.get $multiple) (local.get $limit)))
              (i32.store8 (local.get $multiple) (i32.const 1))
              (local.set $multiple (i32.add (local.get $multiple) (local.get $number)))
              (br $multiples)))))
      (local.set $number (i32.add (local.get $number) (i32.const 1)))
      (br_if $numbers (i32.lt_u (local.get $number) (local.get $limit))))
    (local.get $primes)))
