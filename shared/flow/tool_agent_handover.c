/*
 * tool_agent_handover - another agent goes on with a conversation, or a person does.
 */
#include "flow/tool.h"
#include "model/session.h"

static const struct param params[] = {
    { "session_id", PARAM_UUID, true, 0, NULL, "The conversation." },
    { "agent", PARAM_ID, true, 0, NULL,
      "Who goes on: the name of an agent, or human for a person of the team." },
    { "reason", PARAM_TEXT, true, 500, NULL, "Why, in a sentence for whoever goes on." },
};
static const size_t n_params = COUNT_OF(params);

static bool
run(struct flow *f, struct tool_call *call, struct err *e)
{
    struct arena *a = call->arena;
    const char *agent = json_opt_str(a, call->args, "agent", "");
    const char *status;
    const char *id;

    if (!json_need_str(a, call->args, "session_id", &id, e) ||
        !session_handover(f->db, a, id, agent, json_opt_str(a, call->args, "reason", ""), &status,
                          e))
        return false;
    log_event(f->log, SESSION_HANDED_OVER, LF_ID("session_id", id), LF_ID("agent", agent));
    json_set_str(call->reply, "session_id", id);
    json_set_str(call->reply, "status", status);
    json_set_str(call->reply, "agent", agent);
    return true;
}

const struct tool tool_agent_handover = {
    .name = "agent_handover",
    .description = "Hands the conversation to another agent from the person's next message on, or "
                   "to a person of the team (human), who will write when they can.",
    .params = params,
    .n_params = &n_params,
    .run = run,
};
