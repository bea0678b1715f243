/*
 * session_pause - the tool's own endpoint: POST /tools/session_pause. What it does:
 * flow/tool_session_pause.c.
 */
#include "frame/handler.h"

const struct handler handler = TOOL_HANDLER(tool_session_pause, 64 * 1024, 0);
