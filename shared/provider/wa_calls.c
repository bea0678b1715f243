/*
 * wa_calls - reading Meta's call events. A body may hold many entries, changes and calls; one that
 * is broken holds back none.
 */
#include "provider/wa_calls.h"

#include "base/clk.h"
#include "base/str.h"
#include "core/json.h"
#include "core/param.h"
#include "provider/wa_webhook.h"

#define DURATION_MAX_S 604800LL /* more is no call's duration */

/* What is called 'name' in all changes together: the room to make. */
static size_t
count_items(struct json_object *entries, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < json_count(entries); i++) {
        struct json_object *changes = json_at(json_item(entries, i), "changes");

        for (size_t k = 0; k < json_count(changes); k++)
            n += json_count(json_at(json_at(json_item(changes, k), "value"), name));
    }
    return n;
}

static int64_t
time_of(struct arena *a, struct json_object *call, const char *key)
{
    int64_t ms;

    return clk_parse(json_opt_scalar(a, call, key, ""), &ms) ? ms : 0;
}

/* False for an event that means nothing to us. */
static bool
kind_of(const char *event, enum wa_call_kind *out)
{
    static const struct {
        const char *event;
        enum wa_call_kind kind;
    } kinds[] = {
        { "connect", WA_CALL_CONNECT },
        { "terminate", WA_CALL_TERMINATE },
        { "call_transcription_available", WA_CALL_TRANSCRIPT },
        { "call_transcript_available", WA_CALL_TRANSCRIPT },
    };

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (str_eq(kinds[i].event, event)) {
            *out = kinds[i].kind;
            return true;
        }
    }
    return false;
}

/* Who is on the other end: the number, WhatsApp's own id, or both. A call that is known needs
 * neither, so only of its beginning an unreadable number is an error. */
static bool
read_person(struct arena *a, struct json_object *value, struct json_object *call,
            struct wa_call *out, struct err *e)
{
    const char *number = json_opt_scalar(a, call, out->is_ours ? "to" : "from", "");

    out->bsuid = json_opt_str(a, call, out->is_ours ? "to_user_id" : "from_user_id", "");
    out->name = wa_webhook_name(a, value, number[0] == '+' ? number + 1 : number, out->bsuid);
    if (str_empty(number) || phone_parse(number, "from", &out->from, e))
        return true;
    /* Whoever it is, the other id reaches them. */
    return !str_empty(out->bsuid) || out->kind != WA_CALL_CONNECT;
}

static void
read_end(struct arena *a, struct json_object *call, struct wa_call *out)
{
    int64_t seconds = json_opt_int(call, "duration", 0);

    out->status = json_opt_str(a, call, "status", "");
    out->started_ms = time_of(a, call, "start_time");
    out->ended_ms = time_of(a, call, "end_time");
    /* COMPLETED is also said of calls that rang out; only an answered one has times, or a duration.
     */
    out->answered = out->started_ms > 0 || seconds > 0;
    if (out->kind != WA_CALL_TERMINATE || out->started_ms > 0 || !out->answered)
        return;
    if (out->ended_ms == 0)
        out->ended_ms = out->at_ms;
    if (out->ended_ms > DURATION_MAX_S * 1000 && seconds <= DURATION_MAX_S)
        out->started_ms = out->ended_ms - seconds * 1000;
}

static bool
read_call(struct arena *a, struct json_object *value, struct json_object *call, struct wa_call *out,
          struct err *e)
{
    const char *id;

    if (!json_need_str(a, call, "id", &id, e))
        return false;
    if (strlen(id) > PARAM_ID_MAX)
        return err_set(e, ERR_INVALID, "id: too long");
    out->id = id;
    out->is_ours = str_eq(json_opt_str(a, call, "direction", ""), "BUSINESS_INITIATED") ||
                   str_eq(json_opt_str(a, call, "session.sdp_type", ""), "answer");
    out->at_ms = time_of(a, call, "timestamp");
    out->sdp = json_opt_str(a, call, "session.sdp", "");
    if (str_empty(out->sdp)) /* as older versions have it */
        out->sdp = json_opt_str(a, call, "connection.webrtc.sdp", "");
    out->media_id = json_opt_scalar(a, call, "call_transcript.document.id", "");
    out->url = json_opt_str(a, call, "call_transcript.document.url", "");
    read_end(a, call, out);
    if (!read_person(a, value, call, out, e))
        return false;
    if (out->kind == WA_CALL_TRANSCRIPT && str_empty(out->media_id) && str_empty(out->url))
        return err_set(e, ERR_INVALID, "call_transcript: no document");
    if (out->kind == WA_CALL_CONNECT && str_empty(out->from.e164) && str_empty(out->bsuid))
        return err_set(e, ERR_INVALID, "from: missing");
    return true;
}

static void
read_value(struct arena *a, const struct config *c, struct json_object *value,
           struct wa_call_items *out)
{
    struct json_object *calls = json_at(value, "calls");
    struct json_object *statuses = json_at(value, "statuses");

    if (!wa_webhook_is_ours(a, c, value)) {
        out->n_other_number += json_count(calls);
        return;
    }
    for (size_t i = 0; i < json_count(calls); i++) {
        struct json_object *call = json_item(calls, i);
        struct wa_call *found = &out->calls[out->n_calls];
        struct err why = { 0 };
        const char *event;
        bool named;

        *found = (struct wa_call){ .id = "" };
        named = json_need_str(a, call, "event", &event, &why);
        if (named && !kind_of(event, &found->kind))
            out->n_unknown++;
        else if (named && read_call(a, value, call, found, &why))
            out->n_calls++;
        else
            out->unreadable[out->n_unreadable++] = arena_printf(a, "call: %s", why.text);
    }
    for (size_t i = 0; i < json_count(statuses); i++)
        out->n_statuses += str_eq(json_opt_str(a, json_item(statuses, i), "type", ""), "call");
}

bool
wa_calls_read(struct arena *a, const struct config *c, const char *body, size_t n,
              struct wa_call_items *out, struct err *e)
{
    struct json_object *root;
    struct json_object *entries;
    size_t room;

    *out = (struct wa_call_items){ 0 };
    if (!json_parse(a, body, n, &root, e))
        return false;
    entries = json_at(root, "entry");
    if (!json_is_array(entries))
        return err_set(e, ERR_INVALID, "entry: missing");
    room = count_items(entries, "calls") + 1;
    out->calls = arena_array(a, room, sizeof(*out->calls));
    out->unreadable = arena_array(a, room, sizeof(*out->unreadable));
    for (size_t i = 0; i < json_count(entries); i++) {
        struct json_object *changes = json_at(json_item(entries, i), "changes");

        for (size_t k = 0; k < json_count(changes); k++) {
            struct json_object *change = json_item(changes, k);

            if (str_eq(json_opt_str(a, change, "field", ""), "calls"))
                read_value(a, c, json_at(change, "value"), out);
        }
    }
    return true;
}
