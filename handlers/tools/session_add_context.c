/*
 * session_add_context - the tool's own endpoint: POST /tools/session_add_context. What it does:
 * flow/tool_session_add_context.c.
 */
#include "frame/handler.h"

const struct handler handler = TOOL_HANDLER(tool_session_add_context, 64 * 1024, 0);
