/*
 * postcall - from the end of a call to rows on their way.
 */
#include "flow/postcall.h"

#include "base/crash.h"
#include "base/str.h"
#include "core/json.h"
#include "flow/compose.h"
#include "flow/deliver.h"

#define FIRST_ATTEMPT_MS 8000
#define DUE_AT_ONCE      50

/* Why a call gets no summary at all; "" when it gets one. */
static const char *
skip_reason(const struct call_record *call, const struct plan *plan)
{
    if (str_eq(call->status, "missed"))
        return "not_answered";
    if (!plan->sends)
        return "no_channel";
    return "";
}

bool
postcall_notify(struct flow *f, struct arena *a, const char *call_row, struct err *e)
{
    struct call_record call;
    struct message_draft drafts[PLAN_STEPS];
    struct call_notice notice = { .drafts = drafts };
    struct plan plan;
    bool was_first;

    if (!call_log_load(f->db, a, call_row, &call, e))
        return false;
    if (call.is_notified || !call.is_due)
        return true;
    log_event(f->log, POST_CALL_NOTIFY_START, LF_ID("call_id", call.call_id),
              LF_ID("session_id", call.session_id), LF_ID("channel", call.channel));
    plan = plan_make(f->config,
                     &(struct plan_input){ .type = MESSAGE_SUMMARY, .person = &call.person });
    notice.skip_reason = skip_reason(&call, &plan);
    log_event(f->log, DUAL_CHANNEL_ROUTING, LF_ID("session_id", call.session_id),
              LF_ID("type", "summary"), LF_ID("mode", mode_text(plan.mode)),
              LF_ID("plan", plan_text(a, &plan)));
    if (str_empty(notice.skip_reason)) {
        enum language l = language_parse(call.language);
        struct compose_message m = {
            .type = MESSAGE_SUMMARY,
            .person = &call.person,
            .language = l,
            .text = compose_summary(a, f->config, &call, l),
            .key = arena_printf(a, "summary:%s", call.call_id),
            .call_id = call.call_id,
            .turn_id = "",
            .correlation_id = log_correlation(f->log),
        };

        notice.n = compose_drafts(a, f->config, &plan, &m, drafts);
    } else {
        log_event(f->log, POST_CALL_NOTIFY_SKIPPED, LF_ID("call_id", call.call_id),
                  LF_ID("reason", notice.skip_reason));
    }
    CRASH_POINT("call_before_notify");
    return call_log_notify(f->db, a, call_row, &notice, &was_first, e);
}

bool
postcall_pump(struct flow *f, int *n, struct err *e)
{
    struct arena *a = arena_new();
    const char **ids;
    size_t due = 0;
    bool ok = call_log_due(f->db, a, DUE_AT_ONCE, &ids, &due, e);

    for (size_t i = 0; ok && i < due; i++) {
        log_set_correlation(f->log, ids[i]);
        ok = postcall_notify(f, a, ids[i], e);
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

static void
judge(const struct call_record *call, struct postcall_result *out)
{
    out->status = POSTCALL_PENDING;
    out->reason = "";
    out->is_over = call->is_over;
    if (!call->is_over) {
        out->reason = "call_goes_on";
    } else if (!call->is_notified) {
        out->reason = "text_awaited";
    } else if (str_eq(call->notify_result, "skipped")) {
        out->status = POSTCALL_SKIPPED;
        out->reason = call->notify_reason;
    } else {
        judge_channels(out);
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
        return true;
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
    judge(&call, out);
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
    struct json_object *c = json_push_object(array);
    struct json_object *error;

    json_set_str(c, "channel", s->channel);
    json_set_str(c, "status", s->status);
    json_set_str(c, "message_id", s->id);
    if (!str_empty(s->external_id))
        json_set_str(c, "provider_message_id", s->external_id);
    json_set_int(c, "segments", s->segments);
    json_set_number(c, "cost_rwf", s->cost_rwf);
    if (str_empty(s->error_code))
        return;
    error = json_add_object(c, "error");
    json_set_str(error, "code", s->error_code);
    json_set_str(error, "message", "the provider did not take it");
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
