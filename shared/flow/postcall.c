/*
 * postcall - from the end of a call to rows on their way.
 */
#include "flow/postcall.h"

#include "base/crash.h"
#include "base/str.h"
#include "core/json.h"
#include "core/phone.h"
#include "flow/channel_result.h"
#include "flow/compose.h"
#include "flow/deliver.h"
#include "provider/provider.h"

#define FIRST_ATTEMPT_MS 8000
#define DUE_AT_ONCE      50
#define POSTPONE_S       60    /* until it is asked again whether a channel is set up */
#define EXPIRY_S         21600 /* after which a call is not worth telling about */

/* Somebody who could be told if the operator had set up the channel for it: worth waiting. */
static bool
waits_for_a_channel(const struct config *c, const struct person *p)
{
    struct phone phone;
    struct err ignored = { 0 };
    bool by_whatsapp = p->allows_whatsapp && p->has_whatsapp && !str_eq(p->mode, "sms_only") &&
                       (!str_empty(p->phone) || !str_empty(p->bsuid));
    bool by_sms = p->allows_sms && phone_parse(p->phone, "phone", &phone, &ignored) &&
                  phone_sms_allowed(&phone, c->sms_allowed_prefixes);

    return (by_sms && provider_for(c, CHANNEL_SMS) == NULL) ||
           (by_whatsapp && provider_for(c, CHANNEL_WHATSAPP) == NULL);
}

/* One notification while it is prepared. */
struct notice {
    struct flow *flow;
    struct arena *arena;
    struct call_record call;
    enum message_type type;
    const char *why; /* it is no summary of this call; "" if it is */
    struct compose_text text;
    enum language language;
};

/* What a call that nobody answered gets: the summary of the call before, once more, or else the
 * word that we know of it. */
static bool
word_missed(struct notice *n, struct err *e)
{
    struct flow *f = n->flow;
    struct call_record earlier = { .language = "" };
    const char *id;

    /* Who could not be put through is told so, not what another call was about. */
    bool asks = str_eq(n->call.status, "missed");

    if (!call_log_earlier(f->db, n->arena, n->call.id, &id, e) ||
        (!str_empty(id) && !call_log_load(f->db, n->arena, id, &earlier, e)))
        return false;
    if (!asks || str_empty(id)) {
        n->type = MESSAGE_MISSED_CALL;
        n->why = asks ? "not_answered" : "not_connected";
        n->text = compose_missed(n->arena, f->config, n->language);
    } else {
        n->why = "summary_again";
        n->language = language_parse(earlier.language);
        n->text = compose_summary(n->arena, f->config, &earlier, n->language);
    }
    return true;
}

static bool
word_notice(struct notice *n, struct err *e)
{
    n->type = MESSAGE_SUMMARY;
    n->why = "";
    n->language = language_parse(n->call.language);
    if (n->call.is_missed)
        return word_missed(n, e);
    if (!n->call.has_text)
        n->why = "no_text";
    n->text = compose_summary(n->arena, n->flow->config, &n->call, n->language);
    return true;
}

/* What is told once more is a message of its own for every text. */
static const char *
key_of(struct arena *a, const struct call_record *call)
{
    if (call->is_missed)
        return arena_printf(a, "missed:%s", call->call_id);
    if (call->was_told)
        return arena_printf(a, "renewed:%s:%s", call->call_id, call->told_hash);
    return arena_printf(a, "summary:%s", call->call_id);
}

static size_t
drafts_of(const struct notice *n, const struct plan *plan, struct message_draft *drafts)
{
    struct compose_message m = {
        .type = n->type,
        .person = &n->call.person,
        .language = n->language,
        .text = n->text,
        .key = key_of(n->arena, &n->call),
        .call_id = n->call.call_id,
        .turn_id = "",
        .correlation_id = log_correlation(n->flow->log),
    };

    return compose_drafts(n->arena, n->flow->config, plan, &m, drafts);
}

/* Writes what the plan says; or that nothing can be sent, now or ever. */
static bool
write_notice(const struct notice *n, const struct plan *plan, struct err *e)
{
    struct flow *f = n->flow;
    const struct call_record *call = &n->call;
    struct message_draft drafts[PLAN_STEPS];
    struct call_notice out = { .drafts = drafts, .skip_reason = "", .why = n->why };
    bool was_first;

    if (plan->sends) {
        out.n = drafts_of(n, plan, drafts);
    } else if (waits_for_a_channel(f->config, &call->person) && call->over_for_s < EXPIRY_S) {
        log_event(f->log, POST_CALL_NOTIFY_POSTPONED, LF_ID("call_id", call->call_id));
        return call_log_postpone(f->db, n->arena, call->id, "no_channel_set_up",
                                 POSTPONE_S * f->config->backoff_scale, e);
    } else {
        out.skip_reason = "no_channel";
        log_event(f->log, POST_CALL_NOTIFY_SKIPPED, LF_ID("call_id", call->call_id),
                  LF_ID("reason", out.skip_reason));
    }
    CRASH_POINT("call_before_notify");
    return call_log_notify(f->db, n->arena, call->id, &out, &was_first, e);
}

bool
postcall_notify(struct flow *f, struct arena *a, const char *call_row, struct err *e)
{
    struct notice n = { .flow = f, .arena = a };
    struct plan plan;

    if (!call_log_load(f->db, a, call_row, &n.call, e))
        return false;
    if (n.call.is_notified || !n.call.is_due)
        return true;
    log_event(f->log, POST_CALL_NOTIFY_START, LF_ID("call_id", n.call.call_id),
              LF_ID("session_id", n.call.session_id), LF_ID("channel", n.call.channel));
    if (!word_notice(&n, e))
        return false;
    plan = plan_make(f->config, &(struct plan_input){ .type = n.type, .person = &n.call.person });
    log_event(f->log, DUAL_CHANNEL_ROUTING, LF_ID("session_id", n.call.session_id),
              LF_ID("type", message_type_text(n.type)), LF_ID("mode", mode_text(plan.mode)),
              LF_ID("plan", plan_text(a, &plan)));
    return write_notice(&n, &plan, e);
}

bool
postcall_close(struct flow *f, struct err *e)
{
    const struct call_patience patience = { .max_s = f->config->call_max_s,
                                            .silence_s = f->config->call_silence_s,
                                            .wait_s = f->config->summary_wait_s };
    struct arena *a = arena_new();
    int64_t closed = 0;
    bool ok = call_log_close(f->db, a, &patience, &closed, e);

    if (closed > 0)
        log_event(f->log, CALLS_CLOSED, LF_INT("calls", closed));
    arena_free(&a);
    return ok;
}

/* A call that the database refuses goes to the end of the queue: it must not hold up the others. */
static bool
notify_or_postpone(struct flow *f, struct arena *a, const char *id, struct err *e)
{
    struct err why = { 0 };

    if (postcall_notify(f, a, id, &why))
        return true;
    if (why.kind != ERR_TEMP &&
        !call_log_postpone(f->db, a, id, "refused", POSTPONE_S * f->config->backoff_scale, e))
        return false;
    *e = why;
    return false;
}

bool
postcall_pump(struct flow *f, int *n, struct err *e)
{
    struct arena *a = arena_new();
    const char **ids;
    size_t due = 0;
    bool ok = call_log_due(f->db, a, DUE_AT_ONCE, &ids, &due, e);

    for (size_t i = 0; i < due && (ok || e->kind != ERR_TEMP); i++) {
        log_set_correlation(f->log, ids[i]);
        ok = notify_or_postpone(f, a, ids[i], e) && ok;
    }
    *n = (int)due;
    arena_free(&a);
    return ok;
}

/* Accepted by a provider, or beyond that. */
static bool
is_on_its_way(const struct message_state *s)
{
    return str_eq(s->status, "sent") || str_eq(s->status, "delivered") || str_eq(s->status, "read");
}

static bool
is_given_up(const struct message_state *s)
{
    return str_eq(s->status, "dead") || str_eq(s->status, "suppressed") ||
           str_eq(s->status, "undelivered");
}

/* What became of a notification whose rows are written: one channel that has it is enough, one that
 * may still get it keeps it open. */
static void
judge_channels(struct postcall_result *out)
{
    bool open = false;

    for (size_t i = 0; i < out->n_channels; i++) {
        if (is_on_its_way(&out->channels[i])) {
            out->status = POSTCALL_SENT;
            return;
        }
        open = open || !is_given_up(&out->channels[i]);
    }
    out->status = open ? POSTCALL_PENDING : POSTCALL_SKIPPED;
    out->reason = open ? "" : "undeliverable";
}

/* What somebody says of a call after its person was told is stored, and told to nobody. */
static bool
comes_too_late(const struct call_facts *given, const struct call_record *call)
{
    return call->is_notified && call->said_since &&
           (!str_empty(given->summary) || !str_empty(given->bullets));
}

static void
judge(const struct call_facts *given, const struct call_record *call, struct postcall_result *out)
{
    out->status = POSTCALL_PENDING;
    out->reason = "";
    out->is_over = call->is_over;
    if (!call->is_over) {
        out->reason = "call_goes_on";
    } else if (!call->is_notified) {
        out->reason = str_empty(call->notify_reason) ? "text_awaited" : call->notify_reason;
    } else if (str_eq(call->notify_result, "skipped")) {
        out->status = POSTCALL_SKIPPED;
        out->reason = call->notify_reason;
    } else {
        judge_channels(out);
        if (str_empty(out->reason))
            out->reason = comes_too_late(given, call) ? "told_before" : call->notify_reason;
    }
}

/* Makes the first attempt of rows that have had none. */
static bool
attempt_rows(struct flow *f, struct arena *a, const struct message_state *states, size_t n,
             struct err *e)
{
    const char **ids = arena_array(a, n + 1, sizeof(*ids));
    size_t n_ids = 0;

    for (size_t i = 0; i < n; i++) {
        if (str_eq(states[i].status, "pending") || str_eq(states[i].status, "sending"))
            ids[n_ids++] = states[i].id;
    }
    return n_ids == 0 || deliver_first_attempt(f, ids, n_ids, FIRST_ATTEMPT_MS, e);
}

bool
postcall_run(struct flow *f, struct arena *a, const struct call_facts *given, bool attempt,
             struct postcall_result *out, struct err *e)
{
    struct call_facts facts = *given;
    struct call_record call;

    facts.wait_s = f->config->summary_wait_s;
    *out = (struct postcall_result){ .reason = "" };
    if (!call_log_record(f->db, a, &facts, &out->stored, e))
        return false;
    CRASH_POINT("call_recorded");
    if (!out->stored.found)
        return str_empty(given->no_phone) || err_set(e, ERR_INVALID, "%s", given->no_phone);
    if (out->stored.session_created)
        log_event(f->log, SESSION_CREATED, LF_ID("session_id", out->stored.session_id),
                  LF_ID("channel", "voice"));
    if (!postcall_notify(f, a, out->stored.id, e) ||
        !call_log_load(f->db, a, out->stored.id, &call, e) ||
        !message_states_of_call(f->db, a, call.call_id, &out->channels, &out->n_channels, e))
        return false;
    CRASH_POINT("call_notified");
    if (attempt && call.is_notified) {
        if (!attempt_rows(f, a, out->channels, out->n_channels, e) ||
            !message_states_of_call(f->db, a, call.call_id, &out->channels, &out->n_channels, e))
            return false;
    } else if (call.is_over) {
        if (!call.is_notified)
            log_event(f->log, POST_CALL_NOTIFY_WAITING, LF_ID("call_id", call.call_id));
        wake_send(f->config->wake_socket);
    }
    CRASH_POINT("call_attempted");
    judge(given, &call, out);
    return true;
}

static const char *
status_text(enum postcall_status s)
{
    switch (s) {
    case POSTCALL_SENT:
        return "sent";
    case POSTCALL_PENDING:
        return "pending";
    case POSTCALL_SKIPPED:
        return "skipped";
    }
    return "pending";
}

static void
channel_json(struct json_object *array, const struct message_state *s)
{
    struct json_object *c = channel_result_add(array, s);

    if (!str_empty(s->error_code))
        channel_result_error(c, s->error_code, channel_result_words(s->status));
}

void
postcall_reply(struct json_object *reply, const struct postcall_result *r, int *status)
{
    struct json_object *channels;

    json_set_str(reply, "status", status_text(r->status));
    if (!str_empty(r->reason))
        json_set_str(reply, "reason", r->reason);
    channels = json_add_array(reply, "channels");
    for (size_t i = 0; i < r->n_channels; i++)
        channel_json(channels, &r->channels[i]);
    if (r->status == POSTCALL_PENDING)
        *status = 202;
}
