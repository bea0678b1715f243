/*
 * inbound - from a verified webhook to committed rows.
 */
#include "flow/inbound.h"

#include "base/clk.h"
#include "base/crash.h"
#include "base/str.h"
#include "base/utf8.h"
#include "core/keyword.h"
#include "core/phone.h"
#include "flow/answer.h"
#include "flow/reply_way.h"
#include "model/inbound_log.h"

#define CONTENT_MAX_CHARS 8000 /* of one inbound message; more than any channel carries */

/* What to say to something that we cannot read. */
static enum phrase
no_words_answer(const char *kind)
{
    static const char *const seen[] = { "image", "video", "sticker", "document" };

    if (str_eq(kind, "audio") || str_eq(kind, "voice"))
        return PHRASE_NO_VOICE;
    for (size_t i = 0; i < COUNT_OF(seen); i++) {
        if (str_eq(kind, seen[i]))
            return PHRASE_NO_PICTURE;
    }
    return PHRASE_NO_TEXT;
}

/* One of our own numbers, as a gateway may give it back to us, on whatever channel: answering it
 * would never end. */
static bool
is_ours(const struct config *c, const struct phone *from)
{
    const char *const numbers[] = { c->sms_short_code, c->mtn_sms_sender_id };
    struct phone own;
    struct err ignored = { 0 };

    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        if (!str_empty(numbers[i]) && phone_parse(numbers[i], "own number", &own, &ignored) &&
            str_eq(own.e164, from->e164))
            return true;
    }
    return false;
}

/* The sentence that answers it on its channel, in all languages: only the database knows the
 * person's. */
static void
answer_with(struct arena *a, const struct config *c, enum phrase p, struct inbound_entry *entry)
{
    for (size_t l = 0; l < COUNT_OF(entry->answers); l++)
        entry->answers[l] = entry->channel == CHANNEL_SMS
                                ? reply_way_phrase(a, c, p, (enum language)l)
                                : phrase_get(p, (enum language)l);
}

/* What a message asks of us beyond being stored: the agent's turn, a fixed answer, or nothing. */
static void
decide(struct arena *a, const struct config *c, const struct inbound *m,
       struct inbound_entry *entry)
{
    if (!m->answerable)
        return;
    entry->wants_turn = true;
    if (m->parts <= 1 &&
        str_empty(m->list)) /* what was tapped in a list of ours is a choice in it */
        entry->keyword = keyword_find(m->text, entry->channel, &entry->language);
    switch (entry->keyword) {
    case KEYWORD_STOP:
        answer_with(a, c, PHRASE_STOPPED, entry);
        break;
    case KEYWORD_START:
        answer_with(a, c, PHRASE_STARTED, entry);
        break;
    case KEYWORD_HELP:
        answer_with(a, c, PHRASE_HELP, entry);
        break;
    case KEYWORD_NEW:
        answer_with(a, c, PHRASE_AFRESH, entry);
        break;
    case KEYWORD_NONE:
        entry->choice = m->choice > 0 ? m->choice : answer_choice(m->text);
        entry->list = m->list;
        entry->wants_more = !m->tapped && answer_wants_more(m->text);
        if (str_empty(m->text) && !str_eq(m->kind, "text")) { /* no words to answer */
            answer_with(a, c, no_words_answer(m->kind), entry);
        } else if (str_empty(m->text)) {
            entry->wants_turn = false;
        }
        break;
    }
    entry->answer_cost_mrwf =
        entry->channel == CHANNEL_SMS ? c->sms_price_mrwf : c->whatsapp_price_mrwf;
}

static bool
store_message(struct flow *f, struct arena *a, const struct inbound_request *req,
              const struct inbound *m, struct inbound_stored *stored, struct err *e)
{
    const struct provider *p = req->provider;
    struct inbound_entry entry = {
        .channel = p->channel,
        .provider = p->name,
        .external_id = m->external_id,
        .words_id = m->words_id,
        .phone = m->from.e164,
        .wa_id = m->wa_id,
        .bsuid = m->bsuid,
        .name = m->name,
        .content = utf8_clean(a, m->text, strlen(m->text), CONTENT_MAX_CHARS),
        .at_ms = m->at_ms > 0 ? m->at_ms : req->received_at_ms,
        .part = m->part,
        .parts = m->parts,
        .ref = m->ref,
        .kind = m->kind,
        .tapped = m->tapped,
        .correlation_id = log_correlation(f->log),
        .answer_provider = p->channel == CHANNEL_SMS ? f->config->sms_providers[0] : p->name,
        .quiet_ms = f->config->turn_quiet_ms,
        .keyword = KEYWORD_NONE,
        .language = "",
    };

    decide(a, f->config, m, &entry);
    CRASH_POINT("inbound_before_store");
    return inbound_log_message(f->db, a, &entry, stored, e);
}

static void
log_message(struct flow *f, const struct provider *p, const struct inbound *m,
            const struct inbound_stored *s)
{
    if (!s->is_new) {
        log_event(f->log, INBOUND_DUPLICATE, LF_ID("provider", p->name),
                  LF_ID("message_id", s->message_id));
        return;
    }
    if (s->session_created)
        log_event(f->log, SESSION_CREATED, LF_ID("session_id", s->session_id),
                  LF_ID("channel", channel_text(p->channel)));
    if (p->channel == CHANNEL_SMS)
        log_event(f->log, SMS_INBOUND_RECEIVED, LF_PHONE("from", &m->from),
                  LF_TEXT("message", m->text), LF_ID("provider", p->name),
                  LF_ID("message_id", s->message_id), LF_ID("session_id", s->session_id));
    else
        log_event(f->log, WHATSAPP_INBOUND_RECEIVED, LF_PHONE("from", &m->from),
                  LF_TEXT("message", m->text), LF_ID("kind", m->kind),
                  LF_ID("message_id", s->message_id), LF_ID("session_id", s->session_id));
    if (s->consent_changed)
        log_event(f->log, CONSENT_CHANGED, LF_ID("channel", channel_text(p->channel)),
                  LF_ID("session_id", s->session_id));
}

/* A message that is not for us to answer: nothing is stored, nothing is wrong. */
static void
log_unanswered(struct flow *f, const struct provider *p, const char *why)
{
    log_event(f->log, INBOUND_IGNORED, LF_ID("provider", p->name), LF_ID("reason", why));
}

static bool
keep_poison(struct flow *f, struct arena *a, const struct inbound_request *req, const char *reason,
            struct err *e)
{
    bool is_new;

    if (!inbound_log_poison(f->db, a, req->program, req->provider->name, reason, req->http->body,
                            req->http->body_len, &is_new, e))
        return false;
    if (is_new)
        log_event(f->log, INBOUND_POISON, LF_ID("provider", req->provider->name),
                  LF_ID("reason", reason));
    return true;
}

/* Content that the database refuses is the message's fault, not the moment's: kept raw, or it would
 * come again for days. */
static bool
is_content_fault(const struct err *e)
{
    return e->kind == ERR_INVALID;
}

static bool
take_messages(struct flow *f, struct arena *a, const struct inbound_request *req,
              const struct webhook_items *items, struct inbound_result *out, struct err *e)
{
    for (size_t i = 0; i < items->n_inbound; i++) {
        const struct inbound *m = &items->inbound[i];
        struct inbound_stored stored = { 0 };

        if (is_ours(f->config, &m->from)) {
            log_unanswered(f, req->provider, "own_number");
            continue;
        }
        if (store_message(f, a, req, m, &stored, e)) {
            CRASH_POINT("inbound_after_store");
            log_message(f, req->provider, m, &stored);
            out->session_id = stored.session_id;
            out->stored += stored.is_new;
        } else if (!is_content_fault(e) || !keep_poison(f, a, req, arena_strdup(a, e->text), e)) {
            return false;
        } else {
            out->poison++;
        }
    }
    return true;
}

/* One report that the database refuses must not take the others of its batch along: then each goes
 * alone, and only the bad ones are poison. */
static bool
store_statuses(struct flow *f, struct arena *a, const struct inbound_request *req,
               const struct status_entry *entries, size_t n, struct inbound_result *out,
               int64_t *moved, struct err *e)
{
    int64_t m = 0;

    if (inbound_log_statuses(f->db, a, req->provider->name, entries, n, &m, e)) {
        out->statuses += n;
        *moved += m;
        return true;
    }
    if (!is_content_fault(e))
        return false;
    if (n == 1) {
        out->poison++;
        return keep_poison(f, a, req, arena_strdup(a, e->text), e);
    }
    for (size_t i = 0; i < n; i++) {
        if (!store_statuses(f, a, req, &entries[i], 1, out, moved, e))
            return false;
    }
    return true;
}

static bool
take_statuses(struct flow *f, struct arena *a, const struct inbound_request *req,
              const struct webhook_items *items, struct inbound_result *out, struct err *e)
{
    struct status_entry *entries = arena_array(a, items->n_receipts + 1, sizeof(*entries));
    int64_t moved = 0;

    if (items->n_receipts == 0)
        return true;
    for (size_t i = 0; i < items->n_receipts; i++) {
        const struct receipt *r = &items->receipts[i];

        entries[i] =
            (struct status_entry){ r->external_id, r->our_ref, r->status, r->error_code, r->at_ms };
    }
    CRASH_POINT("status_before_store");
    if (!store_statuses(f, a, req, entries, items->n_receipts, out, &moved, e))
        return false;
    CRASH_POINT("status_after_store");
    log_event(f->log, STATUS_RECEIVED, LF_ID("provider", req->provider->name),
              LF_INT("statuses", (int64_t)out->statuses), LF_INT("moved", moved));
    return true;
}

bool
inbound_take(struct flow *f, struct arena *a, const struct inbound_request *req,
             struct inbound_result *out, struct err *e)
{
    struct incoming_http http = *req->http;
    struct webhook_items items = { 0 };

    *out = (struct inbound_result){ .session_id = "" };
    http.received_at_ms = req->received_at_ms;
    if (!(req->is_report ? req->provider->read_report
                         : req->provider->read_webhook)(a, f->config, &http, &items, e)) {
        out->poison = 1;
        return keep_poison(f, a, req, arena_strdup(a, e->text), e);
    }
    for (size_t i = 0; i < items.n_unanswered; i++)
        log_unanswered(f, req->provider, items.unanswered[i]);
    if (!take_messages(f, a, req, &items, out, e) || !take_statuses(f, a, req, &items, out, e))
        return false;
    out->poison += items.n_unreadable;
    if (items.n_unreadable > 0 && !keep_poison(f, a, req, items.unreadable[0], e))
        return false;
    if (out->stored > 0)
        wake_send(f->config->wake_socket);
    return true;
}

static bool
keep_in_spool(struct flow *f, const struct inbound_request *req, struct inbound_result *out)
{
    const struct spool_record r = { .program = req->program,
                                    .provider = req->provider->name,
                                    .correlation_id = log_correlation(f->log),
                                    .content_type = req->http->content_type,
                                    .query = req->http->query,
                                    .received_at_ms = req->received_at_ms,
                                    .is_report = req->is_report,
                                    .body = req->http->body,
                                    .body_len = req->http->body_len };
    struct err e = { 0 };

    if (!spool_put(f->spool, &r, &e)) {
        log_event(f->log, SPOOL_FAILED, LF_ERR(&e));
        return false;
    }
    CRASH_POINT("spool_kept");
    *out = (struct inbound_result){ .session_id = "", .spooled = true };
    log_event(f->log, INBOUND_SPOOLED, LF_ID("provider", req->provider->name),
              LF_INT("bytes", (int64_t)req->http->body_len));
    return true;
}

bool
inbound_accept(struct flow *f, struct arena *a, const struct inbound_request *req,
               struct inbound_result *out, struct err *e)
{
    struct inbound_request dated = *req;
    struct err why = { 0 };

    /* One time for the database and the file: a message without an id is known by it. */
    dated.received_at_ms = clk_now_ms();
    if (spool_is_queue(f->spool)) /* nothing overtakes what waits, room or not */
        return keep_in_spool(f, &dated, out) ||
               err_set(e, ERR_TEMP, "spool: what waits in it comes first, and it takes no more");
    if (inbound_take(f, a, &dated, out, &why))
        return true;
    if (why.kind == ERR_TEMP) {
        spool_note_away(f->spool);
        if (keep_in_spool(f, &dated, out))
            return true;
    }
    *e = why;
    return false;
}
