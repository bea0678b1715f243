/*
 * call_action - the calls of claim_call_actions() and finish_call_action().
 */
#include "model/call_action.h"

#include "base/str.h"
#include "core/json.h"
#include "sql/statements.h"

static const char *const kinds[] = {
    [CALL_ACTION_ANSWER] = "answer",
    [CALL_ACTION_ACCEPT] = "accept",
    [CALL_ACTION_STOP] = "stop",
    [CALL_ACTION_TRANSCRIPT] = "transcript",
};

const char *
call_action_text(enum call_action_kind k)
{
    return kinds[k];
}

static bool
parse_kind(const char *text, enum call_action_kind *out)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (str_eq(kinds[i], text)) {
            *out = (enum call_action_kind)i;
            return true;
        }
    }
    return false;
}

bool
call_action_claim(struct db *db, struct arena *a, const char *worker, int want, int lease_s,
                  const char ***ids, size_t *n, struct err *e)
{
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_call_action_claim,
                DB_PARAMS(worker, str_from_int(a, want), str_from_int(a, lease_s)), &rows, e))
        return false;
    *n = (size_t)db_count(rows);
    *ids = arena_array(a, *n + 1, sizeof(**ids));
    for (int i = 0; i < db_count(rows); i++)
        (*ids)[i] = db_text(rows, i, "id");
    return true;
}

static bool
read_action(struct arena *a, const struct db_rows *rows, int row, struct call_action *out,
            struct err *e)
{
    const char *detail = db_text(rows, row, "detail");
    struct json_object *o;

    *out = (struct call_action){
        .id = db_text(rows, row, "id"),
        .token = db_int(rows, row, "lease_token"),
        .attempts = db_int(rows, row, "attempts"),
        .is_expired = db_bool(rows, row, "is_expired"),
        .is_over = db_bool(rows, row, "is_over"),
        .is_sip = db_bool(rows, row, "is_sip"),
        .is_terminated = db_bool(rows, row, "is_terminated"),
        .call_id = db_text(rows, row, "call_id"),
        .session_id = db_text(rows, row, "session_id"),
        .profile_id = db_text(rows, row, "profile_id"),
        .phone = db_text(rows, row, "phone_number"),
        .bsuid = db_text(rows, row, "bsuid"),
        .language = db_text(rows, row, "language"),
        .voice_instructions = db_text(rows, row, "voice_instructions"),
    };
    if (!parse_kind(db_text(rows, row, "kind"), &out->kind))
        return err_set(e, ERR_BUG, "call action of an unknown kind");
    if (!json_parse(a, detail, strlen(detail), &o, e))
        return err_wrap(e, "detail of a call action");
    out->sdp = json_opt_str(a, o, "sdp", "");
    out->media_id = json_opt_str(a, o, "media_id", "");
    out->url = json_opt_str(a, o, "url", "");
    out->may_be_taken = json_has(o, "answer_sdp");
    out->answer_sdp = json_opt_str(a, o, "answer_sdp", "");
    return true;
}

bool
call_action_load(struct db *db, struct arena *a, const char *const *ids, size_t n_ids,
                 const char *worker, struct call_action **out, size_t *n, struct err *e)
{
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_call_action_load, DB_PARAMS(db_array(a, ids, n_ids), worker), &rows, e))
        return false;
    *n = (size_t)db_count(rows);
    *out = arena_array(a, *n + 1, sizeof(**out));
    for (int i = 0; i < db_count(rows); i++) {
        if (!read_action(a, rows, i, &(*out)[i], e))
            return false;
    }
    return true;
}

bool
call_action_note(struct db *db, struct arena *a, const char *id, int64_t token,
                 const char *answer_sdp, bool *held, struct err *e)
{
    struct json_object *note = json_new_object(a);
    struct db_rows *rows;

    json_set_str(note, "answer_sdp", answer_sdp);
    if (!db_run(db, a, &SQL_call_action_note,
                DB_PARAMS(id, str_from_int(a, token), json_print(a, note)), &rows, e))
        return false;
    *held = db_count(rows) > 0;
    return true;
}

bool
call_action_finish(struct db *db, struct arena *a, const char *id, int64_t token,
                   const struct call_action_end *end, bool *held, struct err *e)
{
    bool again = !end->done && end->retry_s >= 0;
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_call_action_finish,
                DB_PARAMS(id, str_from_int(a, token),
                          end->done ? "done"
                          : again   ? "pending"
                                    : "failed",
                          str_empty(end->error_code) ? NULL : end->error_code,
                          again ? arena_printf(a, "%.3f", end->retry_s) : "0",
                          end->answered ? "t" : "f", end->lost ? "t" : "f"),
                &rows, e))
        return false;
    *held = db_bool(rows, 0, "held");
    return true;
}
