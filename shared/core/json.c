/*
 * json - the door to json-c. What it parses has passed json_scan(), so that only sound JSON of
 * bounded size gets here.
 *
 * Ownership: the arena holds one reference of every root (json_parse, json_new_*), a parent one of
 * each child. Setting a root into another tree takes a second reference, so either may go first.
 */
#include "core/json.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/str.h"
#include "base/utf8.h"
#include "core/json_scan.h"

#define MAX_KEY 128

static void
release_root(void *root)
{
    (void)json_object_put(root);
}

/* Keys in all objects of the tree. The depth is bounded, so recursion is safe. */
static size_t
count_members(struct json_object *o)
{
    size_t count = 0;

    if (json_is_array(o)) {
        for (size_t i = 0; i < json_count(o); i++)
            count += count_members(json_item(o, i));
    } else if (json_is_object(o)) {
        struct json_object_iterator end = json_object_iter_end(o);
        struct json_object_iterator i = json_object_iter_begin(o);
        for (; !json_object_iter_equal(&i, &end); json_object_iter_next(&i))
            count += 1 + count_members(json_object_iter_peek_value(&i));
    }
    return count;
}

bool
json_parse(struct arena *a, const char *bytes, size_t n, struct json_object **out, struct err *e)
{
    struct buf text = buf_init(a, INT_MAX - 1);
    size_t members;

    if (!json_scan(bytes, n, &text, &members, e))
        return false;
    if (buf_overflowed(&text))
        return err_set(e, ERR_INVALID, "not JSON: too long");

    struct json_tokener *tokener = json_tokener_new_ex(JSON_MAX_DEPTH + 2);
    if (tokener == NULL)
        abort();
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    /* With its NUL, which ends a bare number. */
    struct json_object *root = json_tokener_parse_ex(tokener, text.data, (int)text.len + 1);
    enum json_tokener_error fault = json_tokener_get_error(tokener);
    json_tokener_free(tokener);
    arena_own(a, root, release_root);
    if (fault != json_tokener_success)
        return err_set(e, ERR_INVALID, "not JSON: %s", json_tokener_error_desc(fault));

    /* json-c keeps the last of two equal keys; then the tree has fewer of them than the text. */
    if (count_members(root) != members)
        return err_set(e, ERR_INVALID, "not JSON: a key stands twice in one object");
    *out = root;
    return true;
}

/* One step down: a key of an object or an index of an array. */
static struct json_object *
step_down(struct json_object *o, const char *step, size_t n)
{
    char key[MAX_KEY];
    struct json_object *child = NULL;
    int64_t i;

    if (n >= sizeof(key))
        return NULL;
    memcpy(key, step, n);
    key[n] = '\0';
    if (json_is_array(o) && str_parse_int(key, 0, INT_MAX, &i))
        return json_item(o, (size_t)i);
    if (json_is_object(o))
        (void)json_object_object_get_ex(o, key, &child); /* NULL when absent */
    return child;
}

struct json_object *
json_at(struct json_object *o, const char *path)
{
    for (;;) {
        size_t n = strcspn(path, ".");
        o = step_down(o, path, n);
        if (o == NULL || path[n] == '\0')
            return o;
        path += n + 1;
    }
}

bool
json_is_object(struct json_object *o)
{
    return json_object_is_type(o, json_type_object) != 0;
}

bool
json_is_array(struct json_object *o)
{
    return json_object_is_type(o, json_type_array) != 0;
}

bool
json_is_string(struct json_object *o)
{
    return json_object_is_type(o, json_type_string) != 0;
}

bool
json_is_bool(struct json_object *o)
{
    return json_object_is_type(o, json_type_boolean) != 0;
}

bool
json_has(struct json_object *o, const char *key)
{
    return json_at(o, key) != NULL;
}

bool
json_has_nul(struct json_object *o, const char *key)
{
    struct json_object *field = json_at(o, key);

    return json_is_string(field) && strstr(json_object_get_string(field), JSON_NUL) != NULL;
}

/* The text without the NULs that were in it. */
static const char *
without_nul(char *text)
{
    char *to = strstr(text, JSON_NUL);

    for (const char *from = to; from != NULL;) {
        const char *next = strstr(from += strlen(JSON_NUL), JSON_NUL);
        size_t n = next != NULL ? (size_t)(next - from) : strlen(from) + 1;
        memmove(to, from, n);
        to += n;
        from = next;
    }
    return text;
}

size_t
json_count(struct json_object *array)
{
    return json_is_array(array) ? json_object_array_length(array) : 0;
}

struct json_object *
json_item(struct json_object *array, size_t i)
{
    return i < json_count(array) ? json_object_array_get_idx(array, i) : NULL;
}

bool
json_need_str(struct arena *a, struct json_object *o, const char *key, const char **out,
              struct err *e)
{
    struct json_object *field = json_at(o, key);

    if (field == NULL)
        return err_set(e, ERR_INVALID, "%s: missing", key);
    if (!json_is_string(field))
        return err_set(e, ERR_INVALID, "%s: must be text", key);
    const char *text = json_text(a, field);
    if (str_empty(text))
        return err_set(e, ERR_INVALID, "%s: missing", key);
    *out = text;
    return true;
}

const char *
json_opt_str(struct arena *a, struct json_object *o, const char *key, const char *fallback)
{
    struct json_object *field = json_at(o, key);

    return json_is_string(field) ? json_text(a, field) : fallback;
}

const char *
json_opt_scalar(struct arena *a, struct json_object *o, const char *key, const char *fallback)
{
    struct json_object *field = json_at(o, key);

    if (json_object_is_type(field, json_type_int) || json_object_is_type(field, json_type_double))
        return json_print(a, field);
    return json_is_string(field) ? json_text(a, field) : fallback;
}

int64_t
json_opt_int(struct json_object *o, const char *key, int64_t fallback)
{
    struct json_object *field = json_at(o, key);
    int64_t n = fallback;

    if (json_object_is_type(field, json_type_int))
        return json_object_get_int64(field);
    if (json_object_is_type(field, json_type_double)) {
        double d = json_object_get_double(field);
        /* Within +-2^53 every whole number is exact in a double. */
        bool exact = d >= -9007199254740992.0 && d <= 9007199254740992.0;
        return exact && d == (double)(int64_t)d ? (int64_t)d : fallback;
    }
    if (json_is_string(field) &&
        !str_parse_int(json_object_get_string(field), INT64_MIN, INT64_MAX, &n))
        return fallback;
    return n;
}

bool
json_opt_bool(struct json_object *o, const char *key, bool fallback)
{
    struct json_object *field = json_at(o, key);

    if (!json_object_is_type(field, json_type_boolean))
        return fallback;
    return json_object_get_boolean(field) != 0;
}

const char *
json_text(struct arena *a, struct json_object *o)
{
    if (!json_is_string(o))
        return "";
    const char *text = json_object_get_string(o);
    size_t n = (size_t)json_object_get_string_len(o);

    if (strstr(text, JSON_NUL) != NULL) {
        text = without_nul(arena_strndup(a, text, n));
        n = strlen(text);
    }
    return utf8_clean(a, text, n, JSON_MAX_TEXT);
}

/* json-c returns NULL only when there is no memory. */
static struct json_object *
must(struct json_object *o)
{
    if (o == NULL)
        abort();
    return o;
}

/* NULL stands for null in json-c. */
static struct json_object *
text_or_null(const char *text)
{
    return text != NULL ? must(json_object_new_string(text)) : NULL;
}

/* Gives the child, with its one reference, to the object. */
static void
put_member(struct json_object *o, const char *key, struct json_object *child)
{
    if (json_object_object_add(o, key, child) != 0)
        abort();
}

static void
put_item(struct json_object *array, struct json_object *child)
{
    if (json_object_array_add(array, child) != 0)
        abort();
}

struct json_object *
json_new_object(struct arena *a)
{
    struct json_object *o = must(json_object_new_object());

    arena_own(a, o, release_root);
    return o;
}

struct json_object *
json_new_array(struct arena *a)
{
    struct json_object *o = must(json_object_new_array());

    arena_own(a, o, release_root);
    return o;
}

void
json_set_str(struct json_object *o, const char *key, const char *text)
{
    put_member(o, key, text_or_null(text));
}

void
json_set_int(struct json_object *o, const char *key, int64_t n)
{
    put_member(o, key, must(json_object_new_int64(n)));
}

void
json_set_bool(struct json_object *o, const char *key, bool b)
{
    put_member(o, key, must(json_object_new_boolean(b)));
}

void
json_set_number(struct json_object *o, const char *key, const char *decimal)
{
    put_member(o, key, must(json_object_new_double_s(strtod(decimal, NULL), decimal)));
}

void
json_set(struct json_object *o, const char *key, struct json_object *child)
{
    put_member(o, key, json_object_get(child));
}

struct json_object *
json_add_object(struct json_object *o, const char *key)
{
    struct json_object *child = must(json_object_new_object());

    put_member(o, key, child);
    return child;
}

struct json_object *
json_add_array(struct json_object *o, const char *key)
{
    struct json_object *child = must(json_object_new_array());

    put_member(o, key, child);
    return child;
}

struct json_object *
json_push_object(struct json_object *array)
{
    struct json_object *child = must(json_object_new_object());

    put_item(array, child);
    return child;
}

void
json_push_str(struct json_object *array, const char *text)
{
    put_item(array, text_or_null(text));
}

void
json_push(struct json_object *array, struct json_object *child)
{
    put_item(array, json_object_get(child));
}

const char *
json_print(struct arena *a, struct json_object *o)
{
    size_t n = 0;
    const char *text = json_object_to_json_string_length(
        o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &n);

    if (text == NULL)
        abort();
    return without_nul(arena_strndup(a, text, n));
}
