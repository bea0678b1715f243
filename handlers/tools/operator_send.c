/*
 * operator_send - the tool's own endpoint: POST /tools/operator_send. What it does:
 * flow/tool_operator_send.c.
 */
#include "frame/handler.h"

const struct handler handler = TOOL_HANDLER(tool_operator_send, 64 * 1024, CFG_SEND);
