/*
 * call_log - the calls of record_call(), notify_call() and their kin, and reading a call with its
 * person.
 */
#include "model/call_log.h"

#include "base/clk.h"
#include "base/str.h"
#include "sql/statements.h"

static const char *
or_null(const char *text)
{
    return str_empty(text) ? NULL : text;
}

bool
call_log_record(struct db *db, struct arena *a, const struct call_facts *f, struct call_stored *out,
                struct err *e)
{
    struct uuid ids[] = { uuid_new(), uuid_new(), uuid_new() };
    const char *const id_texts[] = { ids[0].text, ids[1].text, ids[2].text };
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_call_record,
                DB_PARAMS(or_null(f->call_id), or_null(f->sip_call_id), or_null(f->phone),
                          or_null(f->channel), or_null(f->summary), or_null(f->bullets),
                          or_null(f->next_actions), or_null(f->transcript), or_null(f->intent),
                          or_null(f->language),
                          f->started_ms > 0 ? clk_iso(a, f->started_ms) : NULL,
                          f->ended_ms > 0 ? clk_iso(a, f->ended_ms) : NULL, or_null(f->answered),
                          f->is_over ? "t" : "f", str_from_int(a, f->wait_s),
                          db_array(a, id_texts, COUNT_OF(id_texts))),
                &rows, e))
        return false;
    *out = (struct call_stored){ .found = db_count(rows) > 0 };
    if (!out->found)
        return true;
    out->id = db_text(rows, 0, "id");
    out->call_id = db_text(rows, 0, "call_id");
    out->session_id = db_text(rows, 0, "session_id");
    out->created = db_bool(rows, 0, "created");
    out->session_created = db_bool(rows, 0, "session_created");
    return true;
}

bool
call_log_named(struct db *db, struct arena *a, const char *call_id, const char *sip_call_id,
               struct call_named *out, struct err *e)
{
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_call_named, DB_PARAMS(call_id, or_null(sip_call_id)), &rows, e))
        return false;
    out->has_person = db_bool(rows, 0, "has_person");
    out->are_two = db_bool(rows, 0, "are_two");
    return true;
}

bool
call_log_load(struct db *db, struct arena *a, const char *id, struct call_record *out,
              struct err *e)
{
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_call_load, DB_PARAMS(id), &rows, e))
        return false;
    if (db_count(rows) == 0)
        return err_set(e, ERR_NOT_FOUND, "call_id: no such call");
    *out = (struct call_record){
        .id = db_text(rows, 0, "id"),
        .call_id = db_text(rows, 0, "call_id"),
        .session_id = db_text(rows, 0, "session_id"),
        .channel = db_text(rows, 0, "channel"),
        .status = db_text(rows, 0, "status"),
        .summary = db_text(rows, 0, "summary_text"),
        .bullets = db_text(rows, 0, "bullets"),
        .next_actions = db_text(rows, 0, "next_actions"),
        .language = db_text(rows, 0, "call_language"),
        .began = db_text(rows, 0, "began_there"),
        .duration_s = db_int(rows, 0, "duration_seconds"),
        .over_for_s = db_int(rows, 0, "over_for_s"),
        .is_over = db_bool(rows, 0, "is_over"),
        .has_text = db_bool(rows, 0, "has_text"),
        .was_told = db_bool(rows, 0, "was_told"),
        .told_hash = db_text(rows, 0, "told_hash"),
        .is_missed = db_bool(rows, 0, "is_missed"),
        .is_due = db_bool(rows, 0, "is_due"),
        .is_notified = db_bool(rows, 0, "is_notified"),
        .said_since = db_bool(rows, 0, "said_since"),
        .notify_result = db_text(rows, 0, "notify_result"),
        .notify_reason = db_text(rows, 0, "notify_reason"),
        .person = person_read(rows, 0),
    };
    if (str_empty(out->language))
        out->language = out->person.language;
    return true;
}

bool
call_log_due(struct db *db, struct arena *a, int max, const char ***ids, size_t *n, struct err *e)
{
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_call_due, DB_PARAMS(str_from_int(a, max)), &rows, e))
        return false;
    *n = (size_t)db_count(rows);
    *ids = arena_array(a, *n + 1, sizeof(**ids));
    for (int i = 0; i < db_count(rows); i++)
        (*ids)[i] = db_text(rows, i, "id");
    return true;
}

bool
call_log_notify(struct db *db, struct arena *a, const char *id, const struct call_notice *notice,
                bool *was_first, struct err *e)
{
    struct db_rows *rows;

    if (!db_run(
            db, a, &SQL_call_notify,
            DB_PARAMS(id, message_drafts_json(a, notice->drafts, notice->n),
                      str_empty(notice->skip_reason) ? "sent" : "skipped",
                      or_null(str_empty(notice->skip_reason) ? notice->why : notice->skip_reason)),
            &rows, e))
        return false;
    *was_first = db_bool(rows, 0, "was_first");
    return true;
}

bool
call_log_earlier(struct db *db, struct arena *a, const char *id, const char **earlier,
                 struct err *e)
{
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_call_earlier, DB_PARAMS(id), &rows, e))
        return false;
    *earlier = db_count(rows) > 0 ? db_text(rows, 0, "id") : "";
    return true;
}

bool
call_log_postpone(struct db *db, struct arena *a, const char *id, const char *why, double delay_s,
                  struct err *e)
{
    struct db_rows *rows;

    return db_run(db, a, &SQL_call_postpone, DB_PARAMS(id, why, arena_printf(a, "%.3f", delay_s)),
                  &rows, e);
}

bool
call_log_heard(struct db *db, struct arena *a, const char *call_id, struct err *e)
{
    struct db_rows *rows;

    return db_run(db, a, &SQL_call_heard, DB_PARAMS(call_id), &rows, e);
}

bool
call_log_close(struct db *db, struct arena *a, const struct call_patience *p, int64_t *n,
               struct err *e)
{
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_call_close,
                DB_PARAMS(str_from_int(a, p->max_s), str_from_int(a, p->silence_s),
                          str_from_int(a, p->wait_s)),
                &rows, e))
        return false;
    *n = db_int(rows, 0, "closed");
    return true;
}
