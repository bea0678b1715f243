/*
 * tool_messaging_send_dual_channel - one message by WhatsApp and by SMS.
 */
#include "flow/tool_send.h"

static bool
run(struct flow *f, struct tool_call *call, struct err *e)
{
    return tool_send(f, call, TOOL_BY_WHATSAPP | TOOL_BY_SMS, e);
}

const struct tool tool_messaging_send_dual_channel = {
    .name = "messaging_send_dual_channel",
    .description = "Sends the person the same message by WhatsApp and by SMS, for what must not be "
                   "missed. The status partial means that one of the two could not carry it; "
                   "channels says which, and why.",
    .params = tool_send_params,
    .n_params = &tool_send_params_n,
    .sends = true,
    .run = run,
};
