/*
 * turn - the calls of claim_turns() and finish_turn(), and the reading of what the agent is told.
 */
#include "model/turn.h"

#include "base/str.h"
#include "core/json.h"
#include "sql/statements.h"

bool
turn_claim(struct db *db, struct arena *a, const struct turn_want *w, struct turn **out, size_t *n,
           struct err *e)
{
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_turn_claim,
                DB_PARAMS(w->worker, str_from_int(a, w->want), str_from_int(a, w->lease_s)), &rows,
                e))
        return false;
    *n = (size_t)db_count(rows);
    *out = arena_array(a, *n + 1, sizeof(**out));
    for (int i = 0; i < db_count(rows); i++) {
        (*out)[i] = (struct turn){
            .id = db_text(rows, i, "turn_id"),
            .session_id = db_text(rows, i, "session_id"),
            .token = db_int(rows, i, "token"),
            .upto = db_int(rows, i, "upto"),
            .attempt = db_int(rows, i, "attempt"),
        };
    }
    return true;
}

bool
turn_renew(struct db *db, struct arena *a, const struct turn *turns, size_t n, int lease_s,
           struct err *e)
{
    struct json_object *array = json_new_array(a);
    struct db_rows *rows;

    for (size_t i = 0; i < n; i++) {
        struct json_object *o = json_push_object(array);

        json_set_str(o, "session_id", turns[i].session_id);
        json_set_int(o, "token", turns[i].token);
    }
    return db_run(db, a, &SQL_turn_renew, DB_PARAMS(json_print(a, array), str_from_int(a, lease_s)),
                  &rows, e);
}

static bool
read_lines(struct arena *a, const char *json, struct turn_context *out, struct err *e)
{
    struct json_object *array = NULL;

    if (!str_empty(json) && !json_parse(a, json, strlen(json), &array, e))
        return err_wrap(e, "messages of a session");
    out->n_lines = json_count(array);
    out->lines = arena_array(a, out->n_lines + 1, sizeof(*out->lines));
    for (size_t i = 0; i < out->n_lines; i++) {
        struct json_object *m = json_item(array, i);
        struct turn_line *line = &out->lines[i];

        line->is_inbound = json_opt_bool(m, "inbound", false);
        line->waits = json_opt_bool(m, "waits", false);
        if (!channel_parse(json_opt_str(a, m, "channel", ""), &line->channel))
            line->channel = CHANNEL_SMS; /* the column's check allows no other */
        line->text = json_opt_str(a, m, "text", "");
        line->at = json_opt_str(a, m, "at", "");
    }
    return true;
}

bool
turn_context(struct db *db, struct arena *a, const struct turn *t, int max_lines,
             struct turn_context *out, struct err *e)
{
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_turn_context,
                DB_PARAMS(t->session_id, str_from_int(a, t->upto), str_from_int(a, max_lines)),
                &rows, e))
        return false;
    if (db_count(rows) == 0)
        return err_set(e, ERR_NOT_FOUND, "session_id: no such session");
    *out = (struct turn_context){
        .person = person_read(rows, 0),
        .call_id = db_text(rows, 0, "call_id"),
        .context = db_text(rows, 0, "context"),
        .agent = db_text(rows, 0, "agent"),
        .instructions = db_text(rows, 0, "instructions"),
        .model = db_text(rows, 0, "model"),
        .base_url = db_text(rows, 0, "base_url"),
        .summary = db_text(rows, 0, "summary_text"),
        .bullets = db_text(rows, 0, "bullets"),
        .next_actions = db_text(rows, 0, "next_actions"),
        .intent = db_text(rows, 0, "main_intent"),
        .call_language = db_text(rows, 0, "call_language"),
        .call_ended_at = db_text(rows, 0, "call_ended_at"),
    };
    return read_lines(a, db_text(rows, 0, "messages"), out, e);
}

bool
turn_finish(struct db *db, struct arena *a, const struct turn *t, const struct turn_end *end,
            bool *lost, struct err *e)
{
    struct json_object *evidence = json_new_object(a);
    struct db_rows *rows;

    json_set_str(evidence, "agent", str_empty(end->agent) ? NULL : end->agent);
    json_set_str(evidence, "model", str_empty(end->model) ? NULL : end->model);
    json_set_str(evidence, "error_code", str_empty(end->error_code) ? NULL : end->error_code);
    json_set_int(evidence, "prompt_tokens", end->prompt_tokens);
    json_set_int(evidence, "completion_tokens", end->completion_tokens);
    if (!db_run(db, a, &SQL_turn_finish,
                DB_PARAMS(t->id, t->session_id, str_from_int(a, t->token), end->done ? "t" : "f",
                          message_drafts_json(a, end->drafts, end->n_drafts),
                          json_print(a, evidence),
                          end->retry_s < 0 ? NULL : arena_printf(a, "%.3f", end->retry_s),
                          str_from_int(a, end->fallback_every_s)),
                &rows, e))
        return false;
    *lost = str_eq(db_text(rows, 0, "result"), "lost");
    return true;
}
