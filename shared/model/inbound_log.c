/*
 * inbound_log - the calls of record_inbound_message() and its kin.
 */
#include "model/inbound_log.h"

#include "base/clk.h"
#include "base/hmac.h"
#include "base/str.h"
#include "base/uuid.h"
#include "core/json.h"
#include "model/message.h"
#include "sql/statements.h"

static const char *
iso_or_null(struct arena *a, int64_t ms)
{
    return ms > 0 ? clk_iso(a, ms) : NULL;
}

/* The fixed answer as the function wants it: all languages, since only the database knows the
 * person's. */
static const char *
answer_json(struct arena *a, const struct inbound_entry *in)
{
    static const enum language languages[] = { LANG_RW, LANG_EN, LANG_FR, LANG_SW };
    struct json_object *o;
    struct json_object *texts;
    struct json_object *metadata;

    if (in->answers[LANG_EN] == NULL)
        return NULL;
    o = json_new_object(a);
    texts = json_add_object(o, "texts");
    for (size_t i = 0; i < COUNT_OF(languages); i++)
        json_set_str(texts, language_text(languages[i]), in->answers[languages[i]]);
    json_set_str(o, "id", uuid_new().text);
    json_set_str(o, "provider", in->answer_provider);
    json_set_number(o, "cost_rwf", message_rwf(a, in->answer_cost_mrwf));
    metadata = json_add_object(o, "metadata");
    json_set_str(metadata, "correlation_id", in->correlation_id);
    if (!str_empty(in->bsuid)) /* the only address of somebody whose number WhatsApp hides */
        json_set_str(metadata, "bsuid", in->bsuid);
    return json_print(a, o);
}

bool
inbound_log_message(struct db *db, struct arena *a, const struct inbound_entry *in,
                    struct inbound_stored *out, struct err *e)
{
    struct uuid ids[] = { uuid_new(), uuid_new(), uuid_new() };
    const char *const id_texts[] = { ids[0].text, ids[1].text, ids[2].text };
    struct json_object *metadata = json_new_object(a);
    struct db_rows *rows;

    json_set_str(metadata, "kind", in->kind);
    if (in->parts > 1) {
        json_set_str(metadata, "ref", in->ref);
        json_set_int(metadata, "part", in->part);
        json_set_int(metadata, "parts", in->parts);
    }
    if (in->keyword != KEYWORD_NONE)
        json_set_str(metadata, "keyword", keyword_text(in->keyword));
    if (!str_empty(in->language))
        json_set_str(metadata, "language", in->language);
    if (in->choice > 0)
        json_set_int(metadata, "choice", in->choice);
    if (!str_empty(in->list))
        json_set_str(metadata, "list", in->list);
    if (in->tapped)
        json_set_bool(metadata, "tapped", true);
    if (in->wants_more) {
        struct json_object *by = json_add_object(metadata, "wants_more");

        json_set_str(by, "provider", in->answer_provider);
        json_set_number(by, "cost_rwf", message_rwf(a, in->answer_cost_mrwf));
    }
    json_set_str(metadata, "correlation_id", in->correlation_id);
    if (!db_run(db, a, in->keyword == KEYWORD_NEW ? &SQL_inbound_afresh : &SQL_inbound_record,
                DB_PARAMS(channel_text(in->channel), in->provider, in->external_id,
                          str_empty(in->phone) ? NULL : in->phone,
                          str_empty(in->wa_id) ? NULL : in->wa_id,
                          str_empty(in->bsuid) ? NULL : in->bsuid, in->name, in->content,
                          iso_or_null(a, in->at_ms), json_print(a, metadata),
                          keyword_text(in->keyword), answer_json(a, in), in->wants_turn ? "t" : "f",
                          str_from_int(a, in->quiet_ms), db_array(a, id_texts, COUNT_OF(id_texts)),
                          in->words_id),
                &rows, e))
        return false;
    *out = (struct inbound_stored){
        .is_new = str_eq(db_text(rows, 0, "outcome"), "new"),
        .message_id = db_text(rows, 0, "message_id"),
        .session_id = db_text(rows, 0, "session_id"),
        .session_created = db_bool(rows, 0, "session_created"),
        .consent_changed = db_bool(rows, 0, "consent_changed"),
    };
    return true;
}

bool
inbound_log_statuses(struct db *db, struct arena *a, const char *provider,
                     const struct status_entry *s, size_t n, int64_t *moved, struct err *e)
{
    struct json_object *events = json_new_array(a);
    struct db_rows *rows;

    for (size_t i = 0; i < n; i++) {
        struct json_object *o = json_push_object(events);

        json_set_str(o, "external_id", str_empty(s[i].external_id) ? NULL : s[i].external_id);
        json_set_str(o, "our_ref", str_empty(s[i].our_ref) ? NULL : s[i].our_ref);
        json_set_str(o, "status", s[i].status);
        json_set_str(o, "error_code", str_empty(s[i].error_code) ? NULL : s[i].error_code);
        json_set_str(o, "at", iso_or_null(a, s[i].at_ms));
    }
    if (!db_run(db, a, &SQL_status_record, DB_PARAMS(provider, json_print(a, events)), &rows, e))
        return false;
    *moved = db_int(rows, 0, "moved");
    return true;
}

bool
inbound_log_poison(struct db *db, struct arena *a, const char *program, const char *provider,
                   const char *reason, const char *body, size_t body_len, bool *is_new,
                   struct err *e)
{
    const char *hex = str_hex(a, (const unsigned char *)body, body_len);
    unsigned char digest[HMAC_SIZE];
    struct db_rows *rows;
    const char *all = arena_printf(a, "%s|%s|%s", program, provider, hex);

    hmac_digest(all, strlen(all), digest);
    if (!db_run(db, a, &SQL_poison_record,
                DB_PARAMS(program, provider, reason, str_hex(a, digest, sizeof(digest)),
                          arena_printf(a, "\\x%s", hex)),
                &rows, e))
        return false;
    *is_new = db_bool(rows, 0, "is_new");
    return true;
}
