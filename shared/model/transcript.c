/*
 * transcript - the calls of claim_transcripts() and finish_transcript().
 */
#include "model/transcript.h"

#include "base/str.h"
#include "core/json.h"
#include "sql/statements.h"

bool
transcript_claim(struct db *db, struct arena *a, const struct transcript_want *w,
                 struct transcript **out, size_t *n, struct err *e)
{
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_call_claim,
                DB_PARAMS(w->worker, str_from_int(a, w->want), str_from_int(a, w->lease_s)), &rows,
                e))
        return false;
    *n = (size_t)db_count(rows);
    *out = arena_array(a, *n + 1, sizeof(**out));
    for (int i = 0; i < db_count(rows); i++) {
        (*out)[i] = (struct transcript){
            .id = db_text(rows, i, "id"),
            .call_id = db_text(rows, i, "call_id"),
            .token = db_int(rows, i, "token"),
            .attempt = db_int(rows, i, "attempt"),
            .text = db_text(rows, i, "transcript"),
            .known = db_text(rows, i, "known"),
            .language = db_text(rows, i, "language"),
        };
    }
    return true;
}

bool
transcript_renew(struct db *db, struct arena *a, const struct transcript *held, size_t n,
                 int lease_s, struct err *e)
{
    struct json_object *array = json_new_array(a);
    struct db_rows *rows;

    for (size_t i = 0; i < n; i++) {
        struct json_object *o = json_push_object(array);

        json_set_str(o, "id", held[i].id);
        json_set_int(o, "token", held[i].token);
    }
    return db_run(db, a, &SQL_call_renew, DB_PARAMS(json_print(a, array), str_from_int(a, lease_s)),
                  &rows, e);
}

bool
transcript_finish(struct db *db, struct arena *a, const struct transcript *t,
                  const struct transcript_end *end, const char **result, struct err *e)
{
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_call_summarised,
                DB_PARAMS(t->id, str_from_int(a, t->token), end->points, end->steps,
                          str_empty(end->language) ? NULL : end->language,
                          end->retry_s < 0 ? NULL : arena_printf(a, "%.3f", end->retry_s)),
                &rows, e))
        return false;
    *result = db_text(rows, 0, "result");
    return true;
}
