/*
 * Reads the JSON input of a KAMI tool without allocating: values are pieces of the input, strings are decoded in place.
 * Strict, and safe on any bytes. Source: RFC 8259.
 */
#ifndef KAMI_JSON_H
#define KAMI_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef enum {
  KAMI_MALFORMED, /* the input is not a JSON object */
  KAMI_ABSENT,
  KAMI_NULL,
  KAMI_FALSE,
  KAMI_TRUE,
  KAMI_NUMBER,
  KAMI_STRING,
  KAMI_ARRAY,
  KAMI_OBJECT,
} kami_kind;

/* One JSON value inside the input: its own characters; of a string, what is between the quotes. Not terminated. */
typedef struct {
  kami_kind kind;
  char *text;
  size_t length;
} kami_value;

enum { KAMI_MAX_DEPTH = 128 };

typedef struct {
  char *at;
  char *end;
} kami_reader;

static inline int kami_peek(kami_reader *in) {
  while (in->at < in->end && (*in->at == ' ' || *in->at == '\t' || *in->at == '\n' || *in->at == '\r')) in->at++;
  return in->at < in->end ? (unsigned char)*in->at : -1;
}

static inline bool kami_take(kami_reader *in, int wanted) {
  if (kami_peek(in) != wanted) return false;
  in->at++;
  return true;
}

static inline int kami_hex(const char *at, const char *end) {
  int value = 0;
  if (end - at < 4) return -1;
  for (int i = 0; i < 4; i++) {
    char c = at[i];
    int digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

static inline bool kami_read_string(kami_reader *in, kami_value *out) {
  if (!kami_take(in, '"')) return false;
  *out = (kami_value){KAMI_STRING, in->at, 0};
  for (; in->at < in->end; in->at++) {
    unsigned char byte = (unsigned char)*in->at;
    if (byte < 0x20) return false;
    if (byte == '"') {
      out->length = (size_t)(in->at++ - out->text);
      return true;
    }
    if (byte != '\\') continue;
    if (++in->at == in->end) return false;
    if (*in->at == 'u' ? kami_hex(in->at + 1, in->end) < 0 : *in->at == 0 || strchr("\"\\/bfnrt", *in->at) == NULL) {
      return false;
    }
  }
  return false;
}

static inline size_t kami_read_digits(kami_reader *in) {
  char *start = in->at;
  while (in->at < in->end && *in->at >= '0' && *in->at <= '9') in->at++;
  return (size_t)(in->at - start);
}

static inline bool kami_read_number(kami_reader *in, kami_value *out) {
  *out = (kami_value){KAMI_NUMBER, in->at, 0};
  if (in->at < in->end && *in->at == '-') in->at++;
  bool zero = in->at < in->end && *in->at == '0';
  size_t digits = kami_read_digits(in);
  if (digits == 0 || (zero && digits > 1)) return false;
  if (in->at < in->end && *in->at == '.') {
    in->at++;
    if (kami_read_digits(in) == 0) return false;
  }
  if (in->at < in->end && (*in->at | 32) == 'e') {
    in->at++;
    if (in->at < in->end && (*in->at == '+' || *in->at == '-')) in->at++;
    if (kami_read_digits(in) == 0) return false;
  }
  out->length = (size_t)(in->at - out->text);
  return true;
}

static inline bool kami_read_word(kami_reader *in, const char *word, kami_value *out) {
  size_t length = strlen(word);
  if ((size_t)(in->end - in->at) < length || memcmp(in->at, word, length) != 0) return false;
  out->text = in->at;
  out->length = length;
  in->at += length;
  return true;
}

static inline bool kami_read_value(kami_reader *in, kami_value *out, int depth);

/* The rest of an array or object, after its opening bracket. */
static inline bool kami_read_rest(kami_reader *in, char close, int depth) {
  kami_value ignored;
  if (depth == 0) return false;
  if (kami_take(in, close)) return true;
  do {
    if (close == '}' && !(kami_read_string(in, &ignored) && kami_take(in, ':'))) return false;
    if (!kami_read_value(in, &ignored, depth - 1)) return false;
  } while (kami_take(in, ','));
  return kami_take(in, close);
}

static inline bool kami_read_value(kami_reader *in, kami_value *out, int depth) {
  int first = kami_peek(in);
  bool ok = false;
  if (first == '"') return kami_read_string(in, out);
  *out = (kami_value){KAMI_NULL, in->at, 0};
  if (first == '{' || first == '[') {
    out->kind = first == '{' ? KAMI_OBJECT : KAMI_ARRAY;
    in->at++;
    ok = kami_read_rest(in, first == '{' ? '}' : ']', depth);
    out->length = (size_t)(in->at - out->text);
    return ok;
  }
  if (first == 'n') return kami_read_word(in, "null", out);
  out->kind = first == 't' ? KAMI_TRUE : KAMI_FALSE;
  if (first == 't') return kami_read_word(in, "true", out);
  if (first == 'f') return kami_read_word(in, "false", out);
  return kami_read_number(in, out);
}

static inline size_t kami_put_utf8(char *out, uint32_t point) {
  if (point < 0x80) {
    out[0] = (char)point;
    return 1;
  }
  if (point < 0x800) {
    out[0] = (char)(0xC0 | point >> 6);
    out[1] = (char)(0x80 | (point & 63));
    return 2;
  }
  if (point < 0x10000) {
    out[0] = (char)(0xE0 | point >> 12);
    out[1] = (char)(0x80 | (point >> 6 & 63));
    out[2] = (char)(0x80 | (point & 63));
    return 3;
  }
  out[0] = (char)(0xF0 | point >> 18);
  out[1] = (char)(0x80 | (point >> 12 & 63));
  out[2] = (char)(0x80 | (point >> 6 & 63));
  out[3] = (char)(0x80 | (point & 63));
  return 4;
}

/* The code point of an escape `u....` whose `u` is at *at; moves *at to its last character. A lone surrogate becomes U+FFFD. */
static inline uint32_t kami_take_unicode(const char **at, const char *end) {
  uint32_t high = (uint32_t)kami_hex(*at + 1, end);
  *at += 4;
  if (high < 0xD800 || high > 0xDFFF) return high;
  if (high > 0xDBFF || end - *at < 7 || (*at)[1] != '\\' || (*at)[2] != 'u') return 0xFFFD;
  uint32_t low = (uint32_t)kami_hex(*at + 3, end);
  if (low < 0xDC00 || low > 0xDFFF) return 0xFFFD;
  *at += 6;
  return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

/* Resolves the escapes of a string value in place (the result is never longer) and puts a zero byte after it. */
static inline void kami_decode(kami_value *string) {
  static const char NAMES[] = "bfnrt", VALUES[] = "\b\f\n\r\t";
  const char *end = string->text + string->length;
  char *out = string->text;
  for (const char *at = string->text; at < end; at++) {
    if (*at != '\\') {
      *out++ = *at;
      continue;
    }
    const char *named = strchr(NAMES, *++at);
    if (*at == 'u') out += kami_put_utf8(out, kami_take_unicode(&at, end));
    else *out++ = named == NULL ? *at : VALUES[named - NAMES];
  }
  string->length = (size_t)(out - string->text);
  *out = 0; /* at the latest where the closing quote was */
}

/* Whether a key of the input, escapes and all, is the wanted one. */
static inline bool kami_is_key(kami_value key, const char *wanted) {
  size_t length = strlen(wanted);
  char copy[256];
  if (memchr(key.text, '\\', key.length) == NULL) return key.length == length && memcmp(key.text, wanted, length) == 0;
  if (key.length >= sizeof copy) return false;
  memcpy(copy, key.text, key.length);
  kami_value decoded = {KAMI_STRING, copy, key.length};
  kami_decode(&decoded);
  return decoded.length == length && memcmp(copy, wanted, length) == 0;
}

/*
 * Finds a member of the JSON object that the input is; the last one when there are several of that name.
 * KAMI_MALFORMED when the input as a whole is not a JSON object nested at most KAMI_MAX_DEPTH deep. Find all members before
 * decoding any: decoding changes the input.
 */
static inline kami_value kami_find(char *input, size_t length, const char *wanted) {
  kami_reader in = {input, input + length};
  kami_value found = {KAMI_ABSENT, NULL, 0}, key, value;
  const kami_value malformed = {KAMI_MALFORMED, NULL, 0};
  if (!kami_take(&in, '{')) return malformed;
  if (!kami_take(&in, '}')) {
    do {
      if (!kami_read_string(&in, &key) || !kami_take(&in, ':')) return malformed;
      if (!kami_read_value(&in, &value, KAMI_MAX_DEPTH)) return malformed;
      if (kami_is_key(key, wanted)) found = value;
    } while (kami_take(&in, ','));
    if (!kami_take(&in, '}')) return malformed;
  }
  return kami_peek(&in) == -1 ? found : malformed;
}

#endif
