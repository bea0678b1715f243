/*
 * tool_send - plan, rows, first attempt, and an answer that claims no more than is known.
 */
#include "flow/tool_send.h"

#include "base/crash.h"
#include "base/str.h"
#include "flow/channel_result.h"
#include "flow/compose.h"
#include "flow/deliver.h"
#include "flow/guard.h"
#include "model/tool_log.h"

#define FIRST_ATTEMPT_MS 8000

const struct param tool_send_params[] = {
    { "profile_id", PARAM_UUID, true, 0, NULL, "The person." },
    { "message", PARAM_TEXT, true, 4000, NULL,
      "What to say, in the person's language, without markup. By SMS 280 letters arrive at once, "
      "the rest when the person asks for more." },
    { "session_id", PARAM_UUID, false, 0, NULL, "The conversation it belongs to." },
    { "subject", PARAM_TEXT, false, 100, NULL, "A title in front of it." },
    { "message_type", PARAM_WORD, false, 0, "tool|follow_up|reply|summary|confirmation",
      "What it is; leave it out for an ordinary message." },
    { "idempotency_key", PARAM_ID, false, 0, NULL,
      "The same key again sends nothing and gives the same answer." },
    { "wait", PARAM_BOOL, false, 0, NULL, "False: answer at once, without the outcome." },
};
const size_t tool_send_params_n = COUNT_OF(tool_send_params);

/* What one call of a messaging tool is about. */
struct wish {
    unsigned channels;
    enum message_type type;
    const char *profile_id;
    const char *session_id;
    bool by_human;
    struct compose_text text;
    const char *altered; /* what the guard took out: "links", "numbers"; "" for nothing */
};

struct plan
tool_send_plan(const struct config *c, const struct person *person, unsigned channels,
               enum message_type type)
{
    struct person one = *person;
    struct plan_input in = { .type = type, .person = &one };
    struct plan p;

    /* Each channel by itself: neither waits for the other or stands in for it. Who wants no
     * WhatsApp at all gets none. */
    if (plan_make(c, &in).mode != MODE_SMS_ONLY)
        one.mode = mode_text(MODE_BOTH);
    /* Outside the window no free text goes out, whatever else is known of the person. */
    one.has_whatsapp = one.has_whatsapp || !one.window_open;
    p = plan_make(c, &in);
    p.sends = false;
    for (size_t i = 0; i < PLAN_STEPS; i++) {
        struct plan_step *s = &p.steps[i];

        if ((channels & 1U << s->channel) == 0)
            *s = (struct plan_step){ .channel = s->channel, .provider = "", .reason = "" };
        p.sends = p.sends || s->send;
    }
    return p;
}

static bool
is_on_its_way(const char *status)
{
    return str_eq(status, "sent") || str_eq(status, "delivered") || str_eq(status, "read");
}

static bool
is_given_up(const char *status)
{
    return str_eq(status, "dead") || str_eq(status, "suppressed") || str_eq(status, "undelivered");
}

const char *
tool_send_status(const struct message_state *states, size_t n, size_t n_skipped)
{
    size_t lost = n_skipped;
    size_t unknown = 0;
    size_t open = 0;

    for (size_t i = 0; i < n; i++) {
        if (str_eq(states[i].status, "unknown"))
            unknown++;
        else if (is_given_up(states[i].status))
            lost++;
        else if (!is_on_its_way(states[i].status))
            open++;
    }
    if (lost == n + n_skipped)
        return "failed";
    if (lost > 0 && unknown + lost < n + n_skipped)
        return "partial";
    if (open > 0)
        return "pending";
    return unknown > 0 ? "unknown" : "sent";
}

/* A title is a line of its own. */
static struct compose_text
text_of(struct flow *f, struct tool_call *call, const struct person *to)
{
    struct arena *a = call->arena;
    const char *message = str_trim(a, json_opt_str(a, call->args, "message", ""));
    const char *subject = str_trim(a, json_opt_str(a, call->args, "subject", ""));

    if (!str_empty(subject))
        message = arena_printf(a, "*%s*\n%s", subject, message);
    return compose_reply(a, f->config, message, language_parse(to->language), false);
}

/* Channels that were named and that the message does not go out on. */
static const char *
skips_json(struct arena *a, const struct plan *p)
{
    struct json_object *skips = json_new_array(a);

    for (size_t i = 0; i < PLAN_STEPS; i++) {
        if (!p->steps[i].send && !str_empty(p->steps[i].reason)) {
            struct json_object *o = json_push_object(skips);

            json_set_str(o, "channel", channel_text(p->steps[i].channel));
            json_set_str(o, "reason", p->steps[i].reason);
        }
    }
    return json_print(a, skips);
}

static bool
write_rows(struct flow *f, struct tool_call *call, const struct wish *w,
           const struct tool_person *to, struct tool_sent *out, struct err *e)
{
    struct arena *a = call->arena;
    struct plan plan = tool_send_plan(f->config, &to->person, w->channels, w->type);
    struct message_draft drafts[PLAN_STEPS];
    struct compose_message m = {
        .type = w->type,
        .person = &to->person,
        .language = language_parse(to->person.language),
        .text = w->text,
        .key = arena_printf(a, "tool:%s", call->id),
        .call_id = to->call_id,
        .turn_id = call->caller->turn_id != NULL ? call->caller->turn_id : "",
        .correlation_id = log_correlation(f->log),
    };
    struct tool_messages messages = {
        .id = call->id,
        .profile_id = w->profile_id,
        .session_id = w->session_id,
        .turn_token = str_empty(m.turn_id) ? 0 : call->caller->turn_token,
        .drafts = drafts,
        .n = compose_drafts(a, f->config, &plan, &m, drafts),
        .skips = skips_json(a, &plan),
        .by_human = w->by_human,
    };

    log_event(f->log, DUAL_CHANNEL_ROUTING, LF_ID("session_id", w->session_id),
              LF_ID("type", message_type_text(w->type)), LF_ID("mode", mode_text(plan.mode)),
              LF_ID("plan", plan_text(a, &plan)));
    CRASH_POINT("tool_before_send");
    if (!tool_log_send(f->db, a, &messages, out, e))
        return false;
    CRASH_POINT("tool_written");
    if (out->stale)
        return err_set(e, ERR_FORBIDDEN, "Authorization: of a turn that is over");
    return true;
}

/* What a reason of ours means for whoever must decide what to do next; NULL if it is none. */
static const char *
words_of(const char *code)
{
    static const struct {
        const char *code;
        const char *words;
    } rows[] = {
        { "window_closed", "the person has not written by WhatsApp in the last 24 hours" },
        { "opted_out", "the person has asked for no messages on this channel" },
        { "no_whatsapp_known", "WhatsApp does not reach this person" },
        { "no_address", "no WhatsApp address is known" },
        { "no_number", "no phone number is known" },
        { "number_not_served", "no SMS is sent to numbers of this country" },
        { "mode_sms_only", "only SMS is wanted" },
        { "whatsapp_off", "WhatsApp is not set up" },
        { "sms_off", "SMS is not set up" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (str_eq(rows[i].code, code))
            return rows[i].words;
    }
    return NULL;
}

static const char *
error_words(const char *code, const char *status)
{
    const char *words = words_of(code);

    return words != NULL ? words : channel_result_words(status);
}

static void
put_row(struct json_object *array, const struct message_state *s, const struct wish *w)
{
    struct json_object *c = channel_result_add(array, s);

    if (!str_empty(w->altered))
        json_set_str(c, "altered", w->altered);
    if (w->text.n_more > 0 && str_eq(s->channel, channel_text(CHANNEL_SMS)))
        json_set_bool(c, "shortened", true);
    if (!str_empty(s->error_code))
        channel_result_error(c, s->error_code, error_words(s->error_code, s->status));
}

static size_t
put_skips(struct arena *a, struct json_object *array, const char *json)
{
    struct json_object *skips = NULL;
    struct err ignored = { 0 };

    if (!json_parse(a, json, strlen(json), &skips, &ignored))
        return 0;
    for (size_t i = 0; i < json_count(skips); i++) {
        struct json_object *from = json_item(skips, i);
        struct json_object *c = json_push_object(array);
        const char *reason = json_opt_str(a, from, "reason", "");

        json_set_str(c, "channel", json_opt_str(a, from, "channel", ""));
        json_set_str(c, "status", "failed");
        json_set_str(c, "message_id", NULL);
        channel_result_error(c, reason, error_words(reason, "dead"));
    }
    return json_count(skips);
}

static bool
answer(struct flow *f, struct tool_call *call, const struct wish *w, const struct tool_sent *sent,
       struct err *e)
{
    struct json_object *channels = json_new_array(call->arena);
    struct message_state *states;
    size_t n;
    size_t skipped;
    const char *status;

    if (!message_states(f->db, call->arena, sent->ids, sent->n, &states, &n, e))
        return false;
    for (size_t i = 0; i < n; i++) {
        put_row(channels, &states[i], w);
        /* Without a first attempt its outcome is still to come. */
        if (str_eq(states[i].status, "pending") || str_eq(states[i].status, "sending"))
            call->status = 202;
    }
    skipped = put_skips(call->arena, channels, sent->skips);
    status = tool_send_status(states, n, skipped);
    call->outcome = str_eq(status, "failed")    ? TOOL_FAILED
                    : str_eq(status, "unknown") ? TOOL_UNKNOWN
                                                : TOOL_OK;
    json_set_bool(call->reply, "success", call->outcome == TOOL_OK);
    json_set_str(call->reply, "status", status);
    json_set(call->reply, "channels", channels);
    return true;
}

static bool
send_wish(struct flow *f, struct tool_call *call, struct wish *w, const struct tool_person *to,
          struct err *e)
{
    bool wait = call->may_wait && json_opt_bool(call->args, "wait", true);
    struct tool_sent sent;

    w->text = text_of(f, call, &to->person);
    if (!write_rows(f, call, w, to, &sent, e))
        return false;
    if (sent.n > 0 && wait && !deliver_first_attempt(f, sent.ids, sent.n, FIRST_ATTEMPT_MS, e))
        return false;
    CRASH_POINT("tool_sent");
    if (!answer(f, call, w, &sent, e))
        return false;
    if (call->status == 202) /* not waited for, or an earlier message goes first */
        wake_send(f->config->wake_socket);
    return true;
}

/* What a model words goes through the guard, the title as well as the message. It is told what was
 * taken out, so that it does not claim to have sent it. */
static bool
guard_words(struct flow *f, struct tool_call *call, struct wish *w, struct err *e)
{
    static const char *const keys[] = { "message", "subject" };
    const struct allowed_for whose = { .session_id = w->session_id, .profile_id = w->profile_id };

    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        const char *words = json_opt_str(call->arena, call->args, keys[i], "");
        struct guard_result r;

        if (str_empty(str_trim(call->arena, words)))
            continue;
        if (!guard_check(f, call->arena, &whose, keys[i], words, &r, e))
            return false;
        json_set_str(call->args, keys[i], r.text);
        if (!str_empty(w->altered) && !str_empty(r.reason) && !str_eq(w->altered, r.reason))
            w->altered = "links_and_numbers";
        else if (!str_empty(r.reason))
            w->altered = r.reason;
    }
    return true;
}

bool
tool_send(struct flow *f, struct tool_call *call, unsigned channels, struct err *e)
{
    struct arena *a = call->arena;
    struct tool_person to;
    struct wish w = {
        .channels = channels,
        .type = MESSAGE_TOOL,
        .profile_id = json_opt_str(a, call->args, "profile_id", ""),
        .session_id = json_opt_str(a, call->args, "session_id", ""),
        .altered = "",
    };

    /* The other words are for the agent's own use: what it sends on its own account never passes
     * for one of ours. */
    if (str_eq(json_opt_str(a, call->args, "message_type", ""), "follow_up"))
        w.type = MESSAGE_FOLLOW_UP;
    return tool_log_person(f->db, a, w.profile_id, &to, e) && guard_words(f, call, &w, e) &&
           send_wish(f, call, &w, &to, e);
}

/* Where the person was last seen; who only called is written to where it surely arrives. */
static unsigned
last_channel(const struct tool_person *to)
{
    enum channel last;

    if (channel_parse(to->last_channel, &last) && last != CHANNEL_VOICE)
        return 1U << last;
    return to->person.has_whatsapp && to->person.window_open ? TOOL_BY_WHATSAPP : TOOL_BY_SMS;
}

bool
tool_send_by_operator(struct flow *f, struct tool_call *call, struct err *e)
{
    const char *session = json_opt_str(call->arena, call->args, "session_id", "");
    const struct tool_named named = { "", session, "", "", 0, "" };
    struct tool_bond bond;
    struct tool_person to;
    struct wish w = {
        .type = MESSAGE_OPERATOR, .session_id = session, .by_human = true, .altered = ""
    };

    if (!tool_log_bond(f->db, call->arena, &named, &bond, e))
        return false;
    w.profile_id = bond.session_person;
    if (!tool_log_person(f->db, call->arena, w.profile_id, &to, e))
        return false;
    w.channels = last_channel(&to);
    return send_wish(f, call, &w, &to, e);
}
