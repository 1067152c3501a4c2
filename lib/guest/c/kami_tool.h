/*
 * All that a KAMI tool written in C needs: the canonical ABI of `run: func(input: string) -> result<string, string>`
 * and a growing text for its output; kami_json.h reads its input. No generated code; of the C library only memory and
 * string functions. Include it in the C or C++ file that defines kami_run; further files define KAMI_NO_EXPORTS before it.
 *
 *     #include "kami_json.h"
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

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Text that grows ---- */

/* A text under construction; start it as {0}. Not terminated. Traps when memory runs out. */
typedef struct {
  char *text;
  size_t length;
  size_t capacity;
} kami_text;

static inline void kami_append_bytes(kami_text *out, const char *bytes, size_t length) {
  size_t needed;
  if (__builtin_add_overflow(out->length, length, &needed)) __builtin_trap();
  if (needed > out->capacity) {
    size_t capacity = needed > SIZE_MAX / 2 ? needed : needed * 2;
    out->text = (char *)realloc(out->text, capacity);
    if (out->text == NULL) __builtin_trap();
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
  static const char HEX[] = "0123456789abcdef", NAMES[] = "btn\vfr"; /* of the bytes 8 to 13; \v has no short form */
  size_t done = 0;
  kami_append_bytes(out, "\"", 1);
  for (size_t at = 0; at < length; at++) {
    unsigned char byte = (unsigned char)text[at];
    if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
    kami_append_bytes(out, text + done, at - done);
    done = at + 1;
    if (byte >= 0x20 || (byte >= '\b' && byte <= '\r' && byte != '\v')) {
      char pair[] = {'\\', byte >= 0x20 ? (char)byte : NAMES[byte - '\b']};
      kami_append_bytes(out, pair, sizeof pair);
    } else {
      char escape[] = {'\\', 'u', '0', '0', HEX[byte >> 4], HEX[byte & 15]};
      kami_append_bytes(out, escape, sizeof escape);
    }
  }
  kami_append_bytes(out, text + done, length - done);
  kami_append_bytes(out, "\"", 1);
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

#ifdef __cplusplus
}
#endif
#endif
