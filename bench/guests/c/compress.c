/*
 * Compression by back references found through hash chains, in the manner of LZ77; what comes out is unpacked and compared.
 *
 * A token is a byte: 0 to 127, so many literals and one more follow; from 128, a copy of (token - 128 + 4) bytes, and its distance in two
 * bytes. Source: Ziv and Lempel, A Universal Algorithm for Sequential Data Compression, 1977.
 */
#include <string.h>

#include "guest.h"

enum { SIZE = 16384, BUCKETS = 4096, SHORTEST = 4, LONGEST = 131, MOST_LITERALS = 128, TRIES = 8, NONE = -1 };

static uint8_t text[SIZE], packed[2 * SIZE], unpacked[SIZE];
static int heads[BUCKETS], earlier[SIZE];

/* Words of a small vocabulary: repeats, as in real text. */
static void prepare(void) {
  static const char *const WORDS[] = {"wasm",  "memory ", "function ", "the ",  "of ",   "fuel",  "\n",   "call ",
                                      "metered ", "and ", "guest ",    "table ", "import ", ", ", "trap ", "a "};
  uint32_t seed = 1;
  size_t at = 0;
  while (at < SIZE) {
    const char *word = WORDS[guest_random(&seed) % 16];
    while (*word != 0 && at < SIZE) text[at++] = (uint8_t)*word++;
    if (seed % 5 == 0 && at < SIZE) text[at++] = (uint8_t)('0' + guest_random(&seed) % 10);
  }
}

static uint32_t hash(const uint8_t *at) {
  uint32_t word;
  memcpy(&word, at, sizeof word);
  return word * 2654435761u >> 20;
}

static int match_length(int from, int at) {
  int length = 0;
  while (length < LONGEST && at + length < SIZE && text[from + length] == text[at + length]) length++;
  return length;
}

static int find(int at, int *distance) {
  int best = 0, tries = TRIES;
  for (int from = heads[hash(text + at)]; from != NONE && tries-- > 0; from = earlier[from]) {
    int length = match_length(from, at);
    if (length <= best) continue;
    best = length;
    *distance = at - from;
  }
  return best;
}

static void remember(int at) {
  if (at + SHORTEST > SIZE) return;
  uint32_t bucket = hash(text + at);
  earlier[at] = heads[bucket];
  heads[bucket] = at;
}

static uint8_t *put_literals(uint8_t *out, int from, int to) {
  while (from < to) {
    int count = to - from < MOST_LITERALS ? to - from : MOST_LITERALS;
    *out++ = (uint8_t)(count - 1);
    memcpy(out, text + from, (size_t)count);
    out += count;
    from += count;
  }
  return out;
}

static size_t pack(void) {
  uint8_t *out = packed;
  int literals = 0;
  for (int i = 0; i < BUCKETS; i++) heads[i] = NONE;
  for (int at = 0; at < SIZE;) {
    int distance = 0;
    int length = at + SHORTEST <= SIZE ? find(at, &distance) : 0;
    if (length < SHORTEST) {
      remember(at++);
      continue;
    }
    out = put_literals(out, literals, at);
    *out++ = (uint8_t)(length - SHORTEST + 128);
    *out++ = (uint8_t)distance;
    *out++ = (uint8_t)(distance >> 8);
    for (int end = at + length; at < end;) remember(at++);
    literals = at;
  }
  return (size_t)(put_literals(out, literals, SIZE) - packed);
}

static size_t unpack(size_t size) {
  uint8_t *out = unpacked;
  for (const uint8_t *in = packed; in < packed + size;) {
    int token = *in++;
    if (token < 128) {
      memcpy(out, in, (size_t)token + 1);
      in += token + 1;
      out += token + 1;
      continue;
    }
    const uint8_t *from = out - (in[0] | in[1] << 8);
    in += 2;
    for (int left = token - 128 + SHORTEST; left > 0; left--) *out++ = *from++;
  }
  return (size_t)(out - unpacked);
}

RUN {
  uint32_t sum = 0;
  prepare();
  while (n-- > 0) {
    text[n * 37 % SIZE]++;
    size_t size = pack();
    if (unpack(size) != SIZE || memcmp(text, unpacked, SIZE) != 0) return 0;
    sum = guest_mix(sum, (uint32_t)size);
  }
  return sum;
}
