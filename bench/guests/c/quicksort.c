/*
 * Quicksort of integers, insertion sort below 16. Source: Hoare, Algorithm 64, 1961.
 */
#include "guest.h"

enum { COUNT = 10000, SMALL = 16 };

static int32_t numbers[COUNT];

static void insert(int32_t *from, int count) {
  for (int i = 1; i < count; i++) {
    int32_t moved = from[i];
    int j = i;
    for (; j > 0 && from[j - 1] > moved; j--) from[j] = from[j - 1];
    from[j] = moved;
  }
}

static void sort(int32_t *from, int count) {
  while (count > SMALL) {
    int32_t pivot = from[count / 2];
    int low = 0, high = count - 1;
    for (;; low++, high--) {
      while (from[low] < pivot) low++;
      while (from[high] > pivot) high--;
      if (low >= high) break;
      int32_t swapped = from[low];
      from[low] = from[high];
      from[high] = swapped;
    }
    sort(from, low);
    from += low;
    count -= low;
  }
  insert(from, count);
}

RUN {
  uint32_t sum = 0;
  while (n-- > 0) {
    uint32_t seed = n + 1;
    for (int i = 0; i < COUNT; i++) numbers[i] = (int32_t)guest_random(&seed);
    sort(numbers, COUNT);
    for (int i = 0; i < COUNT; i += 10) sum = guest_mix(sum, (uint32_t)numbers[i]);
  }
  return sum;
}
