/*
 * messaging_send_dual_channel - the tool's own endpoint: POST /tools/messaging_send_dual_channel.
 * What it does: flow/tool_messaging_send_dual_channel.c.
 */
#include "frame/handler.h"

const struct handler handler = TOOL_HANDLER(tool_messaging_send_dual_channel, 64 * 1024, CFG_SEND);
