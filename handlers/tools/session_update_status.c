/*
 * session_update_status - the tool's own endpoint: POST /tools/session_update_status. What it does:
 * flow/tool_session_update_status.c.
 */
#include "frame/handler.h"

const struct handler handler = TOOL_HANDLER(tool_session_update_status, 64 * 1024, 0);
