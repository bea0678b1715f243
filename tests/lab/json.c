/* Forgiving readers and short writers over json-c: see json.h. */
#include "json.h"

#include "util.h"

struct json_object *
json_parse(const char *text, size_t len)
{
    if (text == NULL || len == 0 || len > INT32_MAX) {
        return NULL;
    }
    struct json_tokener *tokener = json_tokener_new();
    struct json_object *o = json_tokener_parse_ex(tokener, text, (int)len);
    bool whole = json_tokener_get_error(tokener) == json_tokener_success;
    for (size_t i = json_tokener_get_parse_end(tokener); whole && i < len; i++) {
        whole = text[i] == ' ' || text[i] == '\n' || text[i] == '\r' || text[i] == '\t';
    }
    json_tokener_free(tokener);
    if (!whole) {
        (void)json_object_put(o);
        return NULL;
    }
    return o;
}

struct json_object *
json_get(struct json_object *o, const char *key)
{
    struct json_object *value = NULL;
    (void)json_object_object_get_ex(o, key, &value);
    return value;
}

bool
json_has(struct json_object *o, const char *key)
{
    return json_object_object_get_ex(o, key, NULL);
}

const char *
json_str(struct json_object *o, const char *key, const char *fallback)
{
    struct json_object *value = json_get(o, key);
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : fallback;
}

int64_t
json_int(struct json_object *o, const char *key, int64_t fallback)
{
    struct json_object *value = json_get(o, key);
    bool is_number =
        json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double);
    return is_number ? json_object_get_int64(value) : fallback;
}

bool
json_flag(struct json_object *o, const char *key, bool fallback)
{
    struct json_object *value = json_get(o, key);
    return json_object_is_type(value, json_type_boolean) ? json_object_get_boolean(value) != 0
                                                         : fallback;
}

void
json_add(struct json_object *o, const char *key, struct json_object *value)
{
    (void)json_object_object_add(o, key, value);
}

void
json_add_str(struct json_object *o, const char *key, const char *value)
{
    json_add(o, key, json_object_new_string(value));
}

void
json_add_int(struct json_object *o, const char *key, int64_t value)
{
    json_add(o, key, json_object_new_int64(value));
}

void
json_add_bool(struct json_object *o, const char *key, bool value)
{
    json_add(o, key, json_object_new_boolean(value));
}

char *
json_text(struct json_object *o)
{
    int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
    return str_dup(json_object_to_json_string_ext(o, flags));
}
