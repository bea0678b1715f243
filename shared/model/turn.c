/*
 * turn - the calls of claim_turns() and finish_turn(), and the reading of what the agent is told.
 */
#include "model/turn.h"

#include <stdlib.h>

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
read_lines(struct arena *a, const char *json, struct turn_lines *out, struct err *e)
{
    struct json_object *array = NULL;

    if (!str_empty(json) && !json_parse(a, json, strlen(json), &array, e))
        return err_wrap(e, "messages of a session");
    out->n = json_count(array);
    out->items = arena_array(a, out->n + 1, sizeof(*out->items));
    for (size_t i = 0; i < out->n; i++) {
        struct json_object *m = json_item(array, i);
        struct turn_line *line = &out->items[i];

        line->is_inbound = json_opt_bool(m, "inbound", false);
        line->is_staff = str_eq(json_opt_str(a, m, "type", ""), "operator");
        line->waits = json_opt_bool(m, "waits", false);
        if (!channel_parse(json_opt_str(a, m, "channel", ""), &line->channel))
            line->channel = CHANNEL_SMS; /* the column's check allows no other */
        line->text = json_opt_str(a, m, "text", "");
        line->at = json_opt_str(a, m, "at", "");
    }
    return true;
}

static enum turn_verdict
read_verdict(const char *word)
{
    static const struct {
        const char *word;
        enum turn_verdict verdict;
    } words[] = { { "probe", TURN_PROBE },
                  { "paused", TURN_PAUSED },
                  { "loop", TURN_LOOP },
                  { "muted", TURN_MUTED },
                  { "left", TURN_LEFT } };

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (str_eq(words[i].word, word))
            return words[i].verdict;
    }
    return TURN_GO;
}

static void
read_row(const struct db_rows *rows, struct turn_context *out)
{
    const char *intent = db_text(rows, 0, "main_intent");

    *out = (struct turn_context){
        .person = person_read(rows, 0),
        .call_id = db_text(rows, 0, "call_id"),
        .context = db_text(rows, 0, "context"),
        .now_at = db_text(rows, 0, "now_at"),
        .agent = db_text(rows, 0, "agent"),
        .instructions = db_text(rows, 0, "instructions"),
        .model = db_text(rows, 0, "model"),
        .base_url = db_text(rows, 0, "base_url"),
        .tools = db_text(rows, 0, "tools"),
        .provider = db_text(rows, 0, "provider"),
        .call = { .summary = db_text(rows, 0, "summary_text"),
                  .bullets = db_text(rows, 0, "bullets"),
                  .next_actions = db_text(rows, 0, "next_actions"),
                  .intent = str_empty(intent) ? db_text(rows, 0, "last_intent") : intent,
                  .ended_at = db_text(rows, 0, "call_ended_at") },
        .call_language = db_text(rows, 0, "call_language"),
        .has_before = !db_is_null(rows, 0, "before_ended_at"),
        .before = { .summary = db_text(rows, 0, "before_summary"),
                    .bullets = db_text(rows, 0, "before_bullets"),
                    .next_actions = db_text(rows, 0, "before_next_actions"),
                    .intent = db_text(rows, 0, "before_intent"),
                    .ended_at = db_text(rows, 0, "before_ended_at") },
        .first_turn_id = db_text(rows, 0, "first_turn_id"),
        .verdict = read_verdict(db_text(rows, 0, "verdict")),
        .wait_s = strtod(db_text(rows, 0, "wait_s"), NULL),
    };
}

bool
turn_context(struct db *db, struct arena *a, const struct turn *t, const struct turn_read *r,
             struct turn_context *out, struct err *e)
{
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_turn_context,
                DB_PARAMS(t->session_id, str_from_int(a, t->upto), str_from_int(a, r->max_lines),
                          r->base_url, r->again ? NULL : arena_printf(a, "%.6f", r->scale)),
                &rows, e))
        return false;
    if (db_count(rows) == 0)
        return err_set(e, ERR_NOT_FOUND, "session_id: no such session");
    read_row(rows, out);
    return read_lines(a, db_text(rows, 0, "messages"), &out->lines, e) &&
           read_lines(a, db_text(rows, 0, "before_messages"), &out->before_lines, e);
}

/* A text, or null for one that is not there. */
static void
set_known(struct json_object *o, const char *key, const char *text)
{
    json_set_str(o, key, str_empty(text) ? NULL : text);
}

static const char *
evidence_json(struct arena *a, const struct turn_end *end)
{
    static const char *const endings[] = {
        [TURN_ENDS] = NULL, [TURN_ENDS_PAUSED] = "paused", [TURN_ENDS_STOPPED] = "stopped"
    };
    struct json_object *o = json_new_object(a);

    set_known(o, "agent", end->agent);
    set_known(o, "model", end->model);
    set_known(o, "error_code", end->error_code);
    set_known(o, "provider", end->provider);
    set_known(o, "says", end->says);
    set_known(o, "ending", endings[end->ending]);
    json_set_bool(o, "probe", end->probe);
    json_set_int(o, "pause_s", end->pause_s);
    json_set_number(o, "scale", arena_printf(a, "%.6f", end->scale));
    if (end->mute_s > 0)
        json_set_int(o, "mute_s", end->mute_s);
    json_set_int(o, "rounds", end->rounds);
    json_set_int(o, "duration_ms", end->duration_ms);
    if (end->tool_calls != NULL)
        json_set(o, "tool_calls", end->tool_calls);
    json_set_int(o, "prompt_tokens", end->prompt_tokens);
    json_set_int(o, "completion_tokens", end->completion_tokens);
    return json_print(a, o);
}

bool
turn_finish(struct db *db, struct arena *a, const struct turn *t, const struct turn_end *end,
            bool *lost, struct err *e)
{
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_turn_finish,
                DB_PARAMS(t->id, t->session_id, str_from_int(a, t->token), end->done ? "t" : "f",
                          message_drafts_json(a, end->drafts, end->n_drafts), evidence_json(a, end),
                          end->retry_s < 0 ? NULL : arena_printf(a, "%.3f", end->retry_s),
                          str_from_int(a, end->fallback_every_s)),
                &rows, e))
        return false;
    *lost = str_eq(db_text(rows, 0, "result"), "lost");
    return true;
}
