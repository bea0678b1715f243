/*
 * session_get_or_create - the tool's own endpoint: POST /tools/session_get_or_create. What it does:
 * flow/tool_session_get_or_create.c.
 */
#include "frame/handler.h"

const struct handler handler = TOOL_HANDLER(tool_session_get_or_create, 64 * 1024, 0);
