/*
 * messaging_send_sms - the tool's own endpoint: POST /tools/messaging_send_sms. What it does:
 * flow/tool_messaging_send_sms.c.
 */
#include "frame/handler.h"

const struct handler handler = TOOL_HANDLER(tool_messaging_send_sms, 64 * 1024, CFG_SEND);
