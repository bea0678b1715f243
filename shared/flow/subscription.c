/*
 * subscription - the token is compared, the challenge goes back.
 */
#include "flow/subscription.h"

#include "base/str.h"

#define CHALLENGE_MAX 256

bool
subscription_check(struct arena *a, const struct config *c, const struct incoming_http *in,
                   const char **challenge, struct err *e)
{
    const char *mode = incoming_query(a, in, "hub.mode");
    const char *token = incoming_query(a, in, "hub.verify_token");
    size_t n;

    *challenge = incoming_query(a, in, "hub.challenge");
    n = strspn(*challenge, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
    if (str_empty(c->wa_verify_token.now))
        return err_set(e, ERR_UNAVAILABLE, "WA_VERIFY_TOKEN: not set");
    if (!str_eq(mode, "subscribe") || !secret_matches(&c->wa_verify_token, token))
        return err_set(e, ERR_FORBIDDEN, "hub.verify_token: wrong");
    if (n == 0 || n > CHALLENGE_MAX || (*challenge)[n] != '\0')
        return err_set(e, ERR_INVALID, "hub.challenge: missing or not a plain word");
    return true;
}
