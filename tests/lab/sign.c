/* HMAC-SHA256 and its spellings: see sign.h. */
#include "sign.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#define STANDARD_PREFIX "whsec_"
#define KEY_TEXT_MAX    256
#define KEY_MAX         (KEY_TEXT_MAX / 4 * 3)

static void
hmac_sha256(const void *key, size_t key_len, const char *text, size_t len, unsigned char out[32])
{
    unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };
    unsigned digest_len = 0;
    (void)HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text, len, digest,
               &digest_len);
    memcpy(out, digest, 32);
}

void
sign_hex(const char *secret, const char *body, size_t len, char out[65])
{
    unsigned char digest[32];
    hmac_sha256(secret, strlen(secret), body, len, digest);
    for (size_t i = 0; i < 32; i++) {
        (void)snprintf(out + i * 2, 3, "%02x", (unsigned)digest[i]);
    }
}

bool
sign_standard(const char *secret, const char *text, char out[SIGN_BASE64_SIZE])
{
    size_t prefix = strlen(STANDARD_PREFIX);
    secret += strncmp(secret, STANDARD_PREFIX, prefix) == 0 ? prefix : 0;
    size_t len = strlen(secret);
    unsigned char key[KEY_MAX];
    if (len == 0 || len > KEY_TEXT_MAX) {
        return false;
    }
    int decoded = EVP_DecodeBlock(key, (const unsigned char *)secret, (int)len);
    if (decoded <= 0) {
        return false;
    }
    /* OpenSSL counts the bytes that the padding stands for. */
    size_t padding = 0;
    while (padding < 2 && secret[len - 1 - padding] == '=') {
        padding++;
    }
    unsigned char digest[32];
    hmac_sha256(key, (size_t)decoded - padding, text, strlen(text), digest);
    (void)EVP_EncodeBlock((unsigned char *)out, digest, 32);
    return true;
}

void
sign_sha256(const char *bytes, size_t len, char out[SIGN_BASE64_SIZE])
{
    unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };
    unsigned digest_len = 0;
    (void)EVP_Digest(bytes, len, digest, &digest_len, EVP_sha256(), NULL);
    (void)EVP_EncodeBlock((unsigned char *)out, digest, 32);
}
