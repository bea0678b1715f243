/*
 * tool_call_log_summary - a voice agent or PBX stores a call and its summary; with ended: true the
 * caller is notified.
 */
#include "flow/call_args.h"
#include "flow/postcall.h"
#include "flow/tool.h"

static bool
run(struct flow *f, struct tool_call *call, struct err *e)
{
    bool wait = json_opt_bool(call->args, "wait", true);
    struct call_facts facts;
    struct postcall_result result;

    if (!call_args_read(call->arena, call->args, &facts, e) ||
        !postcall_run(f, call->arena, &facts, wait, &result, e))
        return false;
    json_set_str(call->reply, "call_id", result.stored.call_id);
    json_set_str(call->reply, "session_id", result.stored.session_id);
    json_set_bool(call->reply, "created", result.stored.created);
    json_set_bool(call->reply, "notified",
                  result.n_channels > 0 && result.status != POSTCALL_SKIPPED);
    if (result.is_over)
        postcall_reply(call->reply, &result, &call->status);
    return true;
}

const struct tool tool_call_log_summary = {
    .name = "call_log_summary",
    .description = "Stores what a call was about. Call it before hanging up, with ended: true, so "
                   "that the caller gets the summary in writing.",
    .params = call_args_full,
    .n_params = &call_args_full_n,
    .run = run,
};
