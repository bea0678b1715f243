/*
 * chat - building and reading chat completions, within the subset that local servers know too.
 */
#include "provider/chat.h"

#include "base/str.h"
#include "core/json.h"

/* Where the server's completions are; a base written with a '/' at its end is the same base. */
static const char *
completions_url(struct arena *a, const char *base)
{
    size_t n = strlen(base);

    while (n > 0 && base[n - 1] == '/')
        n--;
    return arena_printf(a, "%.*s/chat/completions", (int)n, base);
}

void
chat_build(struct arena *a, const struct config *c, const struct chat_ask *ask,
           struct http_request *out)
{
    struct json_object *body = json_new_object(a);
    struct json_object *messages = json_add_array(body, "messages");
    const char **headers = arena_array(a, 4, sizeof(*headers));
    size_t n = 0;

    json_set_str(body, "model", str_empty(ask->model) ? c->openai_model : ask->model);
    json_set_int(body, "max_tokens", ask->max_tokens);
    json_set_bool(body, "stream", false);
    for (size_t i = 0; i < ask->n_messages; i++) {
        struct json_object *m = json_push_object(messages);

        json_set_str(m, "role", ask->messages[i].role);
        json_set_str(m, "content", ask->messages[i].content);
    }
    headers[n++] = "Content-Type: application/json";
    headers[n++] = arena_printf(a, "X-Correlation-Id: %s", ask->correlation_id);
    if (!str_empty(c->openai_api_key.now)) /* local servers need none */
        headers[n++] = arena_printf(a, "Authorization: Bearer %s", c->openai_api_key.now);
    *out = (struct http_request){ .method = "POST", .headers = headers };
    out->url = completions_url(a, str_empty(ask->base_url) ? c->openai_base_url : ask->base_url);
    out->body = json_print(a, body);
    out->body_len = strlen(out->body);
}

static bool
fail(struct err *e, enum err_kind kind, const char *code, const char *words)
{
    (void)err_set(e, kind, "agent: %s", words);
    return err_code(e, code);
}

/* 429 has two meanings: too fast, or no money left. */
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
    return fail(e, r->status == 429 || r->status >= 500 ? ERR_TEMP : ERR_PERM,
                arena_printf(a, "http_%d", r->status), arena_printf(a, "HTTP %d", r->status));
}

bool
chat_read(struct arena *a, const struct http_response *r, struct chat_answer *out, struct err *e)
{
    struct json_object *body = NULL;
    struct json_object *choice;
    const char *finish;

    if (r->reach == HTTP_NOT_SENT)
        return fail(e, ERR_TEMP, "not_sent", "cannot be reached");
    if (r->reach == HTTP_CUT)
        return fail(e, ERR_TEMP, "no_answer", "no answer in time");
    if (r->status < 200 || r->status > 299)
        return read_refusal(a, r, e);
    if (!json_parse(a, r->body, r->body_len, &body, e))
        return fail(e, ERR_TEMP, "nonsense", "an answer that is no JSON");
    choice = json_at(body, "choices.0");
    finish = json_opt_str(a, choice, "finish_reason", "");
    out->text = str_trim(a, json_opt_str(a, choice, "message.content", ""));
    out->prompt_tokens = json_opt_int(json_at(body, "usage"), "prompt_tokens", 0);
    out->completion_tokens = json_opt_int(json_at(body, "usage"), "completion_tokens", 0);
    if (str_eq(finish, "content_filter") ||
        !str_empty(json_opt_str(a, choice, "message.refusal", "")))
        return fail(e, ERR_PERM, "refused", "it refused to answer");
    if (str_empty(out->text))
        return fail(e, ERR_TEMP, str_eq(finish, "length") ? "cut" : "nonsense",
                    "an answer without words");
    return true;
}
