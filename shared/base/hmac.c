/*
 * hmac - the door to libcrypto. Its functions fail only when the library itself is broken: then the
 * process ends, since a signature that cannot be computed must not be mistaken for one that does
 * not match.
 */
#include "base/hmac.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/str.h"

void
hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t n,
            unsigned char out[HMAC_SIZE])
{
    unsigned len = 0;

    if (key_len > INT_MAX)
        abort();
    if (HMAC(EVP_sha256(), key, (int)key_len, bytes, n, out, &len) == NULL || len != HMAC_SIZE)
        abort();
}

void
hmac_digest(const void *bytes, size_t n, unsigned char out[HMAC_SIZE])
{
    unsigned len = 0;

    if (EVP_Digest(bytes, n, out, &len, EVP_sha256(), NULL) != 1 || len != HMAC_SIZE)
        abort();
}

bool
hmac_equal(const void *a, const void *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}

bool
hmac_text_equal(const char *a, const char *b)
{
    unsigned char digest_a[HMAC_SIZE];
    unsigned char digest_b[HMAC_SIZE];

    hmac_digest(a, strlen(a), digest_a);
    hmac_digest(b, strlen(b), digest_b);
    return hmac_equal(digest_a, digest_b, HMAC_SIZE);
}

bool
hmac_hex_matches(const char *key, const void *bytes, size_t n, const char *hex)
{
    unsigned char given[HMAC_SIZE];
    unsigned char ours[HMAC_SIZE];

    if (str_empty(key) || !str_unhex(hex, given, HMAC_SIZE))
        return false;
    hmac_sha256(key, strlen(key), bytes, n, ours);
    return hmac_equal(given, ours, HMAC_SIZE);
}
