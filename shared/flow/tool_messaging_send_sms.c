/*
 * tool_messaging_send_sms - a message by SMS, and in no case by WhatsApp.
 */
#include "flow/tool_send.h"

static bool
run(struct flow *f, struct tool_call *call, struct err *e)
{
    return tool_send(f, call, TOOL_BY_SMS, e);
}

const struct tool tool_messaging_send_sms = {
    .name = "messaging_send_sms",
    .description = "Sends the person an SMS of 280 letters; the rest of a longer one waits until "
                   "they ask for it. "
                   "Say that it was sent only if status is sent.",
    .params = tool_send_params,
    .n_params = &tool_send_params_n,
    .sends = true,
    .run = run,
};
