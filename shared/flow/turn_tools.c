/*
 * turn_tools - from a call as the model words it to tool_execute(), and back.
 */
#include "flow/turn_tools.h"

#include "base/hmac.h"
#include "base/str.h"
#include "base/utf8.h"

#define RESULT_MAX                                                                                 \
    8000 /* bytes of a result; a longer one would take the room of the conversation */

/* Is the name in "a,b,c"? */
static bool
is_listed(struct arena *a, const char *names, const char *name)
{
    size_t n = 0;
    char **list = str_split(a, names, ',', &n);

    for (size_t i = 0; i < n; i++) {
        if (str_eq(list[i], name))
            return true;
    }
    return false;
}

/* A call is logged by whoever speaks with the caller; and one handover is enough. */
static bool
has_place(const struct turn_tools *t, const struct tool *tool)
{
    return !tool->operator_only && tool != &tool_call_log_summary &&
           !(t->has_handed_over && tool == &tool_agent_handover);
}

void
turn_tools_allow(struct turn_tools *t, const char *names)
{
    const char *allowed = "";

    for (size_t i = 0; tool_all[i] != NULL; i++) {
        if (has_place(t, tool_all[i]) && is_listed(t->arena, names, tool_all[i]->name))
            allowed = arena_printf(t->arena, "%s%s%s", allowed, *allowed == '\0' ? "" : ",",
                                   tool_all[i]->name);
    }
    t->caller.tools = allowed;
}

struct json_object *
turn_tools_describe(const struct turn_tools *t)
{
    struct json_object *list = json_new_array(t->arena);

    for (size_t i = 0; tool_all[i] != NULL; i++) {
        if (is_listed(t->arena, t->caller.tools, tool_all[i]->name))
            json_push(list, tool_describe(t->arena, tool_all[i], true));
    }
    return list;
}

static const char *
error_json(struct arena *a, const char *code, const char *message)
{
    struct json_object *o = json_new_object(a);
    struct json_object *error;

    json_set_bool(o, "success", false);
    json_set_str(o, "result", "failed");
    error = json_add_object(o, "error");
    json_set_str(error, "code", code);
    json_set_str(error, "message", message);
    return json_print(a, o);
}

static void
log_call(struct turn_tools *t, const char *tool, const char *outcome)
{
    struct json_object *o = json_push_object(t->log);

    json_set_str(o, "tool", tool);
    json_set_str(o, "outcome", outcome);
}

/* What a call asks for; how it waits, and a key of the model's own, make no other call. */
static const char *
call_digest(struct turn_tools *t, const struct chat_call *c)
{
    unsigned char bytes[HMAC_SIZE];
    const char *all;

    json_set_str(c->args, "idempotency_key", NULL);
    json_set_bool(c->args, "wait", false);
    all = arena_printf(t->arena, "%s %s", c->name, json_print(t->arena, c->args));
    hmac_digest(all, strlen(all), bytes);
    return str_hex(t->arena, bytes, 8);
}

/* A call is told apart by what it does: the same tool with the same arguments, for the first,
 * second, ... time, since the first try at what waits. So a turn that is tried again gets the first
 * try's result and sends nothing twice, unless the model words it otherwise. The model's id of a
 * call, which is another one on another try, only tells a repeat in the same turn from a second
 * call; the same id with other arguments is a call of its own, since some servers number those of
 * every answer from zero. */
static const char *
call_key(struct turn_tools *t, const struct chat_call *c)
{
    const char *digest = call_digest(t, c);
    const char *key;
    int times = 1;

    for (size_t i = 0; i < t->n_keyed; i++) {
        const struct turn_keyed *k = &t->keyed[i];

        if (!str_eq(k->digest, digest))
            continue;
        if (!str_empty(c->given) && str_eq(k->given, c->given))
            return k->key;
        times++;
    }
    key = arena_printf(t->arena, "%s:%s:%d", t->first_turn_id, digest, times);
    if (t->n_keyed < COUNT_OF(t->keyed))
        t->keyed[t->n_keyed++] = (struct turn_keyed){ c->given, digest, key };
    return key;
}

/* What a model is told of a call, cut where it is too much. */
static const char *
result_text(struct arena *a, struct json_object *result)
{
    const char *text = json_print(a, result);
    struct json_object *cut;

    if (strlen(text) <= RESULT_MAX)
        return text;
    cut = json_new_object(a);
    json_set_bool(cut, "success", json_opt_bool(result, "success", false));
    json_set_str(cut, "result", json_opt_str(a, result, "result", "unknown"));
    json_set_bool(cut, "cut", true);
    json_set_str(cut, "begins_with", arena_strndup(a, text, utf8_prefix(text, RESULT_MAX / 2)));
    return json_print(a, cut);
}

static const char *
execute(struct turn_tools *t, struct flow *f, const struct tool *tool, const struct chat_call *c)
{
    static const char *const outcomes[] = {
        [TOOL_OK] = "ok", [TOOL_FAILED] = "failed", [TOOL_UNKNOWN] = "unknown"
    };
    struct tool_call call = { .arena = t->arena,
                              .caller = &t->caller,
                              .args = c->args,
                              .reply = json_new_object(t->arena),
                              .status = 200 };
    struct err e = { 0 };
    bool ok;

    json_set_str(c->args, "idempotency_key", call_key(t, c));
    ok = tool_execute(f, tool, &call, &e);
    log_call(t, tool->name, ok ? outcomes[call.outcome] : err_kind_text(e.kind));
    if (ok && tool == &tool_agent_handover)
        t->has_handed_over = true;
    if (ok && tool->sends && call.outcome != TOOL_FAILED)
        t->has_sent = true;
    return result_text(t->arena, tool_result(&call, ok ? NULL : &e));
}

const char *
turn_tools_run(struct turn_tools *t, struct flow *f, const struct chat_call *c)
{
    const struct tool *tool = tool_find(c->name);
    struct arena *a = t->arena;

    if (t->calls++ >= TURN_MAX_CALLS) {
        log_call(t, tool == NULL ? "?" : tool->name, "too_many");
        return error_json(a, "limit", "too many calls; answer the person now");
    }
    if (tool == NULL) {
        log_call(t, "?", "unknown_tool");
        return error_json(a, "not_found", "there is no tool of this name");
    }
    if (t->has_handed_over && tool == &tool_agent_handover) {
        log_call(t, tool->name, "not_allowed");
        return error_json(a, "forbidden", "it was handed over already; answer the person now");
    }
    if (c->args == NULL) {
        log_call(t, tool->name, "invalid");
        return error_json(a, "invalid", "the arguments are no JSON object; call it again");
    }
    return execute(t, f, tool, c);
}
