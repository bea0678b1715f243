/*
 * voice_whatsapp - WhatsApp calls: connect, terminate, transcript.
 */
#include "base/str.h"
#include "flow/voice_event.h"
#include "provider/voice_bridge.h"
#include "provider/wa_calls.h"

#define STOP_LIFE_S       600
#define TRANSCRIPT_LIFE_S (6 * 3600)

/* What the event asks of us; NULL for nothing. */
static const struct call_action_new *
todo_of(struct flow *f, const struct wa_call *c, struct call_action_new *todo)
{
    *todo = (struct call_action_new){ .sdp = c->sdp, .media_id = c->media_id, .url = c->url };
    switch (c->kind) {
    case WA_CALL_CONNECT:
        todo->kind = CALL_ACTION_ANSWER;
        todo->life_s = CALL_OFFER_LIFE_S;
        /* Without a bridge somebody else answers; without an offer nobody can. */
        return voice_bridge_configured(f->config) && !str_empty(c->sdp) ? todo : NULL;
    case WA_CALL_TERMINATE:
        todo->kind = CALL_ACTION_STOP;
        todo->life_s = STOP_LIFE_S;
        return voice_bridge_configured(f->config) ? todo : NULL;
    case WA_CALL_TRANSCRIPT:
        todo->kind = CALL_ACTION_TRANSCRIPT;
        todo->life_s = TRANSCRIPT_LIFE_S;
        return todo;
    }
    return NULL;
}

static const char *
event_word(enum wa_call_kind k)
{
    switch (k) {
    case WA_CALL_CONNECT:
        return "connect";
    case WA_CALL_TERMINATE:
        return "terminate";
    case WA_CALL_TRANSCRIPT:
        return "transcript";
    }
    return "connect";
}

/* "" while nobody can know. A call that has a transcript was answered. */
static const char *
answered_word(const struct wa_call *c)
{
    if (c->kind == WA_CALL_CONNECT)
        return "";
    return c->answered || c->kind == WA_CALL_TRANSCRIPT ? "t" : "f";
}

static bool
take_call(struct flow *f, struct arena *a, const struct voice_request *req, const struct wa_call *c,
          struct voice_result *out, struct err *e)
{
    struct call_action_new todo;
    const struct call_event ev = {
        .channel = "whatsapp",
        .call_id = c->id,
        .event = event_word(c->kind),
        .phone = c->from.e164,
        .bsuid = c->bsuid,
        .name = c->name,
        .at_ms = c->at_ms > 0 ? c->at_ms : req->received_at_ms,
        .received_ms = req->received_at_ms,
        .started_ms = c->started_ms,
        .ended_ms = c->ended_ms,
        .answered = answered_word(c),
        .is_over = c->kind != WA_CALL_CONNECT,
        .wait_s = f->config->summary_wait_s,
    };

    if (c->is_ours) { /* we call nobody: some other program's, with a number that is also ours */
        out->ignored++;
        return true;
    }
    return voice_record(f, a, req, &ev, todo_of(f, c, &todo), out, e);
}

bool
voice_whatsapp_take(struct flow *f, struct arena *a, const struct voice_request *req,
                    struct voice_result *out, struct err *e)
{
    struct wa_call_items items;

    if (!wa_calls_read(a, f->config, req->http->body, req->http->body_len, &items, e))
        return false;
    for (size_t i = 0; i < items.n_calls; i++) {
        if (!take_call(f, a, req, &items.calls[i], out, e))
            return false;
    }
    out->ignored += items.n_statuses + items.n_unknown;
    if (out->ignored > 0)
        log_event(f->log, INBOUND_IGNORED, LF_ID("reason", "call_event"),
                  LF_INT("items", (int64_t)out->ignored));
    if (items.n_other_number > 0)
        log_event(f->log, INBOUND_IGNORED, LF_ID("reason", "other_number"),
                  LF_INT("items", (int64_t)items.n_other_number));
    out->ignored += items.n_other_number;
    return items.n_unreadable == 0 || voice_poison(f, a, req, items.unreadable[0], out, e);
}
