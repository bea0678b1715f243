/*
 * tool_session_resume - an operator lets the agent go on with a conversation that was held back.
 */
#include "flow/tool_note.h"

static bool
run(struct flow *f, struct tool_call *call, struct err *e)
{
    return tool_hold(f, call, false, e);
}

const struct tool tool_session_resume = {
    .name = "session_resume",
    .description = "Lets the agent go on with the conversation: what waits is answered.",
    .params = tool_hold_params,
    .n_params = &tool_hold_params_n,
    .operator_only = true,
    .run = run,
};
