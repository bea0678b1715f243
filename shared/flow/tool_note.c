/*
 * tool_note - status, context and pause of a conversation, and the answers that say what was taken.
 */
#include "flow/tool_note.h"

#include "model/session.h"

bool
tool_note(struct flow *f, struct tool_call *call, const char *status, struct err *e)
{
    struct arena *a = call->arena;
    struct json_object *ignored = NULL;
    struct session_noted noted;
    const char *id;
    const char *context = "";

    if (json_has(call->args, "context"))
        context = json_print(a, json_at(call->args, "context"));
    if (!json_need_str(a, call->args, "session_id", &id, e) ||
        !session_note(f->db, a, id, status, context, &noted, e) ||
        !json_parse(a, noted.ignored, strlen(noted.ignored), &ignored, e))
        return false;
    json_set_str(call->reply, "session_id", id);
    json_set_str(call->reply, "status", noted.status);
    if (json_count(ignored) > 0)
        json_set(call->reply, "ignored", ignored);
    return true;
}

const struct param tool_hold_params[] = {
    { "session_id", PARAM_UUID, true, 0, NULL, "The conversation." },
};
const size_t tool_hold_params_n = COUNT_OF(tool_hold_params);

bool
tool_hold(struct flow *f, struct tool_call *call, bool paused, struct err *e)
{
    const char *status;
    const char *id;

    if (!json_need_str(call->arena, call->args, "session_id", &id, e) ||
        !session_hold(f->db, call->arena, id, paused, &status, e))
        return false;
    if (!paused)
        wake_send(f->config->wake_socket);
    json_set_str(call->reply, "session_id", id);
    json_set_str(call->reply, "status", status);
    json_set_bool(call->reply, "paused", paused);
    return true;
}
