/*
 * All that a KAMI tool written in C needs: the canonical ABI of `run: func(input: string) -> result<string, string>`,
 * a growing text for its output, and a reader for its JSON input. No generated code; of the C library only memory and
 * string functions. Include it in one C file that defines kami_run; further files define KAMI_NO_EXPORTS before it.
 *
 *     #include "kami_tool.h"
 *
 *     kami_result kami_run(char *input, size_t length) {
 *       kami_value name = kami_find(input, length, "name");
 *       if (name.kind != KAMI_STRING) return kami_error("\"name\" must be a string");
 *       kami_decode(&name);
 *       kami_text out = {0};
 *       kami_append(&out, "{\"hello\":");
 *       kami_append_json(&out, name.text, name.length);
 *       kami_append(&out, "}");
 *       return kami_ok(&out);
 *     }
 */
#ifndef KAMI_TOOL_H
#define KAMI_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- Text that grows ---- */

/* A text under construction; start it as {0}. Not terminated. Traps when memory runs out. */
typedef struct {
  char *text;
  size_t length;
  size_t capacity;
} kami_text;

static inline void kami_append_bytes(kami_text *out, const char *bytes, size_t length) {
  if (length > out->capacity - out->length) {
    size_t capacity = out->capacity * 2 > out->length + length ? out->capacity * 2 : out->length + length + 64;
    char *text = capacity < out->length ? NULL : realloc(out->text, capacity);
    if (text == NULL) __builtin_trap();
    out->text = text;
    out->capacity = capacity;
  }
  if (length > 0) memcpy(out->text + out->length, bytes, length);
  out->length += length;
}

static inline void kami_append(kami_text *out, const char *text) { kami_append_bytes(out, text, strlen(text)); }

static inline void kami_append_unsigned(kami_text *out, uint64_t value) {
  char digits[20];
  size_t at = sizeof digits;
  do digits[--at] = (char)('0' + value % 10);
  while ((value /= 10) > 0);
  kami_append_bytes(out, digits + at, sizeof digits - at);
}

/* Appends UTF-8 text as a JSON string, quotes included. Source: RFC 8259 section 7 for what must be escaped. */
static inline void kami_append_json(kami_text *out, const char *text, size_t length) {
  static const char HEX[] = "0123456789abcdef";
  size_t done = 0;
  kami_append_bytes(out, "\"", 1);
  for (size_t at = 0; at < length; at++) {
    unsigned char byte = (unsigned char)text[at];
    if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
    kami_append_bytes(out, text + done, at - done);
    done = at + 1;
    char escape[] = {'\\', 'u', '0', '0', HEX[byte >> 4], HEX[byte & 15]};
    if (byte < 0x20) {
      kami_append_bytes(out, escape, sizeof escape);
    } else {
      char pair[] = {'\\', (char)byte};
      kami_append_bytes(out, pair, sizeof pair);
    }
  }
  kami_append_bytes(out, text + done, length - done);
  kami_append_bytes(out, "\"", 1);
}

/* ---- JSON input ---- */

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

/* ---- The tool ---- */

/* What a call ends with: JSON text, or a message for the agent. The text is from malloc. */
typedef struct {
  bool failed;
  char *text;
  size_t length;
} kami_result;

/* The tool itself, written by its author. The input is UTF-8, not terminated, and the tool's to change. */
kami_result kami_run(char *input, size_t length);

static inline kami_result kami_ok(kami_text *out) { return (kami_result){false, out->text, out->length}; }

/* A failure whose message was built; the message is UTF-8. */
static inline kami_result kami_error_text(kami_text *message) {
  return (kami_result){true, message->text, message->length};
}

static inline kami_result kami_error(const char *message) {
  kami_text text = {0};
  kami_append(&text, message);
  return kami_error_text(&text);
}

#ifndef KAMI_NO_EXPORTS

/* result<string, string> as the canonical ABI lays it out: tag at 0, pointer at 4, length at 8. */
typedef struct {
  uint8_t failed;
  char *text;
  size_t length;
} kami_lowered;

/* malloc aligns to 16, the canonical ABI asks for 8 at most. */
__attribute__((export_name("cabi_realloc"))) void *kami_cabi_realloc(void *old, size_t old_size, size_t align,
                                                                    size_t size) {
  if (size == 0) return (void *)align;
  void *memory = realloc(old_size == 0 ? NULL : old, size);
  if (memory == NULL) __builtin_trap();
  return memory;
}

__attribute__((export_name("run"))) kami_lowered *kami_cabi_run(char *input, size_t length) {
  static kami_lowered lowered;
  kami_result result = kami_run(input, length);
  if (length > 0) free(input);
  lowered = (kami_lowered){result.failed, result.text, result.length};
  return &lowered;
}

__attribute__((export_name("cabi_post_run"))) void kami_cabi_post_run(kami_lowered *lowered) { free(lowered->text); }

#endif
#endif
