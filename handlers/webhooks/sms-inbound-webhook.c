/*
 * sms-inbound-webhook - an SMS of a person, brought by the gateway named in ?provider= (default:
 * the first of SMS_PROVIDERS).
 *
 * - 200 stored, or stored before, with the same answer; also what is signed and cannot be read
 *   (kept as poison), what a sender wrote who is never answered (not kept), and what waits in the
 *   spool for the database ("spooled": true)
 * - 401 missing or wrong signature
 * - 413 too large
 * - 503 the gateway's secret is not set, or neither database nor spool takes it
 */
#include "base/str.h"
#include "flow/inbound.h"
#include "frame/handler.h"

static bool
run(struct call *c, struct err *e)
{
    const char *name = incoming_query(c->arena, &c->in, "provider");
    const struct provider *p =
        provider_find(str_empty(name) ? c->flow->config->sms_providers[0] : name);
    struct inbound_result result;

    if (p == NULL || p->channel != CHANNEL_SMS || p->read_webhook == NULL)
        return err_set(e, ERR_INVALID, "provider: unknown");
    if (!p->verify(c->arena, c->flow->config, &c->in, e) ||
        !inbound_accept(c->flow, c->arena,
                        &(struct inbound_request){ c->program, p, &c->in, false, 0 }, &result, e))
        return false;
    json_set_bool(c->reply, "success", true);
    if (result.spooled) {
        json_set_bool(c->reply, "spooled", true);
        return true;
    }
    if (!str_empty(result.session_id))
        json_set_str(c->reply, "session_id", result.session_id);
    return true;
}

const struct handler handler = {
    .name = "sms-inbound-webhook",
    .methods = METHOD_POST,
    .max_body = 64 * 1024,
    .media = "application/json",
    .needs = CFG_SMS_HOOK,
    .auth = AUTH_OWN,
    .run = run,
};
