/*
 * base64 - RFC 4648, the standard and the URL-safe alphabet.
 */
#ifndef OMNI_BASE_BASE64_H
#define OMNI_BASE_BASE64_H

#include "base/arena.h"

char *base64_encode(struct arena *a, const void *bytes, size_t n);     /* '+' '/', padded */
char *base64_encode_url(struct arena *a, const void *bytes, size_t n); /* '-' '_', no padding */

/* Decodes either alphabet, padding optional; refuses any other character. *out is NUL-terminated
 * besides. */
bool base64_decode(struct arena *a, const char *text, unsigned char **out, size_t *n) MUST_CHECK;

#endif
