/*
 * voice - from a verified voice webhook to committed rows.
 */
#include "flow/voice.h"

#include "base/clk.h"
#include "base/crash.h"
#include "base/str.h"
#include "flow/call_actions.h"
#include "flow/voice_event.h"
#include "model/inbound_log.h"
#include "provider/openai_sip.h"
#include "provider/wa_webhook.h"

static const char *const sources[] = { [VOICE_WHATSAPP] = "meta-calls", [VOICE_SIP] = "openai" };

const char *
voice_source_text(enum voice_source s)
{
    return sources[s];
}

bool
voice_source_parse(const char *text, enum voice_source *out)
{
    for (size_t i = 0; i < COUNT_OF(sources); i++) {
        if (str_eq(sources[i], text)) {
            *out = (enum voice_source)i;
            return true;
        }
    }
    return false;
}

bool
voice_verify(struct flow *f, struct arena *a, enum voice_source s, const struct incoming_http *in,
             struct err *e)
{
    if (s == VOICE_SIP)
        return openai_sip_verify(a, f->config, in, clk_now_ms() / 1000, e);
    return wa_webhook_verify(a, f->config, in, e);
}

bool
voice_poison(struct flow *f, struct arena *a, const struct voice_request *req, const char *reason,
             struct voice_result *out, struct err *e)
{
    bool is_new;

    out->poison++;
    if (!inbound_log_poison(f->db, a, req->program, voice_source_text(req->source), reason,
                            req->http->body, req->http->body_len, &is_new, e))
        return false;
    if (is_new)
        log_event(f->log, INBOUND_POISON, LF_ID("provider", voice_source_text(req->source)),
                  LF_ID("reason", reason));
    return true;
}

static void
log_stored(struct flow *f, const struct call_event *ev, const struct call_event_stored *s)
{
    if (!s->is_new) {
        log_event(f->log, INBOUND_DUPLICATE, LF_ID("provider", ev->channel),
                  LF_ID("call_id", ev->call_id), LF_ID("kind", ev->event));
        return;
    }
    if (s->session_created)
        log_event(f->log, SESSION_CREATED, LF_ID("session_id", s->session_id),
                  LF_ID("channel", "voice"));
    log_event(f->log, CALL_EVENT, LF_ID("call_id", ev->call_id), LF_ID("channel", ev->channel),
              LF_ID("kind", ev->event), LF_ID("answered", ev->answered),
              LF_ID("session_id", s->session_id), LF_ID("todo", s->action_id));
}

bool
voice_record(struct flow *f, struct arena *a, const struct voice_request *req,
             const struct call_event *ev, const struct call_action_new *todo,
             struct voice_result *out, struct err *e)
{
    /* A program that sends nothing leaves the action to the worker. */
    const char *owner = f->http != NULL ? f->worker : NULL;
    struct call_event_stored stored;

    CRASH_POINT("call_event_before");
    if (!call_event_record(f->db, a, ev, todo, owner, call_actions_lease_s(f), &stored, e))
        return e->kind == ERR_INVALID && voice_poison(f, a, req, arena_strdup(a, e->text), out, e);
    CRASH_POINT("call_event_after");
    log_stored(f, ev, &stored);
    *(stored.is_new ? &out->events : &out->duplicates) += 1;
    if (str_empty(stored.action_id)) {
        if (stored.is_new && ev->is_over) /* its notification is due */
            wake_send(f->config->wake_socket);
        return true;
    }
    if (owner != NULL)
        call_actions_add(f, stored.action_id);
    if (owner == NULL || ev->is_over)
        wake_send(f->config->wake_socket);
    return true;
}

bool
voice_take(struct flow *f, struct arena *a, const struct voice_request *req,
           struct voice_result *out, struct err *e)
{
    bool ok;

    *out = (struct voice_result){ 0 };
    ok = req->source == VOICE_SIP ? voice_sip_take(f, a, req, out, e)
                                  : voice_whatsapp_take(f, a, req, out, e);
    if (ok || e->kind != ERR_INVALID)
        return ok;
    return voice_poison(f, a, req, arena_strdup(a, e->text), out, e);
}

static bool
keep_in_spool(struct flow *f, struct arena *a, const struct voice_request *req,
              int64_t received_at_ms, struct voice_result *out)
{
    const char *id = openai_sip_webhook_id(req->http);
    const struct spool_record r = {
        .program = req->program,
        .provider = voice_source_text(req->source),
        .correlation_id = log_correlation(f->log),
        .content_type = req->http->content_type,
        /* The one header that is needed again; nothing of the query is. */
        .query = str_empty(id) ? "" : arena_printf(a, "webhook-id=%s", str_url_encode(a, id)),
        .received_at_ms = received_at_ms,
        .body = req->http->body,
        .body_len = req->http->body_len,
    };
    struct err e = { 0 };

    if (!spool_put(f->spool, &r, &e)) {
        log_event(f->log, SPOOL_FAILED, LF_ERR(&e));
        return false;
    }
    *out = (struct voice_result){ .spooled = true };
    log_event(f->log, INBOUND_SPOOLED, LF_ID("provider", r.provider),
              LF_INT("bytes", (int64_t)r.body_len));
    return true;
}

bool
voice_accept(struct flow *f, struct arena *a, const struct voice_request *req,
             struct voice_result *out, struct err *e)
{
    int64_t now = clk_now_ms();
    bool behind = spool_is_queue(f->spool);
    struct err why = { 0 };

    if (behind) /* nothing overtakes what waits, not even where there is no room for it */
        return keep_in_spool(f, a, req, now, out) ||
               err_set(e, ERR_TEMP, "spool: what waits in it comes first, and it takes no more");
    if (voice_take(f, a, req, out, &why))
        return true;
    if (why.kind == ERR_TEMP) {
        spool_note_away(f->spool);
        if (keep_in_spool(f, a, req, now, out))
            return true;
    }
    *e = why;
    return false;
}
