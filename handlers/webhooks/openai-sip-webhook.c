/*
 * openai-sip-webhook - OpenAI's webhook for calls by SIP, signed as Standard Webhooks: an incoming
 * call is recorded, and accepted after the answer. All other events are answered and forgotten.
 *
 * - 200 stored or none of ours, also what is signed and cannot be read, and what waits in the spool
 *   for the database; 401 a bad or old signature; 503 no secret set, or neither database nor spool
 *   takes it
 */
#include "base/str.h"
#include "flow/voice.h"
#include "frame/handler.h"

static bool
run(struct call *c, struct err *e)
{
    const struct voice_request req = { c->program, VOICE_SIP, &c->in, 0 };
    struct voice_result result;

    if (!voice_verify(c->flow, c->arena, VOICE_SIP, &c->in, e) ||
        !voice_accept(c->flow, c->arena, &req, &result, e))
        return false;
    json_set_bool(c->reply, "success", true);
    if (result.spooled)
        json_set_bool(c->reply, "spooled", true);
    return true;
}

const struct handler handler = {
    .name = "openai-sip-webhook",
    .methods = METHOD_POST,
    .max_body = 256 * 1024,
    .media = "application/json",
    .needs = CFG_SERVICE | CFG_VOICE | CFG_AGENT,
    .auth = AUTH_OWN,
    .run = run,
};
