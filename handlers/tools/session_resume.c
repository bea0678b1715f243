/*
 * session_resume - the tool's own endpoint: POST /tools/session_resume. What it does:
 * flow/tool_session_resume.c.
 */
#include "frame/handler.h"

const struct handler handler = TOOL_HANDLER(tool_session_resume, 64 * 1024, 0);
