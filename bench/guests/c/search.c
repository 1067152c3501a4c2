/*
 * Search in a text of 32 KiB: the C library's strstr (two-way) for a phrase, and Boyer-Moore-Horspool for another.
 * Source: Horspool, Practical Fast Searching in Strings, 1980.
 */
#include <string.h>

#include "guest.h"

enum { SIZE = 32768 };

static char text[SIZE + 1];
static const char PHRASE[] = "of the sandbox", NEEDLE[] = "guest code";

static void prepare(void) {
  static const char *const WORDS[] = {"the ",  "of ",     "guest ", "code ",  "sandbox ", "runs ", "in ",    "a ",
                                      "call ", "memory ", "and ",   "tool, ", "agent ",   "host ", "fuel. ", "that "};
  uint32_t seed = 1;
  for (size_t at = 0; at < SIZE;) {
    for (const char *word = WORDS[guest_random(&seed) % 16]; *word != 0 && at < SIZE;) text[at++] = *word++;
  }
}

static uint32_t count_strstr(void) {
  uint32_t count = 0;
  for (const char *at = text; (at = strstr(at, PHRASE)) != NULL; at++) count++;
  return count;
}

static uint32_t count_horspool(void) {
  size_t skip[256], length = sizeof NEEDLE - 1;
  uint32_t count = 0;
  for (int i = 0; i < 256; i++) skip[i] = length;
  for (size_t i = 0; i + 1 < length; i++) skip[(uint8_t)NEEDLE[i]] = length - 1 - i;
  for (size_t at = 0; at + length <= SIZE; at += skip[(uint8_t)text[at + length - 1]]) {
    if (memcmp(text + at, NEEDLE, length) == 0) count++;
  }
  return count;
}

RUN {
  uint32_t sum = 0;
  prepare();
  while (n-- > 0) {
    text[n * 101 % SIZE] = 'x';
    sum = guest_mix(sum, count_strstr() * 1000 + count_horspool());
  }
  return sum;
}
