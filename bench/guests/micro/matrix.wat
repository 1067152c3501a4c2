;; Memory traffic: the product of two square matrices of i32, `size` rows each, at 0, 64 KiB and 128 KiB. Gives the sum of the product.
(module
  (memory (export "memory") 3)
  (func $fill (param $at i32) (param $count i32) (param $seed i32)
    (loop $next
      (i32.store (local.get $at) (local.tee $seed (i32.add (i32.mul (local.get $seed) (i32.const 1664525)) (i32.const 1013904223))))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  (func $cell (param $row i32) (param $column i32) (param $size i32) (result i32)
    (local $sum i32) (local $left i32) (local $right i32) (local $count i32) (local $stride i32)
    (local.set $stride (i32.shl (local.get $size) (i32.const 2)))
    (local.set $left (i32.mul (local.get $row) (local.get $stride)))
    (local.set $right (i32.add (i32.const 65536) (i32.shl (local.get $column) (i32.const 2))))
    (local.set $count (local.get $size))
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (i32.mul (i32.load (local.get $left)) (i32.load (local.get $right)))))
      (local.set $left (i32.add (local.get $left) (i32.const 4)))
      (local.set $right (i32.add (local.get $right) (local.get $stride)))
      (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
    (local.get $sum))

  (func (export "run") (param $size i32) (result i32)
    (local $row i32) (local $column i32) (local $total i32) (local $at i32) (local $cell i32)
    (call $fill (i32.const 0) (i32.mul (local.get $size) (local.get $size)) (i32.const 1))
    (call $fill (i32.const 65536) (i32.mul (local.get $size) (local.get $size)) (i32.const 2))
    (local.set $at (i32.const 131072))
    (loop $rows
      (local.set $column (i32.const 0))
      (loop $columns
        (local.set $cell (call $cell (local.get $row) (local.get $column) (local.get $size)))
        (i32.store (local.get $at) (local.get $cell))
        (local.set $total (i32.add (local.get $total) (local.get $cell)))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (local.set $column (i32.add (local.get $column) (i32.const 1)))
        (br_if $columns (i32.lt_u (local.get $column) (local.get $size))))
      (local.set $row (i32.add (local.get $row) (i32.const 1)))
      (br_if $rows (i32.lt_u (local.get $row) (local.get $size))))
    (local.get $total)))
