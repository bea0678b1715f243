/* HMAC-SHA256 in lower-case hex: see sign.h. */
#include "sign.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

void
sign_hex(const char *secret, const char *body, size_t len, char out[65])
{
    unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };
    unsigned digest_len = 0;
    (void)HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)body, len, digest,
               &digest_len);
    for (size_t i = 0; i < 32; i++) {
        (void)snprintf(out + i * 2, 3, "%02x", (unsigned)digest[i]);
    }
}
