/*
 * token - a bearer token that speaks for one person in one call or one turn, until it expires:
 * base64url(JSON payload) "." base64url(HMAC-SHA256 of the first part with TOKEN_SECRET).
 */
#ifndef OMNI_CORE_TOKEN_H
#define OMNI_CORE_TOKEN_H

#include "base/arena.h"
#include "base/err.h"
#include "core/config.h"

struct token {
    const char *profile_id;
    const char *session_id; /* "" if none */
    const char *call_id;    /* a call's provider id; "" unless bound to a call */
    const char *turn_id;    /* "" unless bound to a turn */
    int64_t turn_token;     /* the turn's fence; 0 unless bound to a turn */
    const char *tools;      /* "a,b,c": the only ones it may call */
    int64_t expires_s;      /* seconds since 1970 */
};

/* The token as text, in 'a'. */
const char *token_make(struct arena *a, const struct secret *key, const struct token *t);

/* Reads a token that was made with the key's current or old value. ERR_AUTH for one that is
 * malformed, forged or expired at now_s; nothing is said about which. */
bool token_read(struct arena *a, const struct secret *key, const char *text, int64_t now_s,
                struct token *out, struct err *e) MUST_CHECK;

#endif
