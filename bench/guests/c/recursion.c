/*
 * Calls and little else: Takeuchi's function, Ackermann's, Fibonacci numbers, and the queens of an 8 by 8 board.
 */
#include "guest.h"

static int takeuchi(int x, int y, int z) {
  return y >= x ? z : takeuchi(takeuchi(x - 1, y, z), takeuchi(y - 1, z, x), takeuchi(z - 1, x, y));
}

static int ackermann(int m, int n) {
  if (m == 0) return n + 1;
  return ackermann(m - 1, n == 0 ? 1 : ackermann(m, n - 1));
}

static int fibonacci(int n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

/* Bits are columns; diagonals move by one column a row. */
static int queens(uint32_t columns, uint32_t left, uint32_t right) {
  int found = 0;
  if (columns == 0xff) return 1;
  for (uint32_t free = ~(columns | left | right) & 0xff; free != 0; free &= free - 1) {
    uint32_t queen = free & -free;
    found += queens(columns | queen, (left | queen) << 1, (right | queen) >> 1);
  }
  return found;
}

RUN {
  uint32_t sum = 0;
  while (n-- > 0) {
    /* Not the same each time: the compiler would take it out of the loop. */
    int more = (int)(n & 1);
    sum += (uint32_t)takeuchi(12 + more, 8, 4);
    sum += (uint32_t)ackermann(2, 40 + more);
    sum += (uint32_t)fibonacci(18 + more);
    sum += (uint32_t)queens(0, 0, 0);
  }
  return sum;
}
