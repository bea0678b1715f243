/*
 * tool_session_get_context - what is known of a conversation: notes, call, latest messages.
 */
#include "base/str.h"
#include "flow/tool.h"
#include "model/session.h"

#define MAX_MESSAGES 20

static const struct param params[] = {
    { "session_id", PARAM_UUID, true, 0, NULL, "The conversation." },
};
static const size_t n_params = COUNT_OF(params);

static bool
put_json(struct tool_call *call, const char *key, const char *text, struct err *e)
{
    struct json_object *value = NULL;

    if (!json_parse(call->arena, text, strlen(text), &value, e))
        return err_wrap(e, key);
    json_set(call->reply, key, value);
    return true;
}

static bool
run(struct flow *f, struct tool_call *call, struct err *e)
{
    struct session_view view;
    const char *id;

    if (!json_need_str(call->arena, call->args, "session_id", &id, e) ||
        !session_read(f->db, call->arena, id, MAX_MESSAGES, &view, e))
        return false;
    json_set_str(call->reply, "session_id", view.id);
    json_set_str(call->reply, "status", view.status);
    if (!str_empty(view.agent))
        json_set_str(call->reply, "agent", view.agent);
    json_set_bool(call->reply, "paused", view.paused);
    json_set_bool(call->reply, "needs_human", view.needs_human);
    return put_json(call, "context", view.context, e) &&
           (str_empty(view.call) || put_json(call, "call", view.call, e)) &&
           put_json(call, "messages", view.messages, e);
}

const struct tool tool_session_get_context = {
    .name = "session_get_context",
    .description = "What is known of the conversation: notes, the call it is about, the latest "
                   "messages on every channel.",
    .params = params,
    .n_params = &n_params,
    .run = run,
};
