/*
 * wa-webhook-voice-calls - Meta's webhook for calls: connect, terminate, transcript, many per
 * request. Picking up or turning away comes after the answer. Messages and statuses that are sent
 * here are taken, too.
 *
 * - GET: 200 the challenge, 403 a wrong verify token
 * - POST: 200 stored, also what is signed and cannot be read, what is none of ours, and what waits
 *   in the spool for the database; 401 a bad signature; 503 no secret set, or neither database nor
 *   spool takes it
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
    if (!meta_hook_accept(c->flow, c->arena, &(struct meta_hook){ c->program, true, &c->in },
                          &spooled, e))
        return false;
    json_set_bool(c->reply, "success", true);
    if (spooled)
        json_set_bool(c->reply, "spooled", true);
    return true;
}

const struct handler handler = {
    .name = "wa-webhook-voice-calls",
    .methods = METHOD_GET | METHOD_POST,
    .max_body = 3 * 1024 * 1024,
    .media = "application/json",
    .needs = CFG_WA_HOOK | CFG_WHATSAPP | CFG_VOICE,
    .auth = AUTH_OWN,
    .run = run,
};
