/*
 * wa-webhook-core - Meta's webhook: the subscription check, and messages and statuses, many per
 * request.
 *
 * - GET: 200 the challenge, 403 a wrong verify token
 * - POST: 200 stored, also what is signed and cannot be read, and what waits in the spool for the
 *   database; 401 a bad signature; 503 no secret set, or neither database nor spool takes it
 */
#include "base/str.h"
#include "flow/inbound.h"
#include "frame/handler.h"

#define CHALLENGE_MAX 256

static bool
subscribe(struct call *c, struct err *e)
{
    const char *mode = incoming_query(c->arena, &c->in, "hub.mode");
    const char *token = incoming_query(c->arena, &c->in, "hub.verify_token");
    const char *challenge = incoming_query(c->arena, &c->in, "hub.challenge");
    size_t n =
        strspn(challenge, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    if (str_empty(c->flow->config->wa_verify_token.now))
        return err_set(e, ERR_UNAVAILABLE, "WA_VERIFY_TOKEN: not set");
    if (!str_eq(mode, "subscribe") || !secret_matches(&c->flow->config->wa_verify_token, token))
        return err_set(e, ERR_FORBIDDEN, "hub.verify_token: wrong");
    if (n == 0 || n > CHALLENGE_MAX || challenge[n] != '\0')
        return err_set(e, ERR_INVALID, "hub.challenge: missing or not a plain word");
    c->text = challenge;
    return true;
}

static bool
run(struct call *c, struct err *e)
{
    const struct provider *p = provider_find("meta");
    struct inbound_result result;

    if (str_eq(c->in.method, "GET"))
        return subscribe(c, e);
    if (!p->verify(c->arena, c->flow->config, &c->in, e) ||
        !inbound_accept(c->flow, c->arena,
                        &(struct inbound_request){ c->program, p, &c->in, false, 0 }, &result, e))
        return false;
    json_set_bool(c->reply, "success", true);
    if (result.spooled)
        json_set_bool(c->reply, "spooled", true);
    return true;
}

const struct handler handler = {
    .name = "wa-webhook-core",
    .methods = METHOD_GET | METHOD_POST,
    .max_body = 3 * 1024 * 1024,
    .media = "application/json",
    .needs = CFG_WA_HOOK,
    .auth = AUTH_OWN,
    .run = run,
};
