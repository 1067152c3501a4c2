/*
 * How many edits lead from one text to another: dynamic programming over a row. Source: Wagner and Fischer, 1974.
 */
#include "guest.h"

enum { LENGTH = 400 };

static char from[LENGTH], to[LENGTH];

static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }

static uint32_t distance(void) {
  uint32_t row[LENGTH + 1];
  for (uint32_t i = 0; i <= LENGTH; i++) row[i] = i;
  for (uint32_t i = 1; i <= LENGTH; i++) {
    uint32_t diagonal = row[0];
    row[0] = i;
    for (uint32_t j = 1; j <= LENGTH; j++) {
      uint32_t replaced = diagonal + (from[i - 1] != to[j - 1]);
      diagonal = row[j];
      row[j] = least(replaced, least(row[j], row[j - 1]) + 1);
    }
  }
  return row[LENGTH];
}

RUN {
  uint32_t sum = 0, seed = 1;
  while (n-- > 0) {
    for (int i = 0; i < LENGTH; i++) {
      from[i] = (char)('a' + guest_random(&seed) % 8);
      to[i] = guest_random(&seed) % 4 == 0 ? 'x' : from[i];
    }
    sum = guest_mix(sum, distance());
  }
  return sum;
}
