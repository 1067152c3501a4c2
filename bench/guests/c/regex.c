/*
 * Regular expressions of the C library (TRE) over the lines of a log: matches are counted, and the places of their groups added up.
 */
#include <regex.h>
#include <string.h>

#include "guest.h"

enum { LINES = 24, LINE = 128, PATTERNS = 3, GROUPS = 4 };

static const char *const TEXTS[PATTERNS] = {
    "([0-9]{1,3})\\.([0-9]{1,3})\\.[0-9]{1,3}\\.[0-9]{1,3}",
    "(GET|POST) (/[a-z0-9/._-]*)",
    "status=(4|5)[0-9][0-9] .*agent=\"([^\"]*)\"",
};

static regex_t patterns[PATTERNS];
static char lines[LINES][LINE];

/* The library's own brings in stderr, and with it imports. */
_Noreturn void __assert_fail(const char *what, const char *file, int line, const char *function);
_Noreturn void __assert_fail(const char *what, const char *file, int line, const char *function) {
  (void)what, (void)file, (void)line, (void)function;
  __builtin_trap();
}

static char *put_text(char *at, const char *text) {
  strcpy(at, text);
  return at + strlen(text);
}

static char *put_number(char *at, uint32_t number) {
  if (number >= 10) at = put_number(at, number / 10);
  return put_text(at, (char[]){(char)('0' + number % 10), 0});
}

static void prepare(void) {
  static const char *const AGENTS[] = {"curl/8", "an ordinary browser", "bot"};
  uint32_t seed = 1;
  for (int i = 0; i < PATTERNS; i++) regcomp(&patterns[i], TEXTS[i], REG_EXTENDED);
  for (int i = 0; i < LINES; i++) {
    uint32_t a = guest_random(&seed), b = guest_random(&seed), c = guest_random(&seed);
    char *at = put_number(put_text(put_number(lines[i], a % 256), "."), b % 256);
    at = put_text(put_text(at, ".10.7 "), c % 3 ? "GET" : "PUT");
    at = put_text(put_number(put_text(at, " /items/"), b % 10000), "/index.html status=");
    at = put_text(put_number(at, a % 4 ? 200 + c % 5 : 404 + c % 100), " agent=\"");
    put_text(put_text(at, AGENTS[b % 3]), "\"");
  }
}

RUN {
  uint32_t sum = 0;
  if (lines[0][0] == 0) prepare();
  while (n-- > 0) {
    for (int line = 0; line < LINES; line++) {
      for (int i = 0; i < PATTERNS; i++) {
        regmatch_t groups[GROUPS];
        if (regexec(&patterns[i], lines[line], GROUPS, groups, 0) != 0) continue;
        sum = guest_mix(sum, (uint32_t)(groups[1].rm_so * 256 + groups[1].rm_eo));
      }
    }
  }
  return sum;
}
