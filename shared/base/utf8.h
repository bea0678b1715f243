/*
 * utf8 - strict UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
 *
 * Stricter than json-c and exactly as strict as PostgreSQL, so that a text which passed here can be
 * stored.
 */
#ifndef OMNI_BASE_UTF8_H
#define OMNI_BASE_UTF8_H

#include "base/arena.h"

#define UTF8_REPLACEMENT 0xFFFDu

/* Reads one code point at *p (before 'end'), moves *p behind it. A broken sequence gives U+FFFD and
 * moves by the maximal broken part, at least one byte. */
uint32_t utf8_next(const char **p, const char *end);

/* Writes the code point (1 to 4 bytes) to out; returns the length. Unencodable ones become U+FFFD.
 */
size_t utf8_put(uint32_t code, char out[4]);

bool utf8_valid(const char *bytes, size_t n);

/* How many code points the valid text has. */
size_t utf8_count(const char *text);

/* A valid copy fit to store and show: broken sequences become U+FFFD; NUL, C0/C1 controls except \n
 * and \t, and bidirectional override/isolate marks (U+202A-202E, U+2066-2069) are left out; \r\n
 * and \r become \n; cut after max_chars code points. */
char *utf8_clean(struct arena *a, const char *bytes, size_t n, size_t max_chars);

/* Length in bytes of the longest prefix that has at most max_chars code points. */
size_t utf8_prefix(const char *text, size_t max_chars);

#endif
