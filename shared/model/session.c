/*
 * session - the calls of session_for(), session_note(), session_handover() and session_hold().
 */
#include "model/session.h"

#include "base/str.h"
#include "base/uuid.h"
#include "sql/statements.h"

static const char *
or_null(const char *text)
{
    return str_empty(text) ? NULL : text;
}

static bool
no_such(struct err *e)
{
    return err_set(e, ERR_NOT_FOUND, "session_id: no such conversation");
}

static bool
is_closed(struct err *e)
{
    return err_set(e, ERR_CONFLICT, "session_id: the conversation is closed");
}

bool
session_find_or_open(struct db *db, struct arena *a, const struct session_wish *w,
                     struct session_found *out, struct err *e)
{
    struct uuid ids[] = { uuid_new(), uuid_new() };
    const char *const texts[] = { ids[0].text, ids[1].text };
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_session_for,
                DB_PARAMS(or_null(w->profile_id), or_null(w->phone), or_null(w->channel),
                          or_null(w->call_id), or_null(w->agent), or_null(w->intent),
                          db_array(a, texts, COUNT_OF(texts))),
                &rows, e))
        return false;
    if (db_count(rows) == 0)
        return err_set(e, ERR_NOT_FOUND, "profile_id: no such person");
    if (str_eq(db_text(rows, 0, "status"), "unknown_agent"))
        return err_set(e, ERR_NOT_FOUND, "agent_id: no such agent");
    *out = (struct session_found){
        .id = db_text(rows, 0, "session_id"),
        .profile_id = db_text(rows, 0, "profile_id"),
        .status = db_text(rows, 0, "status"),
        .context = db_text(rows, 0, "context"),
        .created = db_bool(rows, 0, "created"),
    };
    return true;
}

bool
session_note(struct db *db, struct arena *a, const char *id, const char *status,
             const char *context, struct session_noted *out, struct err *e)
{
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_session_note, DB_PARAMS(id, or_null(status), or_null(context)), &rows,
                e)) {
        /* The column's check: all that was noted together is too much. */
        return str_eq(e->code, "23514") ? err_set(e, ERR_INVALID, "context: too large") : false;
    }
    if (db_is_null(rows, 0, "was"))
        return no_such(e);
    *out = (struct session_noted){
        .status = db_text(rows, 0, "status"),
        .ignored = db_text(rows, 0, "ignored"),
    };
    if (!str_empty(status) && !str_eq(out->status, status))
        return is_closed(e);
    return true;
}

bool
session_read(struct db *db, struct arena *a, const char *id, int max_messages,
             struct session_view *out, struct err *e)
{
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_session_read, DB_PARAMS(id, str_from_int(a, max_messages)), &rows, e))
        return false;
    if (db_count(rows) == 0)
        return no_such(e);
    *out = (struct session_view){
        .id = db_text(rows, 0, "id"),
        .status = db_text(rows, 0, "status"),
        .agent = db_text(rows, 0, "last_agent_id"),
        .paused = db_bool(rows, 0, "paused"),
        .needs_human = db_bool(rows, 0, "needs_human"),
        .context = db_text(rows, 0, "context"),
        .call = db_text(rows, 0, "call"),
        .messages = db_text(rows, 0, "messages"),
    };
    return true;
}

bool
session_handover(struct db *db, struct arena *a, const char *id, const char *agent,
                 const char *reason, const char **status, struct err *e)
{
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_session_handover, DB_PARAMS(id, agent, reason), &rows, e))
        return str_eq(e->code, "23514") ? err_set(e, ERR_INVALID, "context: too large") : false;
    *status = db_text(rows, 0, "verdict");
    if (str_eq(*status, "unknown_session"))
        return no_such(e);
    if (str_eq(*status, "unknown_agent"))
        return err_set(e, ERR_NOT_FOUND, "agent: no such agent");
    return str_eq(*status, "closed") ? is_closed(e) : true;
}

bool
session_hold(struct db *db, struct arena *a, const char *id, bool hold, const char **status,
             struct err *e)
{
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_session_hold, DB_PARAMS(id, hold ? "t" : "f"), &rows, e))
        return false;
    *status = db_text(rows, 0, "status");
    if (db_is_null(rows, 0, "status"))
        return no_such(e);
    return str_eq(*status, "refused") ? is_closed(e) : true;
}
