/* HMAC-SHA256 in lower-case hex, as both MTN's JSON gateway and Meta write it. */
#ifndef OMNI_LAB_SIGN_H
#define OMNI_LAB_SIGN_H

#include <stddef.h>

void sign_hex(const char *secret, const char *body, size_t len, char out[65]);

#endif
