/*
 * message - drafts to JSON, and the states of rows.
 */
#include "model/message.h"

#include "base/str.h"
#include "core/json.h"
#include "sql/statements.h"

const char *
message_rwf(struct arena *a, int64_t mrwf)
{
    return arena_printf(a, "%lld.%03d", (long long)(mrwf / 1000), (int)(mrwf % 1000));
}

static void
set_unless_empty(struct json_object *o, const char *key, const char *text)
{
    if (!str_empty(text))
        json_set_str(o, key, text);
}

static void
add_metadata(struct arena *a, struct json_object *row, const struct message_draft *d)
{
    struct json_object *meta = json_add_object(row, "metadata");
    struct json_object *options = d->n_options > 0 ? json_add_array(meta, "options") : NULL;
    struct json_object *more = d->n_more > 0 ? json_add_array(meta, "more") : NULL;

    for (size_t i = 0; i < d->n_options; i++)
        json_push_str(options, d->options[i]);
    for (size_t i = 0; i < d->n_more; i++) {
        struct json_object *part = json_push_object(more);

        json_set_str(part, "text", d->more[i].text);
        json_set_int(part, "segments", d->more[i].segments);
        json_set_number(part, "cost_rwf", message_rwf(a, d->more[i].cost_mrwf));
    }
    json_set_str(meta, "kind", d->is_template ? "template" : "text");
    json_set_str(meta, "language", language_text(d->language));
    set_unless_empty(meta, "bsuid", d->bsuid);
    set_unless_empty(meta, "correlation_id", d->correlation_id);
}

static void
fill_row(struct arena *a, struct json_object *row, const struct message_draft *d)
{
    json_set_str(row, "id", d->id.text);
    json_set_str(row, "group_id", d->group_id.text);
    json_set_int(row, "part", 1);
    json_set_str(row, "channel", channel_text(d->channel));
    json_set_str(row, "message_type", message_type_text(d->type));
    json_set_str(row, "provider", d->provider);
    json_set_str(row, "content", d->content);
    json_set_str(row, "idem_key", d->idem_key);
    set_unless_empty(row, "recipient_phone", d->recipient_phone);
    set_unless_empty(row, "call_id", d->call_id);
    set_unless_empty(row, "turn_id", d->turn_id);
    json_set_int(row, "expires_in_s", message_type_expiry_s(d->type));
    json_set_int(row, "segments", d->segments);
    json_set_number(row, "cost_rwf", message_rwf(a, d->cost_mrwf));
    add_metadata(a, row, d);
}

static void
add_fallback(struct arena *a, struct json_object *row, const struct message_draft *d)
{
    const struct {
        const char *name;
        const struct message_draft *draft;
    } kinds[] = {
        { "template", d->fallback_template },
        { "template_en", d->fallback_template_en },
        { "sms", d->fallback_sms },
    };
    struct json_object *fallback = json_add_object(row, "fallback");

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (kinds[i].draft != NULL)
            fill_row(a, json_add_object(fallback, kinds[i].name), kinds[i].draft);
    }
    if (d->patient && d->fallback_sms != NULL)
        json_set_bool(fallback, "patient", true);
}

const char *
message_drafts_json(struct arena *a, const struct message_draft *drafts, size_t n)
{
    struct json_object *rows = json_new_array(a);

    for (size_t i = 0; i < n; i++) {
        struct json_object *row = json_push_object(rows);

        fill_row(a, row, &drafts[i]);
        add_fallback(a, row, &drafts[i]);
    }
    return json_print(a, rows);
}

static void
read_states(struct arena *a, const struct db_rows *rows, struct message_state **out, size_t *n)
{
    *n = (size_t)db_count(rows);
    *out = arena_array(a, *n + 1, sizeof(**out));
    for (int i = 0; i < db_count(rows); i++) {
        (*out)[i] = (struct message_state){
            .id = db_text(rows, i, "id"),
            .channel = db_text(rows, i, "channel"),
            .status = db_text(rows, i, "status"),
            .external_id = db_text(rows, i, "external_message_id"),
            .segments = db_int(rows, i, "segments"),
            .cost_rwf = db_text(rows, i, "cost_rwf"),
            .error_code = db_text(rows, i, "error_code"),
        };
    }
}

bool
message_states(struct db *db, struct arena *a, const char *const *ids, size_t n_ids,
               struct message_state **out, size_t *n, struct err *e)
{
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_message_status, DB_PARAMS(db_array(a, ids, n_ids)), &rows, e))
        return false;
    read_states(a, rows, out, n);
    return true;
}

bool
message_states_of_call(struct db *db, struct arena *a, const char *call_id,
                       struct message_state **out, size_t *n, struct err *e)
{
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_call_messages, DB_PARAMS(call_id), &rows, e))
        return false;
    read_states(a, rows, out, n);
    return true;
}
