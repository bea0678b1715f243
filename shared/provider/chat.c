/*
 * chat - building and reading chat completions, within the subset that local servers know too.
 */
#include "provider/chat.h"

#include "base/str.h"
#include "core/json.h"
#include "provider/chat_words.h"

#define CALLS_MAX     20   /* of one answer; the others were never asked for */
#define ARGS_BACK_MAX 8192 /* bytes of one call's arguments that go back: its writer knows them */

/* Where the server's completions are; a base written with a '/' at its end is the same base. */
static const char *
completions_url(struct arena *a, const char *base)
{
    size_t n = strlen(base);

    while (n > 0 && base[n - 1] == '/')
        n--;
    return arena_printf(a, "%.*s/chat/completions", (int)n, base);
}

/* The length of "https://host:port". */
static size_t
origin_len(const char *url)
{
    const char *host = strstr(url, "://");

    return host == NULL ? 0 : (size_t)(host - url) + 3 + strcspn(host + 3, "/?#");
}

/* An agent's own server is somebody else: it does not get the key of OPENAI_BASE_URL's. */
static bool
may_see_key(struct arena *a, const struct config *c, const char *url)
{
    size_t n = origin_len(url);

    return n > 0 && n == origin_len(c->openai_base_url) &&
           str_eq_nocase(arena_strndup(a, url, n), arena_strndup(a, c->openai_base_url, n));
}

struct chat_message
chat_said(const struct chat_answer *answer)
{
    return (struct chat_message){ NULL, answer->message };
}

struct chat_message
chat_told(struct arena *a, const struct chat_call *call, const char *result)
{
    struct json_object *o = json_new_object(a);

    json_set_str(o, "role", "tool");
    json_set_str(o, "tool_call_id", call->id);
    json_set_str(o, "content", result);
    return (struct chat_message){ NULL, json_print(a, o) };
}

static void
add_messages(struct arena *a, struct json_object *body, const struct chat_ask *ask)
{
    struct json_object *messages = json_add_array(body, "messages");

    for (size_t i = 0; i < ask->n_messages; i++) {
        const struct chat_message *m = &ask->messages[i];
        struct json_object *o = NULL;
        struct err ignored = { 0 }; /* we printed it ourselves */

        if (m->role == NULL) {
            if (json_parse(a, m->content, strlen(m->content), &o, &ignored))
                json_push(messages, o);
            continue;
        }
        o = json_push_object(messages);
        json_set_str(o, "role", m->role);
        json_set_str(o, "content", m->content);
    }
}

void
chat_build(struct arena *a, const struct config *c, const struct chat_ask *ask,
           struct http_request *out)
{
    const char *base = str_empty(ask->base_url) ? c->openai_base_url : ask->base_url;
    struct json_object *body = json_new_object(a);
    const char **headers = arena_array(a, 4, sizeof(*headers));
    size_t n = 0;

    add_messages(a, body, ask);
    json_set_str(body, "model", str_empty(ask->model) ? c->openai_model : ask->model);
    json_set_int(body, ask->new_limit_name ? "max_completion_tokens" : "max_tokens",
                 ask->max_tokens);
    json_set_bool(body, "stream", false);
    if (json_count(ask->tools) > 0) {
        json_set(body, "tools", ask->tools);
        json_set_str(body, "tool_choice", ask->no_more_tools ? "none" : "auto");
    }
    headers[n++] = "Content-Type: application/json";
    headers[n++] = arena_printf(a, "X-Correlation-Id: %s", ask->correlation_id);
    if (!str_empty(c->openai_api_key.now) && may_see_key(a, c, base)) /* local servers need none */
        headers[n++] = arena_printf(a, "Authorization: Bearer %s", c->openai_api_key.now);
    *out = (struct http_request){ .method = "POST", .headers = headers };
    out->url = completions_url(a, base);
    out->body = json_print(a, body);
    out->body_len = strlen(out->body);
}

static bool
fail(struct err *e, enum err_kind kind, const char *code, const char *words)
{
    (void)err_set(e, kind, "agent: %s", words);
    return err_code(e, code);
}

/* 429 has two meanings: too fast, or no money left. 400 has two that we can do something about. */
static bool
read_refusal(struct arena *a, const struct http_response *r, struct err *e)
{
    static const char *const quota[] = { "quota", "balance", "spend_limit", "usage_limit",
                                         "billing" };
    struct json_object *body = NULL;
    struct err ignored = { 0 };
    const char *code = "";
    const char *type = "";

    if (json_parse(a, r->body, r->body_len, &body, &ignored)) {
        code = json_opt_str(a, body, "error.code", "");
        type = json_opt_str(a, body, "error.type", "");
    }
    for (size_t i = 0; i < COUNT_OF(quota); i++) {
        if (strstr(code, quota[i]) != NULL || strstr(type, quota[i]) != NULL)
            return fail(e, ERR_PERM, "quota", "its quota is used up");
    }
    if (r->status == 400 && strstr(code, "context_length") != NULL)
        return fail(e, ERR_PERM, "too_long", "it cannot read so much");
    if (r->status == 400 && str_eq(json_opt_str(a, body, "error.param", ""), "max_tokens"))
        return fail(e, ERR_PERM, "limit_name", "it knows the limit by another name");
    return fail(e, r->status == 429 || r->status >= 500 ? ERR_TEMP : ERR_PERM,
                arena_printf(a, "http_%d", r->status), arena_printf(a, "HTTP %d", r->status));
}

/* Arguments come as text with JSON in it, from some servers as the JSON itself. A tree of its own:
 * the message's is about to be changed. */
static struct json_object *
read_args(struct arena *a, struct json_object *call)
{
    struct json_object *given = json_at(call, "function.arguments");
    const char *text = json_is_object(given) ? json_print(a, given) : json_text(a, given);
    struct json_object *args = NULL;
    struct err ignored = { 0 };

    text = str_trim(a, text);
    if (str_empty(text) && json_is_object(call)) /* a tool without arguments */
        return json_new_object(a);
    if (!json_parse(a, text, strlen(text), &args, &ignored))
        return NULL;
    return json_is_object(args) ? args : NULL;
}

static bool
is_id_taken(const struct chat_answer *out, const char *id)
{
    for (size_t i = 0; i < out->n_calls; i++) {
        if (str_eq(out->calls[i].id, id))
            return true;
    }
    return false;
}

/* What goes back of the arguments: nothing on which the model's own server would stumble, and
 * nothing that fills its room. */
static const char *
args_back(struct arena *a, struct json_object *args)
{
    const char *text = args == NULL ? "{}" : json_print(a, args);

    return strlen(text) <= ARGS_BACK_MAX ? text : "{}";
}

/* The calls, each with an id of its own; the message that goes back has the same ids. */
static void
read_calls(struct arena *a, struct json_object *message, struct chat_answer *out)
{
    struct json_object *calls = json_at(message, "tool_calls");
    struct json_object *back = json_new_array(a);

    out->calls = arena_array(a, json_count(calls) + 1, sizeof(*out->calls));
    for (size_t i = 0; i < json_count(calls) && i < CALLS_MAX; i++) {
        struct json_object *call = json_item(calls, i);
        struct json_object *sent = json_new_object(a);
        struct json_object *function;
        struct chat_call c = { .id = json_opt_str(a, call, "id", ""),
                               .name = json_opt_str(a, call, "function.name", ""),
                               .args = read_args(a, call) };

        c.given = c.id;
        if (str_empty(c.id) || is_id_taken(out, c.id))
            c.id = arena_printf(a, "call_no_id_%zu", i + 1);
        out->calls[out->n_calls++] = c;
        json_set_str(sent, "id", c.id);
        json_set_str(sent, "type", "function");
        function = json_add_object(sent, "function");
        json_set_str(function, "name", c.name);
        json_set_str(function, "arguments", args_back(a, c.args));
        json_push(back, sent);
    }
    if (out->n_calls == 0)
        return;
    json_set_str(message, "role", "assistant");
    json_set(message, "tool_calls", back);
    out->message = json_print(a, message);
}

bool
chat_read(struct arena *a, const struct http_response *r, struct chat_answer *out, struct err *e)
{
    struct json_object *body = NULL;
    struct json_object *choice;
    struct json_object *message;
    const char *finish;

    *out = (struct chat_answer){ .text = "", .message = "" };
    if (r->reach == HTTP_NOT_SENT)
        return fail(e, ERR_TEMP, "not_sent", "cannot be reached");
    if (r->reach == HTTP_CUT)
        return fail(e, ERR_TEMP, "no_answer", "no answer in time");
    if (r->status < 200 || r->status > 299)
        return read_refusal(a, r, e);
    if (!json_parse(a, r->body, r->body_len, &body, e))
        return fail(e, ERR_TEMP, "nonsense", "an answer that is no JSON");
    choice = json_at(body, "choices.0");
    message = json_at(choice, "message");
    finish = json_opt_str(a, choice, "finish_reason", "");
    out->text = chat_words(a, json_at(message, "content"));
    out->is_cut = str_eq(finish, "length");
    out->prompt_tokens = json_opt_int(json_at(body, "usage"), "prompt_tokens", 0);
    out->completion_tokens = json_opt_int(json_at(body, "usage"), "completion_tokens", 0);
    if (str_eq(finish, "content_filter") || !str_empty(json_opt_str(a, message, "refusal", "")))
        return fail(e, ERR_PERM, "refused", "it refused to answer");
    read_calls(a, message, out);
    if (str_empty(out->text) && out->n_calls == 0)
        return fail(e, ERR_TEMP, out->is_cut ? "cut" : "nonsense", "an answer without words");
    return true;
}

const char *
chat_says(const char *code)
{
    static const struct {
        const char *code;
        const char *says;
    } rows[] = {
        { "", "ok" },           { "refused", "ok" },     { "cut", "ok" },
        { "too_long", "ok" },   { "limit_name", "ok" },  { "guarded", "ok" },
        { "http_400", "" },     { "http_429", "pause" }, { "http_401", "hard" },
        { "http_402", "hard" }, { "http_403", "hard" },  { "quota", "hard" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (str_eq(rows[i].code, code))
            return rows[i].says;
    }
    return "fail";
}
