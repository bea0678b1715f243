/*
 * tool_log - the calls of tool_begin(), tool_end(), tool_send() and what goes with them.
 */
#include "model/tool_log.h"

#include "base/str.h"
#include "core/json.h"
#include "sql/statements.h"

static const char *
or_null(const char *text)
{
    return str_empty(text) ? NULL : text;
}

/* NULL for what the database could not read as a UUID. */
static const char *
uuid_or_null(struct arena *a, const char *text)
{
    struct uuid id;

    return text != NULL && uuid_parse(text, &id) ? arena_strdup(a, id.text) : NULL;
}

bool
tool_log_bond(struct db *db, struct arena *a, const struct tool_named *named, struct tool_bond *out,
              struct err *e)
{
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_tool_bond,
                DB_PARAMS(uuid_or_null(a, named->profile_id), uuid_or_null(a, named->session_id),
                          or_null(named->call_id), uuid_or_null(a, named->turn_id),
                          str_from_int(a, named->turn_token), or_null(named->phone)),
                &rows, e))
        return false;
    *out = (struct tool_bond){
        .person = db_text(rows, 0, "person"),
        .phone = db_text(rows, 0, "phone"),
        .session_person = db_text(rows, 0, "session_person"),
        .call_person = db_text(rows, 0, "call_person"),
        .call_session = db_text(rows, 0, "call_session"),
        .open_session = db_text(rows, 0, "open_session"),
        .phone_person = db_text(rows, 0, "phone_person"),
        .turn_runs = db_bool(rows, 0, "turn_runs"),
    };
    return true;
}

static const char *
entry_json(struct arena *a, const struct tool_entry *t)
{
    struct json_object *o = json_new_object(a);

    json_set_str(o, "id", t->id);
    json_set_str(o, "tool", t->tool);
    json_set_str(o, "caller", t->caller);
    json_set_str(o, "profile_id", uuid_or_null(a, t->profile_id));
    json_set_str(o, "session_id", uuid_or_null(a, t->session_id));
    json_set_str(o, "call_id", or_null(t->call_id));
    json_set_str(o, "turn_id", uuid_or_null(a, t->turn_id));
    json_set_str(o, "key", or_null(t->key));
    json_set_str(o, "hash", t->hash != NULL ? t->hash : "");
    json_set_bool(o, "counts", t->counts);
    return json_print(a, o);
}

static enum tool_verdict
verdict_parse(const char *text)
{
    if (str_eq(text, "run"))
        return TOOL_RUN;
    if (str_eq(text, "again"))
        return TOOL_AGAIN;
    return str_eq(text, "conflict") ? TOOL_CONFLICT : TOOL_LIMIT;
}

bool
tool_log_begin(struct db *db, struct arena *a, const struct tool_entry *entry,
               struct tool_begun *out, struct err *e)
{
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_tool_begin, DB_PARAMS(entry_json(a, entry)), &rows, e))
        return false;
    *out = (struct tool_begun){
        .verdict = verdict_parse(db_text(rows, 0, "verdict")),
        .id = db_text(rows, 0, "id"),
        .limit = db_text(rows, 0, "limit_name"),
        .wait_s = (int)db_int(rows, 0, "wait_s"),
        .reply = db_text(rows, 0, "reply"),
        .status = (int)db_int(rows, 0, "status"),
    };
    return true;
}

bool
tool_log_refuse(struct db *db, struct arena *a, const struct tool_entry *entry, const char *outcome,
                const char *error, struct err *e)
{
    struct db_rows *rows;

    return db_run(db, a, &SQL_tool_refuse, DB_PARAMS(entry_json(a, entry), outcome, error), &rows,
                  e);
}

bool
tool_log_end(struct db *db, struct arena *a, const struct tool_ended *ended, struct err *e)
{
    struct db_rows *rows;

    return db_run(db, a, &SQL_tool_end,
                  DB_PARAMS(ended->id, ended->outcome, or_null(ended->error),
                            str_from_int(a, ended->status), or_null(ended->reply)),
                  &rows, e);
}

bool
tool_log_person(struct db *db, struct arena *a, const char *profile_id, struct tool_person *out,
                struct err *e)
{
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_session_person, DB_PARAMS(uuid_or_null(a, profile_id)), &rows, e))
        return false;
    if (db_count(rows) == 0)
        return err_set(e, ERR_NOT_FOUND, "profile_id: no such person");
    *out = (struct tool_person){
        .person = person_read(rows, 0),
        .last_channel = db_text(rows, 0, "last_active_channel"),
        .call_id = db_text(rows, 0, "call_id"),
    };
    return true;
}

static bool
read_ids(struct arena *a, const char *json, struct tool_sent *out, struct err *e)
{
    struct json_object *array = NULL;

    if (!json_parse(a, json, strlen(json), &array, e))
        return err_wrap(e, "messages of a tool call");
    out->n = json_count(array);
    out->ids = arena_array(a, out->n + 1, sizeof(*out->ids));
    for (size_t i = 0; i < out->n; i++)
        out->ids[i] = json_text(a, json_item(array, i));
    return true;
}

bool
tool_log_send(struct db *db, struct arena *a, const struct tool_messages *m, struct tool_sent *out,
              struct err *e)
{
    struct uuid session = uuid_new();
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_tool_send,
                DB_PARAMS(m->id, m->profile_id, uuid_or_null(a, m->session_id),
                          m->turn_token != 0 ? str_from_int(a, m->turn_token) : NULL,
                          message_drafts_json(a, m->drafts, m->n), m->skips,
                          m->by_human ? "t" : "f", session.text),
                &rows, e))
        return false;
    *out = (struct tool_sent){
        .stale = str_eq(db_text(rows, 0, "verdict"), "stale"),
        .skips = db_text(rows, 0, "skips"),
    };
    return read_ids(a, db_text(rows, 0, "ids"), out, e);
}
