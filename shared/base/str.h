/*
 * str - questions and small changes on NUL-terminated text. Bytes, not letters: UTF-8 is utf8.h.
 */
#ifndef OMNI_BASE_STR_H
#define OMNI_BASE_STR_H

#include "base/arena.h"

bool str_eq(const char *a, const char *b);
bool str_eq_nocase(const char *a, const char *b); /* ASCII letters only */
bool str_starts(const char *text, const char *prefix);
bool str_starts_nocase(const char *text, const char *prefix);
bool str_ends(const char *text, const char *suffix);
bool str_empty(const char *text); /* NULL counts as empty */

/* Whole text as a decimal number with optional '-', within [min, max]. False leaves *out alone. */
bool str_parse_int(const char *text, int64_t min, int64_t max, int64_t *out) MUST_CHECK;

/* The number as decimal text. */
const char *str_from_int(struct arena *a, int64_t n);

/* Without white space (ASCII) at both ends; a copy. */
char *str_trim(struct arena *a, const char *text);

/* Every 'from' replaced by 'to'; a copy. 'from' must not be empty. */
char *str_replace(struct arena *a, const char *text, const char *from, const char *to);

/* Splits at each 'sep'; items trimmed, empty ones left out. Returns a NULL-terminated array of *n
 * items. */
char **str_split(struct arena *a, const char *text, char sep, size_t *n);

/* Lower-case hex of n bytes. */
char *str_hex(struct arena *a, const unsigned char *bytes, size_t n);

/* Decodes exactly 2 * n hex digits (either case). False when the text is anything else. */
bool str_unhex(const char *hex, unsigned char *out, size_t n) MUST_CHECK;

/* Decodes %XX and '+' of a query or form value; a copy. False on a broken escape or a %00. */
bool str_url_decode(struct arena *a, const char *bytes, size_t n, char **out) MUST_CHECK;

/* Percent-encodes everything but RFC 3986's unreserved characters. */
char *str_url_encode(struct arena *a, const char *text);

#endif
