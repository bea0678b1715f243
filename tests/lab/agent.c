/*
 * The agent: see agent.h. A script is one object {reply | tool_calls | echo | raw | status, code,
 * retry_after, delay_ms} that lasts until the next, or {replies: […]} of texts and such objects,
 * used up one per request.
 */
#include "agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent_reply.h"
#include "provider.h"

static struct json_object *script; /* NULL = speaks for itself */
static size_t replies_used;

void
agent_reset(void)
{
    (void)json_object_put(script);
    script = NULL;
    replies_used = 0;
}

/* What to do now: the script itself, its next reply, or NULL when there is nothing left to obey. */
static struct json_object *
next_step(void)
{
    struct json_object *replies = json_get(script, "replies");
    if (!json_object_is_type(replies, json_type_array)) {
        return script;
    }
    if (replies_used >= json_object_array_length(replies)) {
        return NULL;
    }
    return json_object_array_get_idx(replies, replies_used++);
}

/* [{name, arguments: {…} or "…"}] as the API words it. */
static struct json_object *
tool_calls_json(struct json_object *wanted)
{
    struct json_object *calls = json_object_new_array();
    for (size_t i = 0; i < json_object_array_length(wanted); i++) {
        struct json_object *one = json_object_array_get_idx(wanted, i);
        struct json_object *arguments = json_get(one, "arguments");
        char id[48];
        (void)snprintf(id, sizeof id, "call_%llu", (unsigned long long)id_next());
        struct json_object *function = json_object_new_object();
        json_add_str(function, "name", json_str(one, "name", ""));
        json_add_str(function, "arguments",
                     arguments == NULL ? "{}" : json_object_get_string(arguments));
        struct json_object *call = json_object_new_object();
        json_add_str(call, "id", json_str(one, "id", id));
        json_add_str(call, "type", "function");
        json_add(call, "function", function);
        (void)json_object_array_add(calls, call);
    }
    return calls;
}

static struct json_object *
message_json(struct json_object *step, struct json_object *prompt)
{
    struct json_object *message = json_object_new_object();
    struct json_object *calls = json_get(step, "tool_calls");
    char *text = NULL;
    json_add_str(message, "role", "assistant");
    if (json_object_is_type(step, json_type_string)) {
        text = str_dup(json_object_get_string(step));
    } else if (json_object_is_type(json_get(step, "reply"), json_type_string)) {
        text = str_dup(json_str(step, "reply", ""));
    } else if (json_flag(step, "echo", false)) {
        text = agent_last_user(prompt);
    } else if (calls == NULL && !json_has(step, "reply")) {
        text = agent_own_reply(prompt);
    }
    json_add(message, "content", text == NULL ? NULL : json_object_new_string(text));
    json_add(message, "refusal", NULL);
    if (json_object_is_type(calls, json_type_array)) {
        json_add(message, "tool_calls", tool_calls_json(calls));
    }
    free(text);
    return message;
}

static struct json_object *
usage_json(const struct request *r)
{
    /* About four bytes a token; nobody is billed for it. */
    int64_t prompt = (int64_t)r->body.len / 4;
    struct json_object *usage = json_object_new_object();
    json_add_int(usage, "prompt_tokens", prompt);
    json_add_int(usage, "completion_tokens", 20);
    json_add_int(usage, "total_tokens", prompt + 20);
    return usage;
}

static void
answer_completion(struct request *r, struct json_object *step, struct json_object *prompt)
{
    char id[48];
    (void)snprintf(id, sizeof id, "chatcmpl-%llu", (unsigned long long)id_next());
    struct json_object *choice = json_object_new_object();
    json_add_int(choice, "index", 0);
    json_add_str(choice, "finish_reason",
                 json_str(step, "finish", json_has(step, "tool_calls") ? "tool_calls" : "stop"));
    json_add(choice, "message", message_json(step, prompt));
    struct json_object *choices = json_object_new_array();
    (void)json_object_array_add(choices, choice);
    struct json_object *o = json_object_new_object();
    json_add_str(o, "id", id);
    json_add_str(o, "object", "chat.completion");
    json_add_int(o, "created", clock_wall_ms() / 1000);
    json_add_str(o, "model", json_str(prompt, "model", "lab"));
    json_add(o, "choices", choices);
    json_add(o, "usage", usage_json(r));
    answer_json(r, 200, o);
}

static void
take_chat(struct request *r, const struct fault *f)
{
    (void)f;
    struct json_object *prompt = json_parse(r->body.data, r->body.len);
    struct json_object *step = next_step();
    unsigned status = (unsigned)json_int(step, "status", 0);
    r->delay_ms = json_int(script, "delay_ms", 0);
    r->delay_ms = json_int(step, "delay_ms", r->delay_ms);
    r->retry_after = (long)json_int(step, "retry_after", 0);
    if (!json_object_is_type(json_get(prompt, "messages"), json_type_array)) {
        provider_refuse(r, PROVIDER_AGENT, 400, "");
    } else if (json_has(step, "raw")) {
        const char *raw = json_object_get_string(json_get(step, "raw"));
        answer_text(r, status == 0 ? 200 : status, "application/json", raw == NULL ? "" : raw);
    } else if (status != 0 && status != 200) {
        provider_refuse(r, PROVIDER_AGENT, status, json_str(step, "code", ""));
    } else {
        answer_completion(r, step, prompt);
    }
    if (r->status < 400) {
        record_accepted(PROVIDER_AGENT);
    }
    (void)json_object_put(prompt);
}

void
agent_serve_chat(struct request *r)
{
    provider_serve(r, PROVIDER_AGENT, take_chat);
}

void
agent_serve_script(struct request *r)
{
    struct json_object *o = json_parse(r->body.data, r->body.len);
    if (!json_object_is_type(o, json_type_object)) {
        (void)json_object_put(o);
        reply_error(r, 400, "the body is no JSON object");
        return;
    }
    agent_reset();
    if (json_object_object_length(o) == 0) {
        (void)json_object_put(o);
    } else {
        script = o;
    }
    struct json_object *answer = json_object_new_object();
    json_add_bool(answer, "scripted", script != NULL);
    reply_json(r, 200, answer);
}
