/*
 * wa-webhook-core - Meta's webhook: the subscription check, and messages and statuses, many per
 * request. Calls that are sent here are taken, too, and left to the worker.
 *
 * - GET: 200 the challenge, 403 a wrong verify token
 * - POST: 200 stored, also what is signed and cannot be read, and what waits in the spool for the
 *   database; 401 a bad signature; 503 no secret set, or neither database nor spool takes it
 */
#include "base/str.h"
#include "flow/meta_hook.h"
#include "flow/subscription.h"
#include "frame/handler.h"

static bool
run(struct call *c, struct err *e)
{
    bool spooled;

    if (str_eq(c->in.method, "GET"))
        return subscription_check(c->arena, c->flow->config, &c->in, &c->text, e);
    if (!meta_hook_accept(c->flow, c->arena, &(struct meta_hook){ c->program, false, &c->in },
                          &spooled, e))
        return false;
    json_set_bool(c->reply, "success", true);
    if (spooled)
        json_set_bool(c->reply, "spooled", true);
    return true;
}

const struct handler handler = {
    .name = "wa-webhook-core",
    .methods = METHOD_GET | METHOD_POST,
    .max_body = 3 * 1024 * 1024,
    .media = "application/json",
    .needs = CFG_WA_HOOK | CFG_VOICE,
    .auth = AUTH_OWN,
    .run = run,
};
