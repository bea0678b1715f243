/*
 * tool_messaging_send_whatsapp - a message by WhatsApp, and in no case by SMS.
 */
#include "flow/tool_send.h"

static bool
run(struct flow *f, struct tool_call *call, struct err *e)
{
    return tool_send(f, call, TOOL_BY_WHATSAPP, e);
}

const struct tool tool_messaging_send_whatsapp = {
    .name = "messaging_send_whatsapp",
    .description = "Sends the person a WhatsApp message. Works only within 24 hours of their last "
                   "WhatsApp message or call; otherwise it fails with window_closed and nothing "
                   "is sent. Say that it was sent only if status is sent.",
    .params = tool_send_params,
    .n_params = &tool_send_params_n,
    .sends = true,
    .run = run,
};
