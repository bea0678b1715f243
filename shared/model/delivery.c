/*
 * delivery - the calls of claim_outbound(), finish_outbound() and sweep_outbound().
 */
#include "model/delivery.h"

#include "base/str.h"
#include "core/json.h"
#include "sql/statements.h"

static struct delivery
read_row(const struct db_rows *rows, int i)
{
    struct delivery d = {
        .id = db_text(rows, i, "id"),
        .fence = db_int(rows, i, "lease_token"),
        .channel = str_eq(db_text(rows, i, "channel"), "whatsapp") ? CHANNEL_WHATSAPP : CHANNEL_SMS,
        .provider = db_text(rows, i, "provider"),
        .type = db_text(rows, i, "message_type"),
        .session_id = db_text(rows, i, "session_id"),
        .call_id = db_text(rows, i, "call_id"),
        .content = db_text(rows, i, "content"),
        .bsuid = db_text(rows, i, "bsuid"),
        .options = db_text(rows, i, "options"),
        .is_template = str_eq(db_text(rows, i, "kind"), "template"),
        .language = language_parse(db_text(rows, i, "language")),
        .correlation_id = db_text(rows, i, "correlation_id"),
        .retry_count = db_int(rows, i, "retry_count"),
    };
    struct err ignored = { 0 };

    if (!phone_parse(db_text(rows, i, "recipient_phone"), "recipient_phone", &d.phone, &ignored))
        d.phone = (struct phone){
            ""
        }; /* none stored: the provider's build refuses it unless there is a bsuid */
    return d;
}

bool
delivery_claim(struct db *db, struct arena *a, const struct delivery_want *w, struct delivery **out,
               size_t *n, struct err *e)
{
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_message_claim,
                DB_PARAMS(w->provider, w->worker, str_from_int(a, w->want),
                          str_from_int(a, w->lease_s), w->ids),
                &rows, e))
        return false;
    *n = (size_t)db_count(rows);
    *out = arena_array(a, *n + 1, sizeof(**out));
    for (int i = 0; i < db_count(rows); i++)
        (*out)[i] = read_row(rows, i);
    return true;
}

static const char *
outcomes_json(struct arena *a, const struct delivery_outcome *outcomes, size_t n)
{
    struct json_object *array = json_new_array(a);

    for (size_t i = 0; i < n; i++) {
        const struct delivery_outcome *d = &outcomes[i];
        struct json_object *o = json_push_object(array);

        json_set_str(o, "id", d->id);
        json_set_int(o, "fence", d->fence);
        json_set_str(o, "outcome", d->outcome);
        json_set_str(o, "external_id", str_empty(d->external_id) ? NULL : d->external_id);
        json_set_str(o, "error_code", str_empty(d->error_code) ? NULL : d->error_code);
        json_set_str(o, "error_message", str_empty(d->error_message) ? NULL : d->error_message);
        json_set_int(o, "http_status", d->http_status);
        json_set_int(o, "retry_after_s", d->retry_after_s);
        json_set_int(o, "took_ms", d->took_ms);
        if (d->cost_rwf != NULL)
            json_set_number(o, "cost_rwf", d->cost_rwf);
    }
    return json_print(a, array);
}

bool
delivery_finish(struct db *db, struct arena *a, struct delivery_outcome *outcomes, size_t n,
                int hold_s, double backoff_scale, struct err *e)
{
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_message_finish,
                DB_PARAMS(outcomes_json(a, outcomes, n), str_from_int(a, hold_s),
                          arena_printf(a, "%g", backoff_scale)),
                &rows, e))
        return false;
    for (size_t i = 0; i < n; i++) {
        outcomes[i].new_status = "";
        for (int k = 0; k < db_count(rows); k++) {
            if (str_eq(db_text(rows, k, "id"), outcomes[i].id))
                outcomes[i].new_status = db_text(rows, k, "status");
        }
    }
    return true;
}

bool
delivery_sweep(struct db *db, struct arena *a, int hold_s, int failover_s,
               struct delivery_swept *out, struct err *e)
{
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_message_sweep,
                DB_PARAMS(str_from_int(a, hold_s), str_from_int(a, failover_s)), &rows, e))
        return false;
    *out = (struct delivery_swept){
        .to_unknown = db_int(rows, 0, "to_unknown"),
        .resent = db_int(rows, 0, "resent"),
        .dead = db_int(rows, 0, "dead"),
        .expired = db_int(rows, 0, "expired"),
        .fallbacks = db_int(rows, 0, "fallbacks"),
    };
    return true;
}

bool
delivery_dead(struct db *db, struct arena *a, int max, struct dead_letter **out, size_t *n,
              struct err *e)
{
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_message_dead, DB_PARAMS(str_from_int(a, max)), &rows, e))
        return false;
    *n = (size_t)db_count(rows);
    *out = arena_array(a, *n + 1, sizeof(**out));
    for (int i = 0; i < db_count(rows); i++) {
        (*out)[i] = (struct dead_letter){
            .id = db_text(rows, i, "id"),
            .created_at = db_text(rows, i, "created_at"),
            .channel = db_text(rows, i, "channel"),
            .provider = db_text(rows, i, "provider"),
            .type = db_text(rows, i, "message_type"),
            .reason = db_text(rows, i, "dead_reason"),
            .error_code = db_text(rows, i, "error_code"),
            .retries = db_int(rows, i, "retry_count"),
            .is_replayed = db_bool(rows, i, "is_replayed"),
        };
    }
    return true;
}

bool
delivery_replay(struct db *db, struct arena *a, const char *id, const char **new_id, struct err *e)
{
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_message_replay, DB_PARAMS(id), &rows, e))
        return false;
    *new_id = db_text(rows, 0, "id");
    return true;
}
