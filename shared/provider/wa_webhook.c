/*
 * wa_webhook - reading Meta's webhooks. A body may hold many entries, changes and items; one that
 * is broken holds back none.
 */
#include "provider/wa_webhook.h"

#include "base/clk.h"
#include "base/str.h"
#include "base/uuid.h"
#include "core/json.h"

bool
wa_webhook_verify(struct arena *a, const struct config *c, const struct incoming_http *in,
                  struct err *e)
{
    const char *given = incoming_header(in, "X-Hub-Signature-256");

    (void)a;
    if (str_empty(c->wa_app_secret.now))
        return err_set(e, ERR_UNAVAILABLE, "WA_APP_SECRET: not set");
    if (!str_starts(given, "sha256=") ||
        !secret_signed_hex(&c->wa_app_secret, in->body, in->body_len, given + strlen("sha256=")))
        return err_set(e, ERR_AUTH, "X-Hub-Signature-256: missing or wrong");
    return true;
}

/* How many items the arrays called 'name' hold in all changes together: the room to make. */
static size_t
count_items(struct json_object *root, const char *name)
{
    struct json_object *entries = json_at(root, "entry");
    size_t n = 0;

    for (size_t i = 0; i < json_count(entries); i++) {
        struct json_object *changes = json_at(json_item(entries, i), "changes");

        for (size_t k = 0; k < json_count(changes); k++)
            n += json_count(json_at(json_at(json_item(changes, k), "value"), name));
    }
    return n;
}

/* A place as words: "[location: -1.9441, 30.0619 Kigali Heights]". */
static const char *
place_words(struct arena *a, struct json_object *m)
{
    const char *name = json_opt_str(a, m, "location.name", "");
    const char *latitude = json_opt_scalar(a, m, "location.latitude", "");
    const char *longitude = json_opt_scalar(a, m, "location.longitude", "");

    if (str_empty(name))
        name = json_opt_str(a, m, "location.address", "");
    if (str_empty(latitude) || str_empty(longitude))
        return "";
    return arena_printf(a, "[location: %s, %s%s%s]", latitude, longitude,
                        str_empty(name) ? "" : " ", name);
}

/* The option that was tapped, by the id we gave it: "opt:2:" and the id of the message that offered
 * it. */
static void
read_choice(struct arena *a, struct json_object *m, struct inbound *out)
{
    const char *id = json_opt_str(a, m, "interactive.button_reply.id",
                                  json_opt_str(a, m, "interactive.list_reply.id", ""));
    size_t n_parts = 0;
    char **part = str_split(a, id, ':', &n_parts);
    struct uuid list;
    int64_t n;

    if (n_parts < 2 || !str_eq(part[0], "opt") || !str_parse_int(part[1], 1, 10, &n))
        return;
    out->choice = (int)n;
    if (n_parts == 3 && uuid_parse(part[2], &list))
        out->list = arena_strdup(a, list.text);
}

/* What was sent besides its caption is said behind it. */
static const char *
with_kind(struct arena *a, const char *words, const char *type)
{
    static const char *const kinds[] = { "image", "video", "document", "order" };

    for (size_t i = 0; i < COUNT_OF(kinds) && !str_empty(words); i++) {
        if (str_eq(kinds[i], type))
            return arena_printf(a, "%s [%s]", words, str_eq(type, "image") ? "picture" : type);
    }
    return words;
}

/* The words of a message, by its type; "" where it has none. */
static const char *
words_of(struct arena *a, struct json_object *m, const char *type)
{
    static const struct {
        const char *type;
        const char *path;
    } paths[] = {
        { "text", "text.body" },
        { "button", "button.text" },
        { "interactive", "interactive.button_reply.title" },
        { "interactive", "interactive.list_reply.title" },
        { "interactive", "interactive.nfm_reply.body" },
        { "image", "image.caption" },
        { "video", "video.caption" },
        { "document", "document.caption" },
        { "order", "order.text" },
    };
    const char *words = "";

    for (size_t i = 0; i < COUNT_OF(paths) && str_empty(words); i++) {
        if (str_eq(paths[i].type, type))
            words = json_opt_str(a, m, paths[i].path, "");
    }
    if (str_eq(type, "location"))
        return place_words(a, m);
    return with_kind(a, words, type);
}

/* The new words of a message that was changed: they are read as if they had been sent. */
static const char *
edited_words(struct arena *a, struct json_object *m)
{
    struct json_object *changed = json_at(m, "edit.message");

    return words_of(a, changed, json_opt_str(a, changed, "type", ""));
}

/* What a person said to us and expects an answer to; the rest (reactions, notices) is only kept. */
static bool
is_answerable(struct json_object *m, const char *type)
{
    static const char *const silent[] = { "reaction", "system", "revoke" };

    for (size_t i = 0; i < COUNT_OF(silent); i++) {
        if (str_eq(silent[i], type))
            return false;
    }
    return !json_has(m, "interactive.call_permission_reply");
}

const char *
wa_webhook_name(struct arena *a, struct json_object *value, const char *wa_id, const char *bsuid)
{
    struct json_object *contacts = json_at(value, "contacts");

    for (size_t i = 0; i < json_count(contacts); i++) {
        struct json_object *contact = json_item(contacts, i);

        if ((!str_empty(wa_id) && str_eq(json_opt_scalar(a, contact, "wa_id", ""), wa_id)) ||
            (!str_empty(bsuid) && str_eq(json_opt_str(a, contact, "user_id", ""), bsuid)))
            return json_opt_str(a, contact, "profile.name", "");
    }
    return "";
}

static bool
read_message(struct arena *a, struct json_object *value, struct json_object *m, struct inbound *out,
             struct err *e)
{
    *out = (struct inbound){ .external_id = "", .part = 1, .parts = 1, .ref = "", .list = "" };
    if (!json_need_str(a, m, "id", &out->external_id, e))
        return false;
    if (json_has_nul(m, "id") || json_has_nul(m, "from") || json_has_nul(m, "from_user_id"))
        return err_set(e, ERR_INVALID, "id: holds a NUL");
    out->wa_id = json_opt_scalar(a, m, "from", "");
    out->bsuid = json_opt_str(a, m, "from_user_id", "");
    if (str_empty(out->wa_id) && str_empty(out->bsuid))
        return err_set(e, ERR_INVALID, "from: missing");
    if (str_empty(out->wa_id) || phone_parse(out->wa_id, "from", &out->from, e))
        out->wa_id = arena_strdup(a, out->wa_id[0] == '+' ? out->wa_id + 1 : out->wa_id);
    else if (!str_empty(out->bsuid))
        out->wa_id = ""; /* whoever it is, the other id reaches them */
    else
        return false;
    out->name = wa_webhook_name(a, value, out->wa_id, out->bsuid);
    out->kind = json_opt_str(a, m, "type", "unsupported");
    out->text = str_eq(out->kind, "edit") ? edited_words(a, m) : words_of(a, m, out->kind);
    out->tapped = str_eq(out->kind, "button") || str_eq(out->kind, "interactive");
    if (!str_empty(out->text) && out->tapped)
        out->kind = "text"; /* a tapped button is its title, said */
    read_choice(a, m, out);
    out->answerable = is_answerable(m, out->kind);
    if (!clk_parse(json_opt_scalar(a, m, "timestamp", ""), &out->at_ms))
        out->at_ms = 0;
    return true;
}

/* Did the number that was written to write this? Echoes of an app on our number look so. */
static bool
is_own_number(struct arena *a, struct json_object *value, struct json_object *m)
{
    struct err ignored = { 0 };
    struct phone own;
    struct phone from;

    return phone_parse(json_opt_scalar(a, value, "metadata.display_phone_number", ""),
                       "display_phone_number", &own, &ignored) &&
           phone_parse(json_opt_scalar(a, m, "from", ""), "from", &from, &ignored) &&
           str_eq(own.e164, from.e164);
}

/* Why a message is neither stored nor answered; "" for one that is. What is said in a group is said
 * to the group, and a change without words changes nothing for us. */
static const char *
ignored_for(struct arena *a, struct json_object *value, struct json_object *m)
{
    if (is_own_number(a, value, m))
        return "own_number";
    if (json_has(m, "group_id"))
        return "group_message";
    if (str_eq(json_opt_str(a, m, "type", ""), "edit") && str_empty(edited_words(a, m)))
        return "edit_without_words";
    return "";
}

static const char *
status_word(const char *status)
{
    if (str_eq(status, "played"))
        return "read";
    if (str_eq(status, "failed"))
        return "undelivered";
    return status;
}

static bool
read_status(struct arena *a, struct json_object *s, struct receipt *out, struct err *e)
{
    struct uuid ref;

    *out = (struct receipt){ .our_ref = "" };
    if (!json_need_str(a, s, "id", &out->external_id, e) ||
        !json_need_str(a, s, "status", &out->status, e))
        return false;
    if (json_has_nul(s, "id") || json_has_nul(s, "biz_opaque_callback_data"))
        return err_set(e, ERR_INVALID, "id: holds a NUL");
    out->status = status_word(out->status);
    if (uuid_parse(json_opt_str(a, s, "biz_opaque_callback_data", ""), &ref))
        out->our_ref = arena_strdup(a, ref.text);
    out->error_code = json_opt_scalar(a, s, "errors.0.code", "");
    if (!clk_parse(json_opt_scalar(a, s, "timestamp", ""), &out->at_ms))
        out->at_ms = 0;
    return true;
}

bool
wa_webhook_is_ours(struct arena *a, const struct config *c, struct json_object *value)
{
    const char *number = json_opt_scalar(a, value, "metadata.phone_number_id", "");

    return str_empty(number) || str_empty(c->whatsapp_webhook_phone_id) ||
           str_eq(number, c->whatsapp_webhook_phone_id);
}

static void
add_unreadable(struct arena *a, struct webhook_items *out, const char *item, const struct err *e)
{
    out->unreadable[out->n_unreadable++] = arena_printf(a, "%s: %s", item, e->text);
}

static void
read_value(struct arena *a, const struct config *c, struct json_object *value,
           struct webhook_items *out)
{
    struct json_object *messages = json_at(value, "messages");
    struct json_object *statuses = json_at(value, "statuses");
    struct err e = { 0 };

    if (!wa_webhook_is_ours(a, c, value)) {
        if (json_count(messages) + json_count(statuses) > 0)
            out->unanswered[out->n_unanswered++] = "other_number";
        return;
    }
    for (size_t i = 0; i < json_count(messages); i++) {
        const char *why = ignored_for(a, value, json_item(messages, i));

        if (!str_empty(why))
            out->unanswered[out->n_unanswered++] = why;
        else if (read_message(a, value, json_item(messages, i), &out->inbound[out->n_inbound], &e))
            out->n_inbound++;
        else
            add_unreadable(a, out, "message", &e);
    }
    for (size_t i = 0; i < json_count(statuses); i++) {
        struct json_object *s = json_item(statuses, i);

        if (str_eq(json_opt_str(a, s, "type", "message"), "call"))
            continue; /* a call's status: the voice webhook's */
        if (read_status(a, s, &out->receipts[out->n_receipts], &e))
            out->n_receipts++;
        else
            add_unreadable(a, out, "status", &e);
    }
}

bool
wa_webhook_read(struct arena *a, const struct config *c, const struct incoming_http *in,
                struct webhook_items *out, struct err *e)
{
    struct json_object *root;
    struct json_object *entries;
    size_t n_messages;
    size_t n_statuses;

    *out = (struct webhook_items){ 0 };
    if (!json_parse(a, in->body, in->body_len, &root, e))
        return false;
    entries = json_at(root, "entry");
    if (!json_is_array(entries))
        return err_set(e, ERR_INVALID, "entry: missing");
    n_messages = count_items(root, "messages");
    n_statuses = count_items(root, "statuses");
    out->inbound = arena_array(a, n_messages + 1, sizeof(*out->inbound));
    out->receipts = arena_array(a, n_statuses + 1, sizeof(*out->receipts));
    out->unreadable = arena_array(a, n_messages + n_statuses + 1, sizeof(*out->unreadable));
    out->unanswered = arena_array(a, n_messages + n_statuses + 1, sizeof(*out->unanswered));
    for (size_t i = 0; i < json_count(entries); i++) {
        struct json_object *changes = json_at(json_item(entries, i), "changes");

        for (size_t k = 0; k < json_count(changes); k++) {
            struct json_object *change = json_item(changes, k);

            if (str_eq(json_opt_str(a, change, "field", ""), "messages"))
                read_value(a, c, json_at(change, "value"), out);
        }
    }
    return true;
}
