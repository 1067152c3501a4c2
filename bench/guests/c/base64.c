/*
 * Base64: 24 KiB are encoded, decoded and compared. Source: RFC 4648 section 4.
 */
#include <string.h>

#include "guest.h"

enum { SIZE = 24576, ENCODED = SIZE / 3 * 4 };

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static uint8_t values[256], data[SIZE], decoded[SIZE];
static char encoded[ENCODED];

static void prepare(void) {
  uint32_t seed = 1;
  memset(values, 0xff, sizeof values);
  for (uint8_t i = 0; i < 64; i++) values[(uint8_t)ALPHABET[i]] = i;
  for (size_t i = 0; i < SIZE; i++) data[i] = (uint8_t)guest_random(&seed);
}

static void encode(const uint8_t *from, char *to) {
  for (size_t i = 0; i < SIZE; i += 3, to += 4) {
    uint32_t bits = (uint32_t)from[i] << 16 | (uint32_t)from[i + 1] << 8 | from[i + 2];
    for (int j = 0; j < 4; j++) to[j] = ALPHABET[bits >> (18 - 6 * j) & 63];
  }
}

static int decode(const char *from, uint8_t *to) {
  for (size_t i = 0; i < ENCODED; i += 4, to += 3) {
    uint32_t bits = 0;
    for (int j = 0; j < 4; j++) {
      uint8_t value = values[(uint8_t)from[i + j]];
      if (value > 63) return 0;
      bits = bits << 6 | value;
    }
    for (int j = 0; j < 3; j++) to[j] = (uint8_t)(bits >> (16 - 8 * j));
  }
  return 1;
}

RUN {
  uint32_t sum = 0;
  prepare();
  while (n-- > 0) {
    data[n % SIZE]++;
    encode(data, encoded);
    if (!decode(encoded, decoded) || memcmp(data, decoded, SIZE) != 0) return 0;
    sum = guest_mix(sum, (uint32_t)encoded[n % ENCODED]);
  }
  return sum;
}
