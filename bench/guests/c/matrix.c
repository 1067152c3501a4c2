/*
 * The product of two square matrices of doubles, the schoolbook way.
 */
#include "guest.h"

enum { SIZE = 96 };

static double left[SIZE][SIZE], right[SIZE][SIZE], product[SIZE][SIZE];

static void prepare(void) {
  uint32_t seed = 1;
  for (int row = 0; row < SIZE; row++) {
    for (int column = 0; column < SIZE; column++) {
      left[row][column] = guest_random(&seed) % 100;
      right[row][column] = guest_random(&seed) % 100;
    }
  }
}

static void multiply(void) {
  for (int row = 0; row < SIZE; row++) {
    for (int column = 0; column < SIZE; column++) {
      double sum = 0;
      for (int i = 0; i < SIZE; i++) sum += left[row][i] * right[i][column];
      product[row][column] = sum;
    }
  }
}

RUN {
  uint32_t sum = 0;
  prepare();
  while (n-- > 0) {
    multiply();
    sum = guest_mix(sum, (uint32_t)product[n % SIZE][17]);
  }
  return sum;
}
