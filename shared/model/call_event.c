/*
 * call_event - the call of record_call_event().
 */
#include "model/call_event.h"

#include "base/clk.h"
#include "base/str.h"
#include "base/uuid.h"
#include "core/json.h"
#include "sql/statements.h"

static void
set_text(struct json_object *o, const char *key, const char *text)
{
    if (!str_empty(text))
        json_set_str(o, key, text);
}

static void
set_time(struct arena *a, struct json_object *o, const char *key, int64_t ms)
{
    if (ms > 0)
        json_set_str(o, key, clk_iso(a, ms));
}

static const char *
event_json(struct arena *a, const struct call_event *ev)
{
    struct json_object *o = json_new_object(a);

    json_set_str(o, "channel", ev->channel);
    json_set_str(o, "call_id", ev->call_id);
    json_set_str(o, "event", ev->event);
    set_text(o, "sip_call_id", ev->sip_call_id);
    set_text(o, "phone", ev->phone);
    set_text(o, "bsuid", ev->bsuid);
    set_text(o, "name", ev->name);
    set_text(o, "webhook_id", ev->webhook_id);
    set_time(a, o, "at", ev->at_ms);
    set_time(a, o, "received_at", ev->received_ms);
    set_time(a, o, "started_at", ev->started_ms);
    set_time(a, o, "ended_at", ev->ended_ms);
    if (!str_empty(ev->answered))
        json_set_bool(o, "answered", str_eq(ev->answered, "t"));
    json_set_bool(o, "over", ev->is_over);
    json_set_bool(o, "anonymous", ev->anonymous);
    json_set_int(o, "wait_s", ev->wait_s);
    return json_print(a, o);
}

/* NULL where nothing is to be done. */
static const char *
action_json(struct arena *a, const struct call_action_new *todo)
{
    struct json_object *o;
    struct json_object *detail;

    if (todo == NULL)
        return NULL;
    o = json_new_object(a);
    json_set_str(o, "kind", call_action_text(todo->kind));
    json_set_int(o, "life_s", todo->life_s);
    detail = json_add_object(o, "detail");
    set_text(detail, "sdp", todo->sdp);
    set_text(detail, "media_id", todo->media_id);
    set_text(detail, "url", todo->url);
    return json_print(a, o);
}

bool
call_event_record(struct db *db, struct arena *a, const struct call_event *ev,
                  const struct call_action_new *todo, const char *owner, int lease_s,
                  struct call_event_stored *out, struct err *e)
{
    struct uuid ids[] = { uuid_new(), uuid_new(), uuid_new(), uuid_new() };
    const char *const id_texts[] = { ids[0].text, ids[1].text, ids[2].text, ids[3].text };
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_call_event_record,
                DB_PARAMS(event_json(a, ev), action_json(a, todo), owner, str_from_int(a, lease_s),
                          db_array(a, id_texts, COUNT_OF(id_texts))),
                &rows, e))
        return false;
    *out = (struct call_event_stored){
        .is_new = !str_eq(db_text(rows, 0, "outcome"), "duplicate"),
        .found = !db_is_null(rows, 0, "id"),
        .session_id = db_text(rows, 0, "session_id"),
        .session_created = db_bool(rows, 0, "session_created"),
        .action_id = db_text(rows, 0, "action_id"),
    };
    return true;
}
