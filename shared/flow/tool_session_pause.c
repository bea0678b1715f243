/*
 * tool_session_pause - an operator keeps the agent out of a conversation.
 */
#include "flow/tool_note.h"

static bool
run(struct flow *f, struct tool_call *call, struct err *e)
{
    return tool_hold(f, call, true, e);
}

const struct tool tool_session_pause = {
    .name = "session_pause",
    .description = "Keeps the agent out of the conversation: what the person writes waits.",
    .params = tool_hold_params,
    .n_params = &tool_hold_params_n,
    .operator_only = true,
    .run = run,
};
