/*
 * hmac - signatures: HMAC-SHA256, SHA-256, and comparison in constant time. The only user of
 * OpenSSL.
 */
#ifndef OMNI_BASE_HMAC_H
#define OMNI_BASE_HMAC_H

#include "base/base.h"

#define HMAC_SIZE 32

void hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t n,
                 unsigned char out[HMAC_SIZE]);
void hmac_digest(const void *bytes, size_t n,
                 unsigned char out[HMAC_SIZE]); /* SHA-256 without a key */

/* True when the n bytes are equal; the time taken does not depend on where they differ. */
bool hmac_equal(const void *a, const void *b, size_t n);

/* True when the texts are equal; compares digests, so the time tells neither content nor length. */
bool hmac_text_equal(const char *a, const char *b);

/* True when 'hex' is the 64-digit HMAC-SHA256 of the bytes under 'key' (NUL-terminated, not empty).
 */
bool hmac_hex_matches(const char *key, const void *bytes, size_t n, const char *hex);

#endif
