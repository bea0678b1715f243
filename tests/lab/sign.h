/* HMAC-SHA256: in lower-case hex, as MTN's JSON gateway and Meta write it, and after Standard
 * Webhooks. */
#ifndef OMNI_LAB_SIGN_H
#define OMNI_LAB_SIGN_H

#include <stdbool.h>
#include <stddef.h>

#define SIGN_BASE64_SIZE 45 /* 32 bytes, and the end of the text */

void sign_hex(const char *secret, const char *body, size_t len, char out[65]);
/* The key is what base64 says behind "whsec_"; false if that is no base64, or nothing. */
bool sign_standard(const char *secret, const char *text, char out[SIGN_BASE64_SIZE]);
/* Of the bytes themselves, as Meta names a document's contents. */
void sign_sha256(const char *bytes, size_t len, char out[SIGN_BASE64_SIZE]);

#endif
