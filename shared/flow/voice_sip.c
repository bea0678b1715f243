/*
 * voice_sip - a call that reaches OpenAI by SIP: only its beginning is told; its end comes from the
 * agent's tools, from the exchange, or from nobody.
 */
#include "base/str.h"
#include "flow/voice_event.h"
#include "provider/openai_sip.h"

/* Of the live request, or as the spool kept it. */
static const char *
webhook_id(struct arena *a, const struct incoming_http *in)
{
    const char *id = openai_sip_webhook_id(in);

    return str_empty(id) ? incoming_query(a, in, "webhook-id") : id;
}

bool
voice_sip_take(struct flow *f, struct arena *a, const struct voice_request *req,
               struct voice_result *out, struct err *e)
{
    static const struct call_action_new todo = { .kind = CALL_ACTION_ACCEPT,
                                                 .life_s = CALL_OFFER_LIFE_S };
    struct call_event ev = { .channel = "sip", .event = "connect", .anonymous = true };
    struct sip_event s;

    if (!openai_sip_read(a, req->http->body, req->http->body_len, &s, e))
        return false;
    if (!s.is_call) {
        out->ignored++;
        log_event(f->log, INBOUND_IGNORED, LF_ID("reason", s.type));
        return true;
    }
    ev.call_id = s.call_id;
    ev.sip_call_id = s.sip_call_id;
    ev.phone = s.caller.e164;
    ev.webhook_id = webhook_id(a, req->http);
    ev.at_ms = s.at_ms > 0 ? s.at_ms : req->received_at_ms;
    ev.received_ms = req->received_at_ms;
    return voice_record(f, a, req, &ev, &todo, out, e);
}
