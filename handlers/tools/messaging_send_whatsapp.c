/*
 * messaging_send_whatsapp - the tool's own endpoint: POST /tools/messaging_send_whatsapp. What it
 * does: flow/tool_messaging_send_whatsapp.c.
 */
#include "frame/handler.h"

const struct handler handler = TOOL_HANDLER(tool_messaging_send_whatsapp, 64 * 1024, CFG_SEND);
