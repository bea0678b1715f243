/*
 * param - checking arguments against their table, and the table as JSON Schema.
 */
#include "core/param.h"

#include "base/clk.h"
#include "base/str.h"
#include "base/utf8.h"
#include "base/uuid.h"
#include "core/phone.h"

#define CALLID_MAX 256
#define TEXTS_MAX  50

static bool
is_id(const char *text)
{
    size_t n =
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:@-+=/");

    return n > 0 && n <= PARAM_ID_MAX && text[n] == '\0';
}

/* RFC 3261, section 25.1: callid = word [ "@" word ]; every character of a word is printable ASCII.
 */
static bool
is_callid(const char *text)
{
    size_t n = 0;

    while (text[n] > ' ' && text[n] <= '~')
        n++;
    return n > 0 && n <= CALLID_MAX && text[n] == '\0';
}

static bool
is_word_of(struct arena *a, const char *text, const char *words)
{
    size_t n;
    char **items = str_split(a, words, '|', &n);

    for (size_t i = 0; i < n; i++) {
        if (str_eq(items[i], text))
            return true;
    }
    return false;
}

static bool
check_texts(struct arena *a, const struct param *p, struct json_object *value, struct err *e)
{
    if (!json_is_array(value))
        return err_set(e, ERR_INVALID, "%s: must be an array of texts", p->name);
    if (json_count(value) > TEXTS_MAX)
        return err_set(e, ERR_INVALID, "%s: more than %d items", p->name, TEXTS_MAX);
    for (size_t i = 0; i < json_count(value); i++) {
        if (!json_is_string(json_item(value, i)))
            return err_set(e, ERR_INVALID, "%s: item %zu must be text", p->name, i);
        if (utf8_count(json_text(a, json_item(value, i))) > (size_t)p->max_chars)
            return err_set(e, ERR_INVALID, "%s: item %zu is longer than %d characters", p->name, i,
                           p->max_chars);
    }
    return true;
}

static bool
check_object(struct arena *a, const struct param *p, struct json_object *value, struct err *e)
{
    if (!json_is_object(value))
        return err_set(e, ERR_INVALID, "%s: must be an object", p->name);
    return strlen(json_print(a, value)) <= (size_t)p->max_chars ||
           err_set(e, ERR_INVALID, "%s: larger than %d bytes", p->name, p->max_chars);
}

static bool
check_text(struct arena *a, const struct param *p, const char *text, struct err *e)
{
    struct phone phone;
    struct uuid uuid;
    int64_t ms;

    switch (p->kind) {
    case PARAM_TEXT:
        if (utf8_count(text) > (size_t)p->max_chars)
            return err_set(e, ERR_INVALID, "%s: longer than %d characters", p->name, p->max_chars);
        return true;
    case PARAM_ID:
        return is_id(text) || err_set(e, ERR_INVALID, "%s: not an id", p->name);
    case PARAM_CALLID:
        return is_callid(text) || err_set(e, ERR_INVALID, "%s: not a SIP Call-ID", p->name);
    case PARAM_UUID:
        return uuid_parse(text, &uuid) || err_set(e, ERR_INVALID, "%s: not a UUID", p->name);
    case PARAM_PHONE:
        return phone_parse(text, p->name, &phone, e);
    case PARAM_TIME:
        return clk_parse(text, &ms) ||
               err_set(e, ERR_INVALID, "%s: not a time (ISO 8601)", p->name);
    case PARAM_WORD:
        return is_word_of(a, text, p->words) ||
               err_set(e, ERR_INVALID, "%s: must be one of %s", p->name, p->words);
    case PARAM_BOOL:
    case PARAM_TEXTS:
    case PARAM_OBJECT:
        break;
    }
    return err_set(e, ERR_BUG, "%s: no text", p->name);
}

static bool
check_one(struct arena *a, const struct param *p, struct json_object *args, struct err *e)
{
    struct json_object *value = json_at(args, p->name);
    bool scalar =
        p->kind == PARAM_TIME || p->kind == PARAM_PHONE; /* people write both as numbers */
    const char *text;

    if (!json_has(args, p->name))
        return !p->required || err_set(e, ERR_INVALID, "%s: missing", p->name);
    if (p->kind == PARAM_BOOL)
        return json_is_bool(value) || err_set(e, ERR_INVALID, "%s: must be true or false", p->name);
    if (p->kind == PARAM_TEXTS)
        return check_texts(a, p, value, e);
    if (p->kind == PARAM_OBJECT)
        return check_object(a, p, value, e);
    if (!json_is_string(value) && !(scalar && !str_empty(json_opt_scalar(a, args, p->name, ""))))
        return err_set(e, ERR_INVALID, "%s: must be text", p->name);
    if (p->kind != PARAM_TEXT && json_has_nul(args, p->name))
        return err_set(e, ERR_INVALID, "%s: holds a NUL", p->name);
    text = json_opt_scalar(a, args, p->name, "");
    if (p->required && str_empty(str_trim(a, text)))
        return err_set(e, ERR_INVALID, "%s: empty", p->name);
    return str_empty(text) || check_text(a, p, text, e);
}

bool
param_check(const struct param *params, size_t n, struct json_object *args, struct err *e)
{
    struct arena *a = arena_new();
    bool ok = json_is_object(args) || err_set(e, ERR_INVALID, "body: must be a JSON object");

    for (size_t i = 0; ok && i < n; i++)
        ok = check_one(a, &params[i], args, e);
    arena_free(&a);
    return ok;
}

static void
describe_kind(struct arena *a, const struct param *p, struct json_object *o)
{
    struct json_object *items;
    char **words;
    size_t n;

    switch (p->kind) {
    case PARAM_BOOL:
        json_set_str(o, "type", "boolean");
        return;
    case PARAM_TEXTS:
        json_set_str(o, "type", "array");
        json_set_int(o, "maxItems", TEXTS_MAX);
        items = json_add_object(o, "items");
        json_set_str(items, "type", "string");
        json_set_int(items, "maxLength", p->max_chars);
        return;
    case PARAM_UUID:
    case PARAM_TIME:
        json_set_str(o, "type", "string");
        json_set_str(o, "format", p->kind == PARAM_UUID ? "uuid" : "date-time");
        return;
    case PARAM_WORD:
        json_set_str(o, "type", "string");
        items = json_add_array(o, "enum");
        words = str_split(a, p->words, '|', &n);
        for (size_t i = 0; i < n; i++)
            json_push_str(items, words[i]);
        return;
    case PARAM_CALLID:
        json_set_str(o, "type", "string");
        json_set_int(o, "maxLength", CALLID_MAX);
        return;
    case PARAM_TEXT:
    case PARAM_ID:
        json_set_str(o, "type", "string");
        json_set_int(o, "maxLength", p->kind == PARAM_ID ? PARAM_ID_MAX : p->max_chars);
        return;
    case PARAM_PHONE:
        json_set_str(o, "type", "string");
        return;
    case PARAM_OBJECT:
        json_set_str(o, "type", "object");
        return;
    }
}

struct json_object *
param_schema(struct arena *a, const struct param *params, size_t n)
{
    struct json_object *schema = json_new_object(a);
    struct json_object *properties;
    struct json_object *required;

    json_set_str(schema, "type", "object");
    properties = json_add_object(schema, "properties");
    required = json_add_array(schema, "required");
    for (size_t i = 0; i < n; i++) {
        struct json_object *o = json_add_object(properties, params[i].name);

        describe_kind(a, &params[i], o);
        json_set_str(o, "description", params[i].meaning);
        if (params[i].required)
            json_push_str(required, params[i].name);
    }
    return schema;
}
