/*
 * Words are counted in a hash table with open addressing, and listed by how often they come.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

enum { SIZE = 16384, SLOTS = 2048 };

typedef struct {
  const char *word;
  size_t length;
  uint32_t count;
} slot;

static char text[SIZE];
static slot slots[SLOTS];

static void prepare(void) {
  uint32_t seed = 1;
  for (size_t at = 0; at < SIZE;) {
    uint32_t word = guest_random(&seed) % 600, length = 2 + word % 7;
    for (uint32_t i = 0; i < length && at < SIZE; i++) text[at++] = (char)('a' + (word * (i + 3) + i) % 26);
    if (at < SIZE) text[at++] = ' ';
  }
}

static void count_word(const char *word, size_t length) {
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < length; i++) hash = guest_mix(hash, (uint8_t)word[i]);
  for (;; hash++) {
    slot *here = &slots[hash % SLOTS];
    if (here->word == NULL) *here = (slot){word, length, 0};
    if (here->length != length || memcmp(here->word, word, length) != 0) continue;
    here->count++;
    return;
  }
}

static int compare(const void *left, const void *right) {
  const slot *a = left, *b = right;
  if (a->count != b->count) return a->count < b->count ? 1 : -1;
  if (a->length != b->length) return a->length < b->length ? -1 : 1;
  return a->length == 0 ? 0 : memcmp(a->word, b->word, a->length);
}

RUN {
  uint32_t sum = 0;
  prepare();
  while (n-- > 0) {
    memset(slots, 0, sizeof slots);
    for (size_t at = 0, start = 0; at < SIZE; at++) {
      if (text[at] != ' ') continue;
      if (at > start) count_word(text + start, at - start);
      start = at + 1;
    }
    qsort(slots, SLOTS, sizeof *slots, compare);
    for (int i = 0; i < 20; i++) sum = guest_mix(sum, slots[i].count * 256 + (uint8_t)slots[i].word[0]);
  }
  return sum;
}
