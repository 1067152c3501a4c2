/*
 * What every guest of the suite has: run(n) does the work n times over the same data and returns a checksum of its results.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stddef.h>
#include <stdint.h>

#define RUN __attribute__((export_name("run"))) uint32_t run(uint32_t n)

/* Xorshift: the same numbers on every machine. Source: Marsaglia, Xorshift RNGs, 2003. */
static inline uint32_t guest_random(uint32_t *seed) {
  *seed ^= *seed << 13;
  *seed ^= *seed >> 17;
  *seed ^= *seed << 5;
  return *seed;
}

/* One step of FNV-1a, over a word in place of a byte. */
static inline uint32_t guest_mix(uint32_t sum, uint32_t value) { return (sum ^ value) * 16777619u; }

#endif
