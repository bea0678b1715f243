/*
 * tool_session_update_status - an agent says how far a conversation has come.
 */
#include "flow/tool_note.h"

static const struct param params[] = {
    { "session_id", PARAM_UUID, true, 0, NULL, "The conversation." },
    { "status", PARAM_WORD, true, 0, "active|follow_up|closed",
      "active: goes on; follow_up: something is owed to the person; closed: done." },
    { "context", PARAM_OBJECT, false, TOOL_NOTE_MAX, NULL, "Facts to keep, merged by key." },
};
static const size_t n_params = COUNT_OF(params);

static bool
run(struct flow *f, struct tool_call *call, struct err *e)
{
    return tool_note(f, call, json_opt_str(call->arena, call->args, "status", ""), e);
}

const struct tool tool_session_update_status = {
    .name = "session_update_status",
    .description = "Sets the status of the conversation. Close it only when the person has what "
                   "they came for.",
    .params = params,
    .n_params = &n_params,
    .run = run,
};
