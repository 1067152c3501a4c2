/*
 * Sorting with the C library's qsort: records by a text and a number, through a comparison function.
 */
#include <stdlib.h>
#include <string.h>

#include "guest.h"

enum { COUNT = 2000, TEXT = 8 };

typedef struct {
  char text[TEXT];
  uint32_t number;
} record;

static record records[COUNT];

static int compare(const void *left, const void *right) {
  const record *a = left, *b = right;
  int order = memcmp(a->text, b->text, TEXT);
  return order != 0 ? order : (a->number > b->number) - (a->number < b->number);
}

static void fill(uint32_t seed) {
  for (int i = 0; i < COUNT; i++) {
    for (int j = 0; j < TEXT; j++) records[i].text[j] = (char)('a' + guest_random(&seed) % (j < 4 ? 2 : 26));
    records[i].number = guest_random(&seed);
  }
}

RUN {
  uint32_t sum = 0;
  while (n-- > 0) {
    fill(n + 1);
    qsort(records, COUNT, sizeof *records, compare);
    for (int i = 0; i < COUNT; i++) sum = guest_mix(sum, records[i].number);
  }
  return sum;
}
