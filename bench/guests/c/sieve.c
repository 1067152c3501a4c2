/*
 * The sieve of Eratosthenes: how many primes are below 200,000.
 */
#include <string.h>

#include "guest.h"

enum { LIMIT = 200000 };

static uint8_t composite[LIMIT];

static uint32_t count_primes(void) {
  uint32_t primes = 0;
  memset(composite, 0, sizeof composite);
  for (uint32_t number = 2; number < LIMIT; number++) {
    if (composite[number]) continue;
    primes++;
    for (uint32_t multiple = 2 * number; multiple < LIMIT; multiple += number) composite[multiple] = 1;
  }
  return primes;
}

RUN {
  uint32_t primes = 0;
  while (n-- > 0) primes += count_primes();
  return primes;
}
