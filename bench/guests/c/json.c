/*
 * A JSON document is parsed into a tree and written again; what is written must be what was read. Source: RFC 8259.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

typedef enum { NIL, FALSE, TRUE, NUMBER, STRING, ARRAY, OBJECT } kind;

typedef struct value {
  kind kind;
  double number;
  const char *text, *name;
  size_t length, name_length;
  struct value *first, *next;
} value;

enum { RECORDS = 100, CAPACITY = 65536, VALUES = 4096, DEPTH = 64 };

static char document[CAPACITY], written[CAPACITY];
static size_t size;
static value values[VALUES];
static size_t used;

static char *put(char *at, const char *text, size_t length) {
  memcpy(at, text, length);
  return at + length;
}

static char *put_text(char *at, const char *text) { return put(at, text, strlen(text)); }

static char *put_number(char *at, double number) {
  char digits[24];
  int count = 0;
  if (number < 0) *at++ = '-';
  uint64_t hundredths = (uint64_t)((number < 0 ? -number : number) * 100 + 0.5);
  uint64_t whole = hundredths / 100;
  do digits[count++] = (char)('0' + whole % 10);
  while ((whole /= 10) != 0);
  while (count > 0) *at++ = digits[--count];
  if (hundredths % 100 == 0) return at;
  *at++ = '.';
  *at++ = (char)('0' + hundredths / 10 % 10);
  if (hundredths % 10 != 0) *at++ = (char)('0' + hundredths % 10);
  return at;
}

static void prepare(void) {
  uint32_t seed = 1;
  char *at = put_text(document, "{\"records\":[");
  for (int i = 0; i < RECORDS; i++) {
    if (i > 0) *at++ = ',';
    at = put_number(put_text(at, "{\"id\":"), i);
    at = put_text(at, ",\"name\":\"record \\u00e9 \\\"");
    at = put_number(at, guest_random(&seed) % 100000);
    at = put_number(put_text(at, "\\\"\",\"price\":"), (double)(guest_random(&seed) % 1000000) / 100);
    at = put_text(at, guest_random(&seed) % 2 ? ",\"active\":true" : ",\"active\":false");
    at = put_text(at, ",\"tags\":[\"a\",\"quite a long tag, as tags go\",null],\"at\":{\"x\":-1.5,\"y\":[]}}");
  }
  size = (size_t)(put_text(at, "]}") - document);
  *(document + size) = 0;
}

static const char *skip_space(const char *at) {
  while (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r') at++;
  return at;
}

static const char *read_string(const char *at, const char **text, size_t *length) {
  if (*at++ != '"') return NULL;
  *text = at;
  for (; *at != '"'; at++) {
    if ((unsigned char)*at < 0x20) return NULL;
    if (*at != '\\') continue;
    at++;
    if (*at == 'u') {
      for (int i = 0; i < 4; i++) {
        char c = *++at;
        if (!((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'f'))) return NULL;
      }
    } else if (*at == 0 || strchr("\"\\/bfnrt", *at) == NULL) return NULL;
  }
  *length = (size_t)(at - *text);
  return at + 1;
}

static const char *read_number(const char *at, double *number) {
  bool negative = *at == '-';
  double scale = 1, result = 0;
  if (negative) at++;
  if (*at < '0' || *at > '9') return NULL;
  while (*at >= '0' && *at <= '9') result = result * 10 + (*at++ - '0');
  if (*at == '.') {
    at++;
    for (; *at >= '0' && *at <= '9'; scale *= 10) result = result * 10 + (*at++ - '0');
  }
  *number = (negative ? -result : result) / scale;
  return at;
}

static const char *read_value(const char *at, value *out, int depth);

static const char *read_members(const char *at, value *out, int depth) {
  char close = out->kind == ARRAY ? ']' : '}';
  value **link = &out->first;
  at = skip_space(at + 1);
  if (*at == close) return at + 1;
  for (;; at++) {
    if (used == VALUES) return NULL;
    value *member = &values[used++];
    *member = (value){0};
    at = skip_space(at);
    if (out->kind == OBJECT) {
      at = read_string(at, &member->name, &member->name_length);
      if (at == NULL) return NULL;
      at = skip_space(at);
      if (*at++ != ':') return NULL;
    }
    at = read_value(at, member, depth + 1);
    if (at == NULL) return NULL;
    *link = member;
    link = &member->next;
    at = skip_space(at);
    if (*at == close) return at + 1;
    if (*at != ',') return NULL;
  }
}

static const char *read_word(const char *at, const char *word) {
  size_t length = strlen(word);
  return strncmp(at, word, length) == 0 ? at + length : NULL;
}

static const char *read_value(const char *at, value *out, int depth) {
  if (depth > DEPTH) return NULL;
  at = skip_space(at);
  switch (*at) {
    case '{': out->kind = OBJECT; return read_members(at, out, depth);
    case '[': out->kind = ARRAY; return read_members(at, out, depth);
    case '"': out->kind = STRING; return read_string(at, &out->text, &out->length);
    case 't': out->kind = TRUE; return read_word(at, "true");
    case 'f': out->kind = FALSE; return read_word(at, "false");
    case 'n': out->kind = NIL; return read_word(at, "null");
    default: out->kind = NUMBER; return read_number(at, &out->number);
  }
}

static char *write_string(char *at, const char *text, size_t length) {
  *at++ = '"';
  at = put(at, text, length);
  *at++ = '"';
  return at;
}

static char *write_value(char *at, const value *in) {
  switch (in->kind) {
    case NIL: return put_text(at, "null");
    case FALSE: return put_text(at, "false");
    case TRUE: return put_text(at, "true");
    case NUMBER: return put_number(at, in->number);
    case STRING: return write_string(at, in->text, in->length);
    case ARRAY:
    case OBJECT: break;
  }
  *at++ = in->kind == ARRAY ? '[' : '{';
  for (const value *member = in->first; member != NULL; member = member->next) {
    if (member != in->first) *at++ = ',';
    if (in->kind == OBJECT) {
      at = write_string(at, member->name, member->name_length);
      *at++ = ':';
    }
    at = write_value(at, member);
  }
  *at++ = in->kind == ARRAY ? ']' : '}';
  return at;
}

RUN {
  uint32_t sum = 0;
  prepare();
  while (n-- > 0) {
    value root = {0};
    used = 0;
    const char *end = read_value(document, &root, 0);
    if (end != document + size) return 0;
    if (write_value(written, &root) != written + size || memcmp(document, written, size) != 0) return 0;
    sum = guest_mix(sum, (uint32_t)used);
  }
  return sum;
}
