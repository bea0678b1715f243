/*
 * jsonrpc - telling messages apart, and answering with the very id that came.
 *
 * An id is looked up in the text besides the tree: there a number has all its digits, and null is
 * not the same as nothing.
 */
#include "flow/jsonrpc.h"

#include "base/str.h"

#define BLANKS       " \t\r\n"
#define SPELT_ID_MAX 14 /* "\u0069\u0064" with its quotes */

static const char *
skip_blanks(const char *p)
{
    return p + strspn(p, BLANKS);
}

/* The functions below walk over text that json_parse() has found sound. */
static const char *
skip_string(const char *p)
{
    for (p++; *p != '"'; p++) {
        if (*p == '\\')
            p++;
    }
    return p + 1;
}

static const char *
skip_value(const char *p)
{
    int depth = 0;

    if (*p == '"')
        return skip_string(p);
    if (*p != '{' && *p != '[')
        return p + strcspn(p, ",]}" BLANKS);
    do {
        if (*p == '"') {
            p = skip_string(p);
            continue;
        }
        if (*p == '{' || *p == '[')
            depth++;
        if (*p == '}' || *p == ']')
            depth--;
        p++;
    } while (depth > 0);
    return p;
}

/* Is this string, with its quotes, the key "id"? Letters may be spelt as escapes. */
static bool
is_id_key(struct arena *a, const char *string, size_t n)
{
    struct json_object *key = NULL;
    struct err ignored = { 0 };

    if (memchr(string, '\\', n) == NULL)
        return n == strlen("\"id\"") && memcmp(string, "\"id\"", n) == 0;
    return n <= SPELT_ID_MAX && json_parse(a, string, n, &key, &ignored) &&
           str_eq(json_text(a, key), "id");
}

/* Where the value of "id" begins in an object's text; NULL if there is none. */
static const char *
find_id(struct arena *a, const char *object)
{
    const char *p = skip_blanks(object + 1);

    while (*p != '}') {
        const char *key = p;

        p = skip_string(p);
        bool found = is_id_key(a, key, (size_t)(p - key));
        p = skip_blanks(skip_blanks(p) + 1);
        if (found)
            return p;
        p = skip_blanks(skip_value(p));
        if (*p == ',')
            p = skip_blanks(p + 1);
    }
    return NULL;
}

/* The id as it is to be given back: a string, or a number in the digits it came in. NULL for
 * anything else, which is no id. */
static struct json_object *
read_id(struct arena *a, struct json_object *o, const char *text)
{
    struct json_object *holder;

    if (*text == '"')
        return json_at(o, "id");
    if (*text != '-' && (*text < '0' || *text > '9'))
        return NULL;
    holder = json_new_object(a);
    json_set_number(holder, "id", arena_strndup(a, text, (size_t)(skip_value(text) - text)));
    return json_at(holder, "id");
}

static void
refuse(struct jsonrpc_message *m, const char *fault)
{
    m->kind = JSONRPC_INVALID;
    m->fault = fault;
}

static void
read_message(struct arena *a, struct json_object *o, const char *text, struct jsonrpc_message *m)
{
    const char *id;

    if (!json_is_object(o)) {
        refuse(m, "a message must be an object");
        return;
    }
    id = find_id(a, text);
    if (id != NULL)
        m->id = read_id(a, o, id);
    m->method = json_opt_str(a, o, "method", "");
    m->params = json_at(o, "params");
    if (!str_eq(json_opt_str(a, o, "jsonrpc", ""), "2.0"))
        refuse(m, "jsonrpc: must be \"2.0\"");
    else if (!json_has(o, "method") && (json_has(o, "result") || json_has(o, "error")))
        m->kind = JSONRPC_RESPONSE;
    else if (id != NULL && m->id == NULL)
        refuse(m, "id: must be a string or a number");
    else if (str_empty(m->method))
        refuse(m, "method: must be text");
    else
        m->kind = id != NULL ? JSONRPC_REQUEST : JSONRPC_NOTIFICATION;
}

bool
jsonrpc_parse(struct arena *a, const char *bytes, size_t n, struct jsonrpc_input *out,
              struct err *e)
{
    struct json_object *root = NULL;
    const char *text = skip_blanks(bytes);

    if (!json_parse(a, bytes, n, &root, e))
        return false;
    out->is_batch = json_is_array(root);
    out->n = out->is_batch ? json_count(root) : 1;
    if (out->n > JSONRPC_MAX_BATCH)
        return true;
    out->messages = arena_array(a, out->n, sizeof(*out->messages));
    if (!out->is_batch) {
        read_message(a, root, text, &out->messages[0]);
        return true;
    }
    for (size_t i = 0; i < out->n; i++) {
        text = skip_blanks(text + 1); /* the bracket, or a comma */
        read_message(a, json_item(root, i), text, &out->messages[i]);
        text = skip_blanks(skip_value(text));
    }
    return true;
}

static struct json_object *
new_answer(struct arena *a, struct json_object *id)
{
    struct json_object *o = json_new_object(a);

    json_set_str(o, "jsonrpc", "2.0");
    json_set(o, "id", id);
    return o;
}

struct json_object *
jsonrpc_result(struct arena *a, struct json_object *id, struct json_object *result)
{
    struct json_object *o = new_answer(a, id);

    json_set(o, "result", result);
    return o;
}

static const char *
code_text(enum jsonrpc_code code)
{
    switch (code) {
    case JSONRPC_PARSE_ERROR:
        return "Parse error";
    case JSONRPC_INVALID_REQUEST:
        return "Invalid request";
    case JSONRPC_METHOD_NOT_FOUND:
        return "Method not found";
    case JSONRPC_INVALID_PARAMS:
        return "Invalid params";
    }
    return "Internal error";
}

struct json_object *
jsonrpc_error(struct arena *a, struct json_object *id, enum jsonrpc_code code, const char *detail)
{
    struct json_object *o = new_answer(a, id);
    struct json_object *error = json_add_object(o, "error");

    json_set_int(error, "code", code);
    json_set_str(error, "message", arena_printf(a, "%s: %s", code_text(code), detail));
    return o;
}
