/*
 * tool_operator_send - a person of ours writes to the person of a conversation.
 */
#include "flow/tool_send.h"

static const struct param params[] = {
    { "session_id", PARAM_UUID, true, 0, NULL, "The conversation." },
    { "message", PARAM_TEXT, true, 4000, NULL, "What to say." },
    { "idempotency_key", PARAM_ID, false, 0, NULL,
      "The same key again sends nothing and gives the same answer." },
    { "wait", PARAM_BOOL, false, 0, NULL, "False: answer at once, without the outcome." },
};
static const size_t n_params = COUNT_OF(params);

const struct tool tool_operator_send = {
    .name = "operator_send",
    .description = "Sends a message of an operator on the channel the person used last.",
    .params = params,
    .n_params = &n_params,
    .operator_only = true,
    .sends = true,
    .run = tool_send_by_operator,
};
